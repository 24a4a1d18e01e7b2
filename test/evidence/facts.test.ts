/** Every kind of fact is in the chain, each column of it that is said to be, at the right interval. */
import { sql } from 'kysely'
import { TransferCode } from '../../accounting/chart.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { checkBooks } from '../lib/books.ts'
import { assertFirst, assertSame, closeAll, evidenceKeyText, tampered } from '../lib/evidence.ts'
import { readDocument } from '../lib/examples.ts'
import { addLiquidity, exchange, freshAsset, quoted, setRate } from '../lib/exchange.ts'
import { setFee } from '../lib/fees.ts'
import type { Client, Json } from '../lib/http.ts'
import { setLimit } from '../lib/limits.ts'
import { fund, openWallet, pay, unique } from '../lib/money.ts'
import { accept, asked, type NamedPerson, signUpNamed } from '../lib/payment-requests.ts'
import { assert, suite } from '../lib/suite.ts'
import { addOperator, adjust, approve } from '../lib/treasury.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('facts in the chain of evidence')

let world: World
let bank: Client
let operator: Client
let ada: NamedPerson
let grace: NamedPerson
/** By what was done, the number of the interval that has it. */
const intervals: Record<string, number> = {}

test.before(async () => {
  world = await createWorld({ env: { EVIDENCE_KEY: evidenceKeyText, FOUR_EYES: 'on' } })
  bank = await world.paymentSystem()
  operator = await world.operator()
  ada = await signUpNamed(world, 'ada')
  grace = await signUpNamed(world, 'grace')
  for (const [name, act] of Object.entries(story)) {
    await act()
    intervals[name] = await closeAll(world.deps)
    assert.is(Object.values(intervals).filter((it) => it === intervals[name]).length, 1, name)
  }
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const step = (path: string, json?: Json) =>
  must(bank.send('POST', path, json === undefined ? {} : { json }), 200)

/** What happens, each in an interval of its own. */
const story: Record<string, () => Promise<unknown>> = {
  async deposit() {
    const told = { sender: 'Ada', details: 'Salary', reference: unique('first') }
    const input = { wallet_id: ada.walletId, amount: '500.00', currency: 'USD', ...told }
    const { id } = await must(bank.post('/v1/deposits', input), 201)
    deposit = id
  },
  async memo() {
    const input = { to_wallet_id: grace.walletId, amount: '10', memo: 'Lunch' }
    await must(pay(ada.client, input), 201)
  },
  async refund() {
    const payment = await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '9' }), 201)
    const path = `/v1/transfers/${payment.id}/refunds`
    await must(grace.client.post(path, { reason: 'Too much' }), 201)
  },
  async request() {
    const request = await asked(grace, ada, { memo: 'Taxi' })
    await must(accept(request, ada.client), 201)
  },
  async withdrawal() {
    const user = (await must(bank.get('/v1/session'), 200)).user
    const input = { wallet_id: ada.walletId, amount: '5', payment_system: user.id }
    const destination = 'DE89 3704 0044 0532 0130 00'
    const asked = await must(ada.client.post('/v1/withdrawals', { ...input, destination }), 201)
    await step(`/v1/withdrawals/${asked.id}/take`)
    await step(`/v1/withdrawals/${asked.id}/fail`, { reason: 'No such account' })
  },
  async reversal() {
    const { id } = await fund(bank, grace.walletId, '3.00')
    const told = { reason: 'Card stolen', reference: unique('back') }
    await must(bank.post(`/v1/deposits/${id}/reversals`, told), 201)
  },
  async approval() {
    const other = await addOperator(world, operator)
    const input = { kind: 'equity_contribution', amount: '10.00' }
    await must(approve(await must(adjust(operator, input), 202), other.client), 200)
  },
  async exchange() {
    const [gold, coin] = [await freshAsset(world, 2), await freshAsset(world, 6)]
    for (const { currency } of [gold, coin]) {
      await addLiquidity(world.deps.ledger, currency, 10n ** 12n)
    }
    await must(setRate(operator, `${gold.currency}/${coin.currency}`, '2.5'), 200)
    const [from, to] = [gold.currency, coin.currency]
    const wallet = await openWallet(ada.client, from)
    await openWallet(ada.client, to)
    await fund(bank, wallet.id, '100.00', from)
    const quote = await quoted(ada.client, { from, to, amount: '10.00' })
    await must(exchange(ada.client, quote), 201)
  },
  async fee() {
    await setFee(operator, 'payment', { fixed: '0.10' })
    await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '1' }), 201)
  },
  async limit() {
    await setLimit(operator, ada.userId, '100.00')
    await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '1' }), 201)
  },
  async limit_default() {
    const path = '/v1/limit-defaults'
    const json = { kind: 'person', currency: 'USD', window: 'month', amount: '1000.00' }
    await must(operator.send('PUT', path, { json }), 200)
    await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '1' }), 201)
  },
}
let deposit = ''

/** By table, what was done that it describes first, and its columns that are not in the chain. */
const tables: Record<string, [happening: string, without?: string[]]> = {
  deposits: ['deposit'],
  wallets: ['deposit', ['account_created_at', 'closed_at']],
  currencies: ['deposit', ['number', 'name', 'closed_at']],
  memos: ['memo'],
  refunds: ['refund'],
  payment_requests: ['request', ['settled_at']],
  withdrawals: ['withdrawal', ['destination', 'destination_hint', 'settled_at']],
  withdrawal_outcomes: ['withdrawal'],
  reversals: ['reversal'],
  approvals: ['approval'],
  approval_decisions: ['approval'],
  quotes: ['exchange'],
  exchange_rates: ['exchange', ['number', 'id', 'pair', 'created_at']],
  fee_schedules: ['fee', ['number', 'id', 'input_hash']],
  limits: ['limit', ['id']],
  limit_defaults: ['limit_default', ['id']],
}

const otherValues: Record<string, (column: string) => string> = {
  text: (column) => `coalesce(${column}, '') || 'x'`,
  uuid: () => 'gen_random_uuid()',
  numeric: (column) => `coalesce(${column}, 0) + 1`,
  bigint: (column) => `coalesce(${column}, 0) + 1`,
  integer: (column) => `${column} + 1`,
  smallint: (column) => `${column} + 1`,
  boolean: (column) => `NOT ${column}`,
  jsonb: () => `'{}'`,
  'timestamp with time zone': (column) => `${column} + interval '1 microsecond'`,
}

async function columnsOf(table: string): Promise<{ name: string; type: string }[]> {
  const { rows } = await sql<{ name: string; type: string }>`
    SELECT quote_ident(column_name) AS name, data_type AS type
    FROM information_schema.columns WHERE table_name = ${table}`.execute(world.deps.db)
  return rows
}

/** Tampers, and asserts at which interval that is found. */
const found = (tampering: string, number: number | undefined) =>
  tampered(world.deps, tampering, (trx) =>
    assertFirst({ ...world.deps, db: trx }, number ?? 0, 'postgresql', tampering),
  )

test('what happened is in the chain as it is there', async () => {
  await assertSame(world.deps)
})

test('a change of any column is found at the interval that has the fact first', async () => {
  await sql`
    DO $$ DECLARE it record; BEGIN
      FOR it IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace
      LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', it.name, it.conname); END LOOP;
    END $$`.execute(world.deps.db)
  let count = 0
  for (const [table, [happening, without = []]] of Object.entries(tables)) {
    for (const { name, type } of await columnsOf(table)) {
      if (without.includes(name)) continue
      const value = otherValues[type]?.(name)
      await found(`UPDATE ${table} SET ${name} = ${value}`, intervals[happening])
      count += 1
    }
  }
  assert.ok(count > 70, `${count} columns`)
})

test('rows that are gone are found', async () => {
  for (const [table, [happening]] of Object.entries(tables)) {
    await found(`DELETE FROM ${table}`, intervals[happening])
  }
})

test('a text that is put beside a transfer later is found', async () => {
  const [transfer] = await world.deps.ledger.queryTransfers({
    ...{
      user_data_128: toLedgerId(deposit),
      user_data_64: 0n,
      user_data_32: 0,
      ledger: 0,
      flags: 0,
    },
    ...{ code: TransferCode.deposit, timestamp_min: 0n, timestamp_max: 0n, limit: 1 },
  })
  const insert = 'INSERT INTO memos (transfer_id, input_hash, memo)'
  const values = `VALUES ('${deposit}', ${transfer?.user_data_32}, 'made up')`
  await found(`${insert} ${values}`, intervals.deposit)
})

test('a text or a salt that went alone is found, whoever made it go', async () => {
  await found('UPDATE memos SET memo = NULL', intervals.memo)
  await found('UPDATE evidence_digests SET salt = NULL', intervals.deposit)
  await found(`UPDATE evidence_digests SET digest = '\\x00', salt = NULL`, intervals.deposit)
  await found('DELETE FROM evidence_digests', intervals.deposit)
})

test('what docs/evidence.md says to be erasable can be erased, and the chain stays as it is', async () => {
  const document = await readDocument('docs/evidence.md')
  const [, block = ''] = /```sql\n(.*?)```/s.exec(document) ?? []
  const statements = block.trim().split('\n')
  assert.is(statements.length, 5)
  for (const statement of statements) {
    await sql.raw(statement.replace(/ WHERE .*/, '')).execute(world.deps.db)
  }
  await assertSame(world.deps)
  const { rows } = await sql<{ kind: string }>`
    SELECT DISTINCT kind FROM evidence_digests WHERE salt IS NOT NULL ORDER BY kind`.execute(
    world.deps.db,
  )
  const kept = ['approval', 'reversal']
  assert.equal(
    rows.map(({ kind }) => kind),
    kept,
  )
})

test.run()
