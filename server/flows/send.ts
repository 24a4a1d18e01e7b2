import { readBalances } from '../../accounting/accounts.ts'
import { assetOf, assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import { computeUuid, hashInput, type Uuid } from '../../accounting/ids.ts'
import {
  compare,
  findOperation,
  type Plan,
  type StoredOperation,
  type Submission,
  submitOnce,
} from '../../accounting/transfers.ts'
import { findLastDecline, findMemos } from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, readCanonicalAmount, readCurrency, showAmount } from './amount.ts'
import { type Recipient, type Route, resolveRoute } from './resolve-wallets.ts'
import { declineCodes, keepDecline, refuseInvalid, settle } from './settle.ts'

export interface SendInput {
  fromWalletId?: string | undefined
  to: Recipient
  /** Decimal text in major units. */
  amount: string
  currency?: string | undefined
  memo?: string | undefined
}

/** A payment that has happened. */
export interface Payment {
  id: Uuid
  fromWalletId: Uuid
  toWalletId: Uuid
  amountMinor: bigint
  currency: string
  memo: string | null
  /** Nanoseconds since 1970. */
  timestamp: bigint
}

type SendDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'memos'>

/**
 * Pays from one of the caller's wallets into another wallet: debit payer, credit payee.
 *
 * With an idempotency key the payment happens at most once: the same key with the same input answers
 * what happened the first time (`replayed`), also a decline. Without a memo and with the recipient's
 * wallet id it costs no query to PostgreSQL.
 * Refusals: those of amounts and of resolveRoute, insufficient_funds, wallet_closed, recipient_closed,
 * declined, idempotency_key_reused, outcome_unknown.
 */
export async function send(
  deps: SendDeps,
  caller: Customer,
  input: SendInput,
  idempotencyKey: string | undefined,
): Promise<{ payment: Payment; replayed: boolean }> {
  const inputHash = hashSend(input)
  const operationId =
    idempotencyKey === undefined
      ? mintId()
      : computeUuid('operation', caller.userId, idempotencyKey)
  const key = { operationId, inputHash }

  const plan = await planOrReplay(deps, caller, input, key, idempotencyKey !== undefined)
  if ('replay' in plan) return { payment: toPayment(plan.replay, input.memo), replayed: true }
  if (input.memo !== undefined) await deps.memos.add({ ...key, memo: input.memo })

  const submission = await settle(operationId, submitOnce(deps.ledger, plan))
  switch (submission.kind) {
    case 'done':
      return { payment: toPayment(submission.operation, input.memo), replayed: submission.replayed }
    case 'conflict':
      throw new Refusal('idempotency_key_reused')
    case 'invalid':
      throw refuseInvalid(submission.status)
    case 'declined':
      throw await refuseDecline(deps, plan, submission)
    default:
      throw submission satisfies never
  }
}

/** The canonical input: what the caller wrote, before anything is looked up. */
function hashSend({ fromWalletId, to, amount, currency, memo }: SendInput): number {
  const recipient = to.kind === 'wallet' ? to.wallet : to.username
  const parts = [fromWalletId, to.kind, recipient, readCanonicalAmount(amount), currency, memo]
  return hashInput('payment', ...parts.map((part) => part ?? null))
}

/**
 * Plans the payment. What the caller wrote can have lost its meaning since the first try (a second
 * wallet makes the paying one ambiguous): a payment that has happened is still answered as a replay.
 */
async function planOrReplay(
  deps: SendDeps,
  caller: Customer,
  input: SendInput,
  key: { operationId: Uuid; inputHash: number },
  mayHaveHappened: boolean,
): Promise<Plan | { replay: StoredOperation }> {
  try {
    if (input.currency !== undefined) readCurrency(input.currency)
    const { fromWalletId, to, currency } = input
    const route = await resolveRoute(deps, caller, { fromWalletId, to, currency })
    return planPayment(route, input, key)
  } catch (error) {
    if (!(error instanceof Refusal) || !mayHaveHappened) throw error
    const happened = await findOperation(deps.ledger, key.operationId)
    if (!happened) throw error
    if (compare(key, happened).kind === 'conflict') throw new Refusal('idempotency_key_reused')
    return { replay: happened }
  }
}

function planPayment(
  { from, toWalletId }: Route,
  input: SendInput,
  key: { operationId: Uuid; inputHash: number },
): Plan {
  const asset = assetOf(from.currency)
  const leg = {
    debitAccountId: from.id,
    creditAccountId: toWalletId,
    amountMinor: readAmount(input.amount, asset),
    asset,
    code: TransferCode.payment,
  }
  return { ...key, legs: [leg] }
}

function toPayment(operation: StoredOperation, memo: string | undefined): Payment {
  return {
    id: operation.operationId,
    fromWalletId: operation.debitAccountId,
    toWalletId: operation.creditAccountId,
    amountMinor: operation.amountMinor,
    currency: assetOfLedger(operation.ledger).currency,
    memo: memo ?? null,
    timestamp: operation.timestamp,
  }
}

/** The refusal for a decline that is final by now; its reason is kept for replays. */
async function refuseDecline(
  deps: SendDeps,
  plan: Plan,
  { reason }: Extract<Submission, { kind: 'declined' }>,
): Promise<Refusal> {
  if (!reason) return refuseAgain(deps, plan)
  const code = declineCodes[reason]
  const { operationId, inputHash } = plan
  await keepDecline(deps, { operationId, inputHash, attempt: 0, code })
  return explain(deps, plan, code)
}

async function refuseAgain(deps: SendDeps, plan: Plan): Promise<Refusal> {
  const decline = await findLastDecline(deps.db, plan.operationId)
  if (decline && decline.inputHash !== plan.inputHash) return new Refusal('idempotency_key_reused')
  return new Refusal((decline?.code as RefusalCode | undefined) ?? 'declined', {
    headers: { 'Idempotency-Replayed': 'true' },
  })
}

/** Tells the owner, and nobody else, what is there and what would be needed. */
async function explain(deps: SendDeps, plan: Plan, code: RefusalCode): Promise<Refusal> {
  if (code !== 'insufficient_funds') return new Refusal(code)
  const [{ debitAccountId, amountMinor, asset }] = plan.legs
  const balances = await readBalances(deps.ledger, [debitAccountId]).catch(() => undefined)
  const balance = balances?.get(debitAccountId)
  if (!balance) return new Refusal(code)
  const available = showAmount(balance.availableMinor, asset.currency)
  const required = showAmount(amountMinor, asset.currency)
  return new Refusal(code, {
    detail: `${required} ${asset.currency} were to be paid, ${available} are available.`,
    extra: { available, required, currency: asset.currency },
  })
}

/**
 * A payment that one of the caller's wallets has sent or received.
 * Refusal: transfer_not_found, also for other people's transfers.
 */
export async function readPayment(
  deps: Pick<Deps, 'db' | 'ledger'>,
  caller: Customer,
  id: Uuid,
): Promise<Payment> {
  const operation = await findOperation(deps.ledger, id)
  const isParty =
    operation?.code === TransferCode.payment &&
    caller.wallets.some(
      (wallet) => wallet.id === operation.debitAccountId || wallet.id === operation.creditAccountId,
    )
  if (!operation || !isParty) throw new Refusal('transfer_not_found')
  const memos = await findMemos(deps.db, [operation])
  return toPayment(operation, memos.get(operation.operationId))
}
