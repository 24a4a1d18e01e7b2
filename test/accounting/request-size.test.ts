import type { Transfer } from 'tigerbeetle-node'
import { createLedger, RequestTooLarge } from '../../accounting/client.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('size of requests')

test('what the server does not take is not sent, and known from then on', async () => {
  const ledger = await createLedger(ledgerOptions())
  try {
    assert.is(ledger.largestRequest(), 8_189)
    const never: Transfer = {
      id: 0n,
      debit_account_id: 0n,
      credit_account_id: 0n,
      amount: 0n,
      pending_id: 0n,
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      timeout: 0,
      ledger: 0,
      code: 0,
      flags: 0,
      timestamp: 0n,
    }
    const many = (length: number) => Array.from({ length }, () => never)
    await assert.rejects(
      ledger.createTransfers(many(8_190)),
      (error) => error instanceof RequestTooLarge,
    )
    assert.is(ledger.largestRequest(), 250)
    assert.is((await ledger.createTransfers(many(250))).length, 250)
  } finally {
    ledger.close()
  }
})

test.run()
