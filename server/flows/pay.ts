import { readBalances } from '../../accounting/accounts.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { computeUuid, hashInput, type Uuid } from '../../accounting/ids.ts'
import type { Leg } from '../../accounting/legs.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import {
  compare,
  findOperation,
  type Plan,
  principalOf,
  type StoredOperation,
  type Submission,
  submitOnce,
} from '../../accounting/transfers.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import { mintId } from '../../db/ids.ts'
import type { Caller, Customer, Payer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, readCanonicalAmount, readCurrency, showAmount } from './amount.ts'
import { type Recipient, resolveRoute } from './resolve-wallets.ts'
import { declineCodes, keepDecline, refuseAgain, refuseInvalid, settle } from './settle.ts'
import type { WalletFinder } from './wallet-finder.ts'

/** What somebody who pays writes down. */
export interface PayInput {
  fromWalletId?: string | undefined
  to: Recipient
  /** Decimal text in major units. */
  amount: string
  currency?: string | undefined
  memo?: string | undefined
}

/** How the money moves: at once, or held for a time. */
export interface PayTerms {
  name: 'payment' | 'hold'
  code: TransferCode
  timeoutSeconds?: number
}

/** A payment that happens at once. */
export const paymentTerms: PayTerms = { name: 'payment', code: TransferCode.payment }

export type PayDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'memos' | 'settings'>

/** Names an operation of a caller: by the caller's key, or afresh when there is none. */
export function nameOperation(
  caller: Pick<Caller, 'userId'>,
  idempotencyKey: string | undefined,
): Uuid {
  return idempotencyKey === undefined
    ? mintId()
    : computeUuid('operation', caller.userId, idempotencyKey)
}

/**
 * One leg out of one of the caller's wallets into another wallet.
 *
 * With an idempotency key it happens at most once: the same key with the same input answers what
 * happened the first time (`replayed`), also a decline. Without a memo and with the recipient's
 * wallet id it costs no query to PostgreSQL.
 * Refusals: those of amounts and of resolveRoute, insufficient_funds, wallet_closed, recipient_closed,
 * declined, idempotency_key_reused, outcome_unknown.
 */
export async function pay(
  deps: PayDeps,
  caller: Customer,
  input: PayInput,
  terms: PayTerms,
  idempotencyKey: string | undefined,
): Promise<{ operation: StoredOperation; replayed: boolean }> {
  const operationId = nameOperation(caller, idempotencyKey)
  const key = { operationId, inputHash: hashPay(input, terms) }

  const isKeyed = idempotencyKey !== undefined
  const plan = await planOrReplay(deps, key, isKeyed, () =>
    planPayment(deps, caller, input, terms, key),
  )
  if ('replay' in plan) return { operation: plan.replay, replayed: true }
  if (input.memo !== undefined) await deps.memos.add({ ...key, memo: input.memo })

  const submission = await settle(operationId, submitOnce(deps.ledger, plan))
  return readSubmission(deps, plan, submission)
}

/**
 * What an operation by key has become; what is not done is refused, by `codes` when the ledger has
 * declined. A decline is final, so its reason is kept for replays.
 * Refusals: idempotency_key_reused, amount_too_large, those of `codes`, declined, abandoned.
 */
export async function readSubmission(
  deps: Pick<Deps, 'db' | 'ledger' | 'log'>,
  plan: Plan,
  submission: Submission,
  codes: Readonly<Record<PassingReason, RefusalCode>> = declineCodes,
): Promise<{ operation: StoredOperation; replayed: boolean }> {
  switch (submission.kind) {
    case 'done':
      return { operation: submission.operation, replayed: submission.replayed }
    case 'conflict':
      throw new Refusal('idempotency_key_reused')
    case 'invalid':
      throw refuseInvalid(submission.status)
    case 'declined': {
      if (!submission.reason) throw await refuseAgain(deps, plan)
      const code = codes[submission.reason]
      const { operationId, inputHash } = plan
      await keepDecline(deps, { operationId, inputHash, attempt: 0, code })
      throw await explainDecline(deps, principalOf(plan), code)
    }
    default:
      throw submission satisfies never
  }
}

/** The canonical input: what the caller wrote, before anything is looked up. */
function hashPay(input: PayInput, terms: PayTerms): number {
  const amount = readCanonicalAmount(input.amount)
  const time = terms.timeoutSeconds === undefined ? [] : [terms.timeoutSeconds]
  return hashInput(terms.name, ...toHashParts({ ...input, amount }), ...time)
}

/** What of a payment its hash covers; the amount is taken as it is. */
export function toHashParts(input: PayInput): (string | null)[] {
  const { fromWalletId, to, amount, currency, memo } = input
  const recipient = to.kind === 'wallet' ? to.wallet : to.username
  return [fromWalletId, to.kind, recipient, amount, currency, memo].map((part) => part ?? null)
}

/**
 * Plans an operation by key. What the caller wrote can have lost its meaning since the first try (a
 * second wallet makes the paying one ambiguous): what has happened is still answered as a replay.
 */
export async function planOrReplay<Planned extends object>(
  deps: Pick<Deps, 'ledger'>,
  key: DescriptionKey,
  mayHaveHappened: boolean,
  plan: () => Promise<Planned>,
): Promise<Planned | { replay: StoredOperation }> {
  try {
    return await plan()
  } catch (error) {
    if (!(error instanceof Refusal) || !mayHaveHappened) throw error
    const happened = await findOperation(deps.ledger, key.operationId)
    if (!happened) throw error
    if (compare(key, happened).kind === 'conflict') throw new Refusal('idempotency_key_reused')
    return { replay: happened }
  }
}

/**
 * The legs of a payment; nothing is submitted. Many are planned at once with a finder in common, which
 * then looks up all their wallets together.
 * Refusals: currency_not_supported, those of amounts and of resolveRoute.
 */
export async function planPayment(
  deps: PayDeps,
  caller: Payer,
  input: PayInput,
  terms: PayTerms,
  key: DescriptionKey,
  finder?: WalletFinder,
): Promise<Plan> {
  const { fromWalletId, to, currency } = input
  if (currency !== undefined) await readCurrency(deps, currency)
  const wanted = { fromWalletId, to, currency }
  const { from, toWalletId } = await resolveRoute(deps, caller, wanted, finder)
  const asset = assetOf(from.currency)
  const leg = {
    debitAccountId: from.id,
    creditAccountId: toWalletId,
    amountMinor: readAmount(input.amount, asset),
    asset,
    code: terms.code,
    ...(terms.timeoutSeconds === undefined ? {} : { timeoutSeconds: terms.timeoutSeconds }),
  }
  return { ...key, legs: [leg] }
}

/**
 * The refusal of a payment that the ledger has declined. It tells the owner of the paying wallet, and
 * nobody else, what is there and what would be needed.
 */
export async function explainDecline(
  deps: Pick<Deps, 'ledger'>,
  { debitAccountId, amountMinor, asset }: Pick<Leg, 'debitAccountId' | 'amountMinor' | 'asset'>,
  code: RefusalCode,
): Promise<Refusal> {
  if (code !== 'insufficient_funds') return new Refusal(code)
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
