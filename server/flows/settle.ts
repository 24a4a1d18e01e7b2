import { LedgerOutcomeUnknown, LedgerUnavailable } from '../../accounting/client.ts'
import type { Uuid } from '../../accounting/ids.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import {
  type Decline,
  type DescriptionKey,
  findLastDecline,
  insertDeclines,
} from '../../db/descriptions.ts'
import { isUnavailable } from '../../db/errors.ts'
import { type IntentTable, markSettled } from '../../db/intents.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'

const retryAfterSeconds = 5

/**
 * Waits for a submission to the ledger. When its outcome stays unknown, says so with the operation's
 * id: doubt is never told as a decline.
 * Refusal: outcome_unknown.
 */
export async function settle<T>(operationId: Uuid, submission: Promise<T>): Promise<T> {
  try {
    return await submission
  } catch (error) {
    if (!(error instanceof LedgerOutcomeUnknown)) throw error
    throw refuseDoubt(operationId, 'The ledger has not answered yet.')
  }
}

/**
 * Waits for what an answer still needs once the ledger has carried out an operation. When a server
 * is away then, "nothing was done" is not true any more.
 * Refusal: outcome_unknown.
 */
export async function afterMoving<T>(operationId: Uuid, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    const isLedgerAway = error instanceof LedgerUnavailable || error instanceof LedgerOutcomeUnknown
    if (!isLedgerAway && !isUnavailable(error)) throw error
    throw refuseDoubt(operationId, 'What has become of it cannot be read now.')
  }
}

/** Says that something may have happened, and `what` is not known. */
export function refuseDoubt(operationId: Uuid, what: string): Refusal {
  return new Refusal('outcome_unknown', {
    detail: `${what} The same request with the same key tells the truth.`,
    retryAfterSeconds,
    extra: { operation_id: operationId },
  })
}

/** What a decline of the ledger means for a payment out of one wallet into another account. */
export const declineCodes = {
  exceeds_credits: 'insufficient_funds',
  debit_account_not_found: 'wallet_not_found',
  debit_account_already_closed: 'wallet_closed',
  credit_account_not_found: 'recipient_not_found',
  credit_account_already_closed: 'recipient_closed',
  // Neither a pending transfer nor an account with a debit balance is on the credit side here.
  exceeds_debits: 'declined',
  pending_transfer_not_found: 'declined',
} as const satisfies Record<PassingReason, RefusalCode>

/** What a transfer that the ledger refuses at any time means. Throws for what only a bug can cause. */
export function refuseInvalid(status: string): Refusal {
  if (status === 'accounts_must_have_the_same_ledger') return new Refusal('currency_mismatch')
  if (status === 'accounts_must_be_different') return new Refusal('same_wallet')
  if (status.startsWith('overflows_')) return new Refusal('amount_too_large')
  throw new Error(`the ledger refused a transfer: ${status}`)
}

type DeclineOfCode = Decline & { code: RefusalCode }

/** The attempt at an operation that comes after those whose decline was kept; it may be burnt as well. */
export async function nextAttempt(db: Deps['db'], operationId: Uuid): Promise<number> {
  const last = await findLastDecline(db, operationId)
  return last ? last.attempt + 1 : 0
}

/** Keeps the reason of a decline for replays. */
export async function keepDecline(
  deps: Pick<Deps, 'db' | 'log'>,
  decline: DeclineOfCode,
): Promise<void> {
  await keepDeclines(deps, [decline])
}

/**
 * Keeps the reasons of declines for replays. Without them the answer is still a decline, only a replay
 * cannot say why: so a failure is logged and goes no further.
 */
export async function keepDeclines(
  deps: Pick<Deps, 'db' | 'log'>,
  declines: readonly DeclineOfCode[],
): Promise<void> {
  try {
    await insertDeclines(deps.db, declines)
  } catch (error) {
    const [first] = declines
    const facts = { err: error, operationId: first?.operationId, count: declines.length }
    deps.log.warn(facts, 'the reason of a decline was not kept')
  }
}

/** Notes that an intent is settled. Without that recovery finds out later: a failure goes no further. */
export async function settleIntent(
  deps: Pick<Deps, 'db' | 'log'>,
  table: IntentTable,
  id: Uuid,
): Promise<void> {
  try {
    await markSettled(deps.db, table, [id])
  } catch (error) {
    deps.log.warn({ err: error, id }, 'an intent was not noted as settled')
  }
}

/** The refusal of an operation that was declined before under its key: with the reason of then. */
export async function refuseAgain(
  deps: Pick<Deps, 'db'>,
  { operationId, inputHash }: DescriptionKey,
): Promise<Refusal> {
  const decline = await findLastDecline(deps.db, operationId)
  const wasAsked = decline && decline.code !== ('abandoned' satisfies RefusalCode)
  if (wasAsked && decline.inputHash !== inputHash) return new Refusal('idempotency_key_reused')
  return new Refusal((decline?.code as RefusalCode | undefined) ?? 'declined', {
    headers: { 'Idempotency-Replayed': 'true' },
  })
}
