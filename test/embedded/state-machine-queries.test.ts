import fc from 'fast-check'
import type { AccountFilter, QueryFilter, Transfer } from 'tigerbeetle-node'
import { createStateMachine, operations } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { execute, VirtualClock } from './lib/machine-client.ts'
import { randomFrom } from './lib/random.ts'
import { reopened } from './lib/reopened.ts'
import { zeroAccount, zeroQueryFilter, zeroTransfer } from './lib/zero.ts'

const transferCount = 6000
const perBatch = 1000
const accountCount = 5

/** Many transfers between few accounts, so that lists have many blocks, also some of one row. */
function populated() {
  const clock = new VirtualClock()
  const machine = createStateMachine()
  const random = randomFrom(7)
  const accounts = Array.from({ length: accountCount }, (_, index) => ({
    ...zeroAccount,
    id: BigInt(index + 1),
    user_data_128: BigInt(index % 2),
    ledger: 1,
    code: 1 + (index % 3),
    flags: 1 << 3,
  }))
  execute(machine, clock, operations.createAccounts, codecs.create_accounts, [accounts])
  for (let first = 1; first <= transferCount; first += perBatch) {
    const transfers = Array.from({ length: perBatch }, (_, index): Transfer => {
      const debit = random.below(accountCount)
      const credit = (debit + 1 + random.below(accountCount - 1)) % accountCount
      return {
        ...zeroTransfer,
        id: BigInt(first + index),
        debit_account_id: BigInt(debit + 1),
        credit_account_id: BigInt(credit + 1),
        amount: BigInt(random.below(3)),
        user_data_128: BigInt(random.below(3)) << 100n,
        user_data_64: BigInt(random.below(40)) << 32n,
        user_data_32: random.below(transferCount),
        ledger: 1,
        code: 1 + random.below(2),
      }
    })
    execute(machine, clock, operations.createTransfers, codecs.create_transfers, [transfers])
  }
  return { machine, clock }
}

const { machine, clock } = populated()
const everything: QueryFilter = { ...zeroQueryFilter, limit: 8189 }
const ask = {
  transfers: (filter: QueryFilter, of = machine) =>
    execute(of, clock, operations.queryTransfers, codecs.query_transfers, [[filter]])[0]!,
  accounts: (filter: QueryFilter, of = machine) =>
    execute(of, clock, operations.queryAccounts, codecs.query_accounts, [[filter]])[0]!,
  ofAccount: (filter: AccountFilter, of = machine) =>
    execute(of, clock, operations.getAccountTransfers, codecs.get_account_transfers, [
      [filter],
    ])[0]!,
  balances: (filter: AccountFilter, of = machine) =>
    execute(of, clock, operations.getAccountBalances, codecs.get_account_balances, [[filter]])[0]!,
}
const all = ask.transfers(everything)
const allAccounts = ask.accounts(everything)
const times = all.map(({ timestamp }) => timestamp)
const anyTime = fc.oneof(
  fc.constant(0n),
  fc.constantFrom(...times),
  fc.constantFrom(...times).map((time) => time + 1n),
)

const commonFilter = {
  user_data_128: fc.constantFrom(0n, 0n, 1n << 100n, 2n << 100n, 3n << 100n, 1n),
  user_data_64: fc.oneof(
    fc.constant(0n),
    fc.nat({ max: 41 }).map((bits) => BigInt(bits) << 32n),
  ),
  user_data_32: fc.oneof(fc.constant(0), fc.constant(0), fc.nat({ max: transferCount })),
  code: fc.constantFrom(0, 0, 1, 2, 3),
  timestamp_min: anyTime,
  timestamp_max: anyTime,
  limit: fc.constantFrom(1, 10, 700, 8189),
}

type Searchable = Pick<
  Transfer,
  'user_data_128' | 'user_data_64' | 'user_data_32' | 'code' | 'timestamp'
>

/** What a filter means, record by record. */
function pick<Row extends Searchable>(
  rows: readonly Row[],
  filter: Omit<QueryFilter, 'ledger'>,
  reversed: boolean,
  matches: (row: Row) => boolean,
): Row[] {
  const { timestamp_min: min, timestamp_max: max } = filter
  if (max !== 0n && min > max) return []
  const found = rows.filter(
    (row) =>
      matches(row) &&
      (filter.user_data_128 === 0n || row.user_data_128 === filter.user_data_128) &&
      (filter.user_data_64 === 0n || row.user_data_64 === filter.user_data_64) &&
      (filter.user_data_32 === 0 || row.user_data_32 === filter.user_data_32) &&
      (filter.code === 0 || row.code === filter.code) &&
      row.timestamp >= min &&
      (max === 0n || row.timestamp <= max),
  )
  if (reversed) found.reverse()
  return found.slice(0, filter.limit)
}

const test = suite('queries against a plain filter')

test('query_transfers and query_accounts', () => {
  const filters = fc.record({
    ...commonFilter,
    ledger: fc.constantFrom(0, 0, 1, 2),
    flags: fc.constantFrom(0, 1),
  })
  const property = fc.property(filters, (filter) => {
    const inLedger = (row: { ledger: number }) =>
      filter.ledger === 0 || row.ledger === filter.ledger
    const reversed = filter.flags === 1
    assert.equal(ask.transfers(filter), pick(all, filter, reversed, inLedger))
    assert.equal(ask.accounts(filter), pick(allAccounts, filter, reversed, inLedger))
  })
  fc.assert(property, { numRuns: 300 })
})

test('get_account_transfers and get_account_balances', () => {
  const filters = fc.record({
    ...commonFilter,
    account_id: fc.integer({ min: 1, max: accountCount + 1 }).map(BigInt),
    flags: fc.integer({ min: 1, max: 7 }).filter((flags) => (flags & 3) !== 0),
  })
  const balances = runningBalances()
  const property = fc.property(filters, (filter) => {
    const { account_id: id, flags } = filter
    const wanted = pick(all, filter, (flags & 4) !== 0, (row) => {
      const debits = (flags & 1) !== 0 && row.debit_account_id === id
      return debits || ((flags & 2) !== 0 && row.credit_account_id === id)
    })
    assert.equal(ask.ofAccount(filter), wanted)
    const known = wanted.map(({ timestamp }) => balances.get(`${id} at ${timestamp}`))
    assert.equal(ask.balances(filter), known)
  })
  fc.assert(property, { numRuns: 300 })
})

/** The balances of both accounts after each transfer. */
function runningBalances() {
  const debits = new Map<bigint, bigint>()
  const credits = new Map<bigint, bigint>()
  const balances = new Map<string, object>()
  for (const { debit_account_id, credit_account_id, amount, timestamp } of all) {
    debits.set(debit_account_id, (debits.get(debit_account_id) ?? 0n) + amount)
    credits.set(credit_account_id, (credits.get(credit_account_id) ?? 0n) + amount)
    for (const id of [debit_account_id, credit_account_id]) {
      balances.set(`${id} at ${timestamp}`, {
        debits_pending: 0n,
        debits_posted: debits.get(id) ?? 0n,
        credits_pending: 0n,
        credits_posted: credits.get(id) ?? 0n,
        timestamp,
      })
    }
  }
  return balances
}

test('a machine made of a snapshot finds the same', () => {
  const copy = reopened(machine)
  assert.equal(ask.transfers(everything, copy), all)
  assert.equal(ask.accounts(everything, copy), allAccounts)
  const filter = { ...everything, account_id: 2n, flags: 7 }
  assert.equal(ask.balances(filter, copy), ask.balances(filter))
})

test.run()
