/** Damage in PostgreSQL: each kind is planted, and it alone is found, with what it is about. */
import { readLedgerTime } from '../../accounting/clock.ts'
import { mintId } from '../../db/ids.ts'
import type { RecordBreakKind } from '../../server/reconciliation/records/kinds.ts'
import { reconcileRecords, recordsPass } from '../../server/reconciliation/records-pass.ts'
import { catchUp } from '../lib/catch-up.ts'
import { withDamage } from '../lib/damage.ts'
import { type Everything, makeEverything } from '../lib/everything.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('damage in PostgreSQL')

let world: World
let all: Everything
let since: bigint
/** A wallet that nothing has happened to. */
let fresh: string
const strange = mintId()

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'off' } })
  since = await readLedgerTime(world.deps.ledger)
  const four = await world.startAnother({ env: { FOUR_EYES: 'on' } })
  all = await makeEverything(world, four.url)
  fresh = (await world.signUp()).walletId
  await catchUp(world.deps)
})
test.after(() => world.stop())

const anHourMs = 3_600_000

/** The breaks there are, by kind and subject; in an hour everything should be settled. */
async function breaks(isLater = false): Promise<string[]> {
  const nowMs = () => Date.now() + (isLater ? anHourMs : 0)
  const found = await reconcileRecords({ ...world.deps, nowMs }, undefined, { since })
  return found.breaks.map(({ kind, subject }) => `${kind} ${subject}`)
}

interface Damage {
  kind: RecordBreakKind
  tables: readonly string[]
  change: () => string
  /** What the break is about. */
  subject: () => string
  isLater?: boolean
}

const id = (name: string): string => {
  const found = all.ids[name]
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

const update = (
  kind: RecordBreakKind,
  table: string,
  set: string,
  subject: () => string,
  key = 'id',
): Damage => ({
  kind,
  tables: [table],
  change: () => `UPDATE ${table} SET ${set} WHERE ${key} = '${subject()}'`,
  subject,
})

const remove = (
  kind: RecordBreakKind,
  table: string,
  subject: () => string,
  key = 'id',
): Damage => ({
  kind,
  tables: [table],
  change: () => `DELETE FROM ${table} WHERE ${key} = '${subject()}'`,
  subject,
})

const damages: readonly Damage[] = [
  {
    kind: 'wallet_without_account',
    tables: ['wallets'],
    change: () =>
      `INSERT INTO wallets (id, user_id, number, currency, account_created_at)
        SELECT '${strange}', user_id, 1, 'USD', now() FROM wallets WHERE id = '${fresh}'`,
    subject: () => strange,
  },
  remove('account_without_owner', 'wallets', () => fresh),
  update('wallet_differs', 'wallets', `currency = 'EUR'`, () => fresh),
  update('wallet_differs', 'wallets', 'closed_at = now()', () => fresh),
  { ...update('wallet_differs', 'wallets', 'closed_at = NULL', () => id('closed')), isLater: true },
  {
    kind: 'wallet_differs',
    tables: ['wallet_closings'],
    change: () => `DELETE FROM wallet_closings WHERE wallet_id = '${id('closed')}'`,
    subject: () => id('closed'),
  },
  remove('deposit_without_record', 'deposits', () => id('deposit')),
  remove('deposit_without_record', 'deposits', () => id('suspended')),
  update('deposit_without_record', 'deposits', 'input_hash = input_hash + 1', () => id('retried')),
  update('deposit_differs', 'deposits', `reference = 'another'`, () => id('deposit')),
  update('deposit_differs', 'deposits', `named_wallet = '79927398713'`, () => id('deposit')),
  update('deposit_differs', 'deposits', `named_wallet = '79927398713'`, () => id('suspended')),
  {
    kind: 'deposit_differs',
    tables: ['deposits'],
    change: () =>
      `UPDATE deposits SET payment_system_id =
        (SELECT user_id FROM payment_systems WHERE user_id <> '${all.bankId}')
        WHERE id = '${id('retried')}'`,
    subject: () => id('retried'),
  },
  remove('withdrawal_without_record', 'withdrawals', () => id('requested')),
  remove(
    'withdrawal_without_record',
    'withdrawal_outcomes',
    () => id('confirmed'),
    'withdrawal_id',
  ),
  remove('withdrawal_without_record', 'withdrawal_outcomes', () => id('failed'), 'withdrawal_id'),
  {
    kind: 'withdrawal_differs',
    tables: ['withdrawals'],
    change: () =>
      `UPDATE withdrawals SET wallet_id = '${all.ben.walletId}' WHERE id = '${id('requested')}'`,
    subject: () => id('requested'),
  },
  update(
    'withdrawal_differs',
    'withdrawal_outcomes',
    `reference = 'another'`,
    () => id('confirmed'),
    'withdrawal_id',
  ),
  remove('payment_request_without_record', 'payment_requests', () => id('openRequest')),
  update('payment_request_differs', 'payment_requests', 'amount_minor = 1', () => id('request')),
  {
    kind: 'payment_request_differs',
    tables: ['payment_requests'],
    change: () =>
      `UPDATE payment_requests SET payer_user_id = requester_user_id
        WHERE id = '${id('openRequest')}'`,
    subject: () => id('openRequest'),
  },
  remove('return_without_record', 'refunds', () => id('refund')),
  remove('return_without_record', 'reversals', () => id('reversal')),
  update('return_differs', 'refunds', `transfer_id = '${strange}'`, () => id('refund')),
  update('return_differs', 'reversals', `deposit_id = '${strange}'`, () => id('reversal')),
  update('return_differs', 'reversals', `reference = 'another'`, () => id('reversal')),
  remove('exchange_without_quote', 'quotes', () => id('unused')),
  remove('exchange_without_quote', 'quotes', () => id('quote')),
  ...['from_minor', 'to_minor', 'spread_minor', 'fee_minor'].map((column) =>
    update('exchange_differs', 'quotes', `${column} = 1`, () => id('exchange'), 'exchange_id'),
  ),
  remove('approval_without_record', 'approvals', () => id('pending')),
  remove('approval_without_record', 'approvals', () => id('settlement')),
  remove('approval_without_record', 'approval_decisions', () => id('approved'), 'approval_id'),
  update('approval_differs', 'approvals', `body = jsonb_set(body, '{amount}', '"20.01"')`, () =>
    id('settlement'),
  ),
  update(
    'approval_differs',
    'approvals',
    `body = jsonb_set(body, '{payment_system_id}', '"${strange}"')`,
    () => id('settlement'),
  ),
  update(
    'approval_differs',
    'approval_decisions',
    `operator_id = '${strange}'`,
    () => id('approved'),
    'approval_id',
  ),
  {
    kind: 'approval_differs',
    tables: ['approval_effects'],
    change: () => `INSERT INTO approval_effects (approval_id) VALUES ('${id('system')}')`,
    subject: () => id('system'),
  },
  {
    kind: 'declined_but_done',
    tables: ['declines'],
    change: () =>
      `INSERT INTO declines (operation_id, attempt, input_hash, code)
        VALUES ('${id('payment')}', 0, 1, 'insufficient_funds')`,
    subject: () => id('payment'),
  },
  {
    kind: 'declined_but_done',
    tables: ['declines'],
    change: () =>
      `INSERT INTO declines (operation_id, attempt, input_hash, code)
        VALUES ('${id('retried')}', 1, 1, 'recipient_closed')`,
    subject: () => id('retried'),
  },
  ...[
    ['paid', 'amount_minor = 151'],
    ['paid', `status = 'refused'`],
    ['unpaid', `status = 'done'`],
  ].map(
    ([name, set]): Damage => ({
      kind: 'payroll_row_differs',
      tables: ['payroll_items'],
      change: () =>
        `UPDATE payroll_items SET ${set} WHERE place = ${name === 'paid' ? 0 : 1}
          AND payroll_id = '${id('payroll')}'`,
      subject: () => id(name!),
    }),
  ),
  {
    ...update('not_settled', 'withdrawals', 'settled_at = NULL, created_at = now()', () =>
      id('requested'),
    ),
    isLater: true,
  },
  {
    kind: 'not_settled',
    tables: ['payrolls'],
    change: () => `UPDATE payrolls SET state = 'running', progressed_at = now()`,
    subject: () => id('payroll'),
    isLater: true,
  },
  {
    ...remove('not_settled', 'approval_effects', () => id('effected'), 'approval_id'),
    isLater: true,
  },
  remove('read_model_differs', 'lifecycles', () => id('openHold')),
  update('read_model_differs', 'lifecycles', `state = 'open'`, () => id('hold')),
  update('read_model_differs', 'lifecycles', `state = 'voided'`, () => id('openHold')),
  update('read_model_differs', 'lifecycles', 'changed_at = changed_at - 1', () => id('hold')),
  update('read_model_differs', 'lifecycles', 'changed_at = changed_at + 1', () => id('hold')),
  update('read_model_differs', 'lifecycles', 'changed_at = changed_at + 1', () => id('openHold')),
  update('read_model_differs', 'lifecycles', `state = 'open', changed_at = opened_at`, () =>
    id('expired'),
  ),
  update('read_model_differs', 'lifecycles', 'credit_account_id = debit_account_id', () =>
    id('requested'),
  ),
  {
    kind: 'read_model_differs',
    tables: ['lifecycles'],
    change: () =>
      `INSERT INTO lifecycles SELECT kind, '${strange}', debit_account_id, credit_account_id,
        input_hash, opened_at, deadline_at, state, changed_at
        FROM lifecycles WHERE id = '${id('openHold')}'`,
    subject: () => strange,
  },
]

for (const [index, { kind, tables, change, subject, isLater }] of damages.entries()) {
  test(`${kind}, ${index}`, async () => {
    const sql = change()
    const found = await withDamage(world, { tables, change: sql, lock: true }, () =>
      breaks(isLater),
    )
    assert.equal(found, [`${kind} ${subject()}`], sql)
  })
}

for (const change of [
  `UPDATE fee_schedules SET basis_points = 11 WHERE operation = 'exchange'`,
  `UPDATE fee_schedules SET operation = 'payment' WHERE operation = 'exchange'`,
  `DELETE FROM fee_schedules WHERE operation = 'exchange'`,
]) {
  test(`fee_differs of each fee: ${change}`, async () => {
    const found = await withDamage(world, { tables: ['fee_schedules'], change, lock: true }, () =>
      breaks(),
    )
    assert.equal(
      found,
      ['exchange', 'paidByQuote'].map((name) => `fee_differs ${id(name)}`),
    )
  })
}

test('each kind is planted, here or in records.test.ts', () => {
  const planted = new Set(damages.map(({ kind }) => kind))
  const others = Object.keys(recordsPass.kinds).filter((kind) => !planted.has(kind as never))
  assert.equal(others, ['fee_differs', 'read_model_behind'])
})

test('what was mended is clean again', async () => {
  assert.equal(await breaks(true), [])
})

test.run()
