/** What somebody writes into the ledger past Kassa: each is found by its kind, and nothing else. */
import { type Account, AccountFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import {
  bankAccount,
  clearingAccount,
  controlAccount,
  equityAccount,
  feeIncomeAccount,
  liquidityAccount,
  rightsAccount,
} from '../../accounting/accounts.ts'
import {
  AccountCode,
  assetOf,
  ControlCode,
  controlOf,
  TransferCode,
} from '../../accounting/chart.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import { exchangeId } from '../../accounting/exchange.ts'
import { toLedgerId, toUuid } from '../../accounting/ids.ts'
import { attemptId } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import type { RecordBreakKind } from '../../server/reconciliation/records/kinds.ts'
import { reconcileRecords } from '../../server/reconciliation/records-pass.ts'
import { zeroAccount } from '../embedded/lib/zero.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import { type Everything, makeEverything } from '../lib/everything.ts'
import { pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('transfers and accounts made past Kassa')

const usd = assetOf('USD')
/** TigerBeetle's status of what was created. */
const createdStatus = 2 ** 32 - 1
/** Any hash but that of something. */
const someHash = 7

let world: World
let all: Everything
let clearing: string

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'off' } })
  const four = await world.startAnother({ env: { FOUR_EYES: 'on' } })
  all = await makeEverything(world, four.url)
  const { number } = await world.deps.db
    .selectFrom('payment_systems')
    .select('number')
    .where('user_id', '=', all.bankId)
    .executeTakeFirstOrThrow()
  clearing = clearingAccount(number, usd).id
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const id = (name: string): string => {
  const found = all.ids[name]
  if (!found) throw new Error(`there is no ${name}`)
  return found
}

interface Forged {
  from: string
  to: string
  code: number
  amount?: bigint
  operation?: string
  own?: string
  flags?: number
  pendingId?: string
  rule?: bigint
  hash?: number
  isControl?: boolean
}

/** Creates transfers, as one chain, under fresh ids unless told otherwise. Answers their ids. */
async function forge(...legs: Forged[]): Promise<string[]> {
  const ids = legs.map(({ own }) => own ?? mintId())
  const transfers = legs.map(
    (leg, index): Transfer => ({
      id: toLedgerId(ids[index]!),
      debit_account_id: toLedgerId(leg.from),
      credit_account_id: toLedgerId(leg.to),
      amount: leg.amount ?? 0n,
      pending_id: leg.pendingId ? toLedgerId(leg.pendingId) : 0n,
      user_data_128: toLedgerId(leg.operation ?? ids[index]!),
      user_data_64: leg.rule ?? 0n,
      user_data_32: leg.hash ?? someHash,
      timeout: 0,
      ledger: (leg.isControl ? controlOf(usd) : usd).ledger,
      code: leg.code,
      flags:
        (leg.flags ?? 0) | (index < legs.length - 1 ? TransferFlags.linked : TransferFlags.none),
      timestamp: 0n,
    }),
  )
  const results = await world.deps.ledger.createTransfers(transfers)
  assert.equal(
    results.map(({ status }) => status),
    legs.map(() => createdStatus),
  )
  return ids
}

async function forgeAccount(code: number, flags: number): Promise<string> {
  const own = mintId()
  const account: Account = {
    ...zeroAccount,
    id: toLedgerId(own),
    ledger: usd.ledger,
    code,
    flags,
  }
  const [result] = await world.deps.ledger.createAccounts([account])
  assert.is(result?.status, createdStatus)
  return own
}

/** What is found of what was forged, and nothing of what was there before. */
async function finds(
  kind: RecordBreakKind,
  forging: () => Promise<{ subject: string; ledgerIds: string[] }>,
  options: { isLater?: boolean } = {},
): Promise<void> {
  const since = await readLedgerTime(world.deps.ledger)
  const expected = await forging()
  await catchUp(world.deps)
  const nowMs = () => Date.now() + (options.isLater ? 3_600_000 : 0)
  const { breaks } = await reconcileRecords({ ...world.deps, nowMs }, undefined, { since })
  assert.equal(
    breaks.map(({ kind, subject, ledgerIds }) => ({ kind, subject, ledgerIds })),
    [{ kind, ...expected }],
  )
}

/** A forged chain whose first transfer is the one that is told. */
async function first(...legs: Forged[]): Promise<{ subject: string; ledgerIds: string[] }> {
  const [own] = await forge(...legs)
  return { subject: legs[0]!.operation ?? own!, ledgerIds: [own!] }
}

test('an account that nobody has', async () => {
  const wallet = AccountFlags.debits_must_not_exceed_credits | AccountFlags.history
  const owing = AccountFlags.credits_must_not_exceed_debits | AccountFlags.history
  const make = async (code: number, flags: number) => {
    const own = await forgeAccount(code, flags)
    return { subject: own, ledgerIds: [own] }
  }
  await finds('account_without_owner', () => make(AccountCode.wallet, wallet))
  await finds('account_without_owner', () => make(AccountCode.receivable, owing))
  await finds('account_without_owner', () => make(AccountCode.clearing, owing))
})

test('a deposit that nobody has told of, and one that is booked twice', async () => {
  const deposit = { from: clearing, to: all.ada.walletId, code: TransferCode.deposit }
  await finds('deposit_without_record', () => first({ ...deposit, amount: 100n }))
  const operation = id('deposit')
  const [told] = await world.deps.ledger.lookupTransfers([toLedgerId(attemptId(operation, 0))])
  const again = { ...deposit, amount: told!.amount, operation, hash: told!.user_data_32 }
  await finds('deposit_differs', () => first(again))
  await finds('deposit_differs', () => first({ ...again, own: attemptId(operation, 3) }))
  const more = { ...again, amount: told!.amount + 1n, own: attemptId(operation, 4) }
  await finds('deposit_differs', () => first(more))
})

test('a withdrawal that nobody asked for, or that ended without a word', async () => {
  const withdrawal = { from: all.ada.walletId, to: clearing, code: TransferCode.withdrawal }
  const operation = mintId()
  const pending = { ...withdrawal, own: operation, operation, amount: 5n }
  await finds('withdrawal_without_record', () =>
    first({ ...pending, flags: TransferFlags.pending }),
  )
  const pendingId = id('requested')
  const post = { ...withdrawal, pendingId, operation: pendingId, amount: 1200n }
  await finds('withdrawal_without_record', () =>
    first({ ...post, flags: TransferFlags.post_pending_transfer }),
  )
})

test('a request for money that nobody made, and one that is accepted without a payment', async () => {
  const { debit_account_id } = (
    await world.deps.ledger.lookupTransfers([toLedgerId(id('openRequest'))])
  )[0]!
  const operation = mintId()
  const right = { from: toUuid(debit_account_id), to: controlAccount(usd).id, isControl: true }
  const request = { ...right, code: ControlCode.request }
  await finds('payment_request_without_record', () =>
    first({ ...request, own: operation, operation, amount: 1n, flags: TransferFlags.pending }),
  )
  const pendingId = id('openRequest')
  const [asked] = await world.deps.ledger.lookupTransfers([toLedgerId(pendingId)])
  const use = { ...request, pendingId, operation: pendingId, hash: asked!.user_data_32 }
  await finds('payment_request_differs', () =>
    first({ ...use, flags: TransferFlags.post_pending_transfer }),
  )
})

test('money that is given back and nobody said why', async () => {
  const refund = { from: all.ben.walletId, to: all.ada.walletId, code: TransferCode.refund }
  await finds('return_without_record', () => first({ ...refund, amount: 1n }))
})

test('an exchange, or the right to one, that was not quoted', async () => {
  const operation = mintId()
  const right = { from: rightsAccount(usd).id, to: controlAccount(usd).id, isControl: true }
  const quote = { ...right, code: ControlCode.quote, own: operation, operation }
  await finds('exchange_without_quote', () => first({ ...quote, flags: TransferFlags.pending }))
  const from = all.ada.walletId
  const sale = { from, to: liquidityAccount(usd).id, code: TransferCode.exchange_sale, amount: 1n }
  await finds('exchange_without_quote', () => first({ ...sale, operation: exchangeId(mintId()) }))
})

test('what the house has booked without an approval', async () => {
  const funding = { from: bankAccount(usd).id, to: liquidityAccount(usd).id }
  const leg = { ...funding, code: TransferCode.liquidity_funding, amount: 100n }
  await finds('approval_without_record', () => first(leg))
  await finds('approval_without_record', () => {
    const pendingId = id('pending')
    const right = { from: rightsAccount(usd).id, to: controlAccount(usd).id, isControl: true }
    const use = { ...right, pendingId, operation: pendingId, code: ControlCode.approval }
    return first({ ...use, flags: TransferFlags.post_pending_transfer })
  })
})

test('a fee by no schedule', async () => {
  const fee = { from: all.ada.walletId, to: feeIncomeAccount(usd).id, code: TransferCode.fee }
  await finds('fee_differs', () => first({ ...fee, amount: 1n, rule: 10n ** 12n }))
})

test('a wallet that is closed past its owner', async () => {
  const { walletId } = await world.signUp()
  const closing = { from: equityAccount(usd).id, to: walletId, operation: walletId }
  const flags = TransferFlags.pending | TransferFlags.closing_credit
  await finds('wallet_differs', () => first({ ...closing, flags, code: TransferCode.closure }), {
    isLater: true,
  })
  const other = (await world.signUp()).walletId
  const attempt = { ...closing, to: other, operation: other, flags, code: TransferCode.closing }
  await finds('wallet_differs', () => first(attempt))
})

test('a payment that was declined and is made all the same', async () => {
  const input = {
    to_wallet_id: all.ben.walletId,
    amount: '4900.00',
    from_wallet_id: all.ada.walletId,
  }
  await must(pay(all.ada.client, input, unique('declined')), 422)
  const { operation_id } = await world.deps.db
    .selectFrom('declines')
    .select('operation_id')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  const payment = { from: all.ada.walletId, to: all.ben.walletId, code: TransferCode.payment }
  // The ledger has burnt the id itself: what is left is the id of an attempt.
  const own = attemptId(operation_id, 0)
  await finds('declined_but_done', async () => {
    await forge({ ...payment, amount: 1n, operation: operation_id, own })
    return { subject: operation_id, ledgerIds: [own] }
  })
})

test.run()
