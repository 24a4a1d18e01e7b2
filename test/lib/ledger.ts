import type { LedgerOptions } from '../../accounting/client.ts'

/** How tests reach the ledger that the test runner gives them. */
export function ledgerOptions(overrides: Partial<LedgerOptions> = {}): LedgerOptions {
  const addresses = process.env.TIGERBEETLE_ADDRESSES
  if (!addresses) throw new Error('TIGERBEETLE_ADDRESSES is not set: run the tests by `npm test`')
  return {
    addresses: addresses.split(','),
    clusterId: 0n,
    deadlineMs: 10_000,
    queueLimit: 10_000,
    ...overrides,
  }
}
