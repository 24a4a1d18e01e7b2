import { assetOf, assetOfLedger, TransferCode } from '../../accounting/chart.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import { type Fee, findFee } from '../../accounting/fees.ts'
import { captureHold, capturesMax, type Hold, readHold, voidHold } from '../../accounting/holds.ts'
import { hashInput, type Uuid } from '../../accounting/ids.ts'
import type { PassingReason } from '../../accounting/outcome.ts'
import type { Step } from '../../accounting/steps.ts'
import { compare, findOperation, type StoredOperation } from '../../accounting/transfers.ts'
import { findMemos } from '../../db/descriptions.ts'
import { ofAccounts } from '../../db/lifecycles.ts'
import { type Customer, type Operator, speaksFor } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal, type RefusalCode } from '../refusals.ts'
import { readAmount, readCanonicalAmount, showAmount } from './amount.ts'
import { planFee } from './fees.ts'
import { listFollowed, readSome } from './followed-list.ts'
import { toLedgerTime } from './ledger-time.ts'
import { nameOperation, type PayInput, pay } from './pay.ts'
import {
  afterMoving,
  declineCodes,
  keepDecline,
  refuseAgain,
  refuseInvalid,
  settle,
} from './settle.ts'

export interface HoldInput extends PayInput {
  expiresInSeconds: number
}

/** A hold with what describes it. */
export interface DescribedHold extends Hold {
  currency: string
  memo: string | null
}

type HoldDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'memos' | 'settings' | 'nowMs'>

/**
 * Authorises a payment: the payer's available balance falls at once, nothing is posted until the payee
 * captures. Refusals: those of pay.
 */
export async function placeHold(
  deps: HoldDeps,
  caller: Customer,
  input: HoldInput,
  idempotencyKey: string | undefined,
): Promise<{ hold: DescribedHold; replayed: boolean }> {
  const { expiresInSeconds: timeoutSeconds, ...what } = input
  const terms = { name: 'hold', code: TransferCode.hold, timeoutSeconds } as const
  const { operation, replayed } = await pay(deps, caller, what, terms, idempotencyKey)
  const { operationId: id } = operation
  const hold = await afterMoving(id, readHold(deps.ledger, id, now(deps)))
  if (!hold) throw new Error(`hold ${id} was placed and is not there`)
  return { hold: describe(hold, input.memo), replayed }
}

export interface CaptureInput {
  /** Decimal text in major units; everything that is held when it is left out. */
  amount?: string | undefined
  /** False keeps the rest held for further captures. */
  isFinal: boolean
}

/** A capture that has happened. */
export interface Captured {
  id: Uuid
  hold: DescribedHold
  amountMinor: bigint
  /** What the payee has paid for it, out of the amount. */
  fee: Fee | undefined
  /** Nanoseconds since 1970. */
  timestamp: bigint
  replayed: boolean
}

/** Each turn that loses a race means that another capture has won it, of which there are few. */
const turnsMax = capturesMax + 1

/**
 * Takes money that is held: the payee's right alone. With an idempotency key it happens at most once.
 * Refusals: hold_not_found, hold_captured, hold_voided, hold_expired, capture_too_large,
 * capture_too_small, those of amounts, wallet_closed, payer_closed, declined, idempotency_key_reused, outcome_unknown.
 */
export async function capture(
  deps: HoldDeps,
  caller: Customer,
  holdId: Uuid,
  input: CaptureInput,
  idempotencyKey: string | undefined,
): Promise<Captured> {
  const id = nameOperation(caller, idempotencyKey)
  const amount = input.amount === undefined ? null : readCanonicalAmount(input.amount)
  const inputHash = hashInput('capture', holdId, amount, String(input.isFinal))
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const hold = await findOwnHold(deps, caller, holdId, 'payee')
    const happened = idempotencyKey === undefined ? undefined : await findOperation(deps.ledger, id)
    if (happened) {
      if (compare({ inputHash }, happened).kind === 'conflict') {
        throw new Refusal('idempotency_key_reused')
      }
      return finish(deps, { id, holdId, ...happened, replayed: true })
    }
    refuseUnlessOpen(hold)
    const amountMinor = readCaptureAmount(hold, input)
    const { isFinal } = input
    // How long the rest may still be held is measured by the clock that will end it.
    const at = isFinal ? now(deps) : await readLedgerTime(deps.ledger)
    const { legs: feeLegs } = await planFee(deps, {
      operation: 'capture',
      asset: assetOfLedger(hold.ledger),
      amountMinor,
      recipientWalletId: hold.payeeWalletId,
    })
    const what = { id, inputHash, amountMinor, isFinal, feeLegs }
    const step = await settle(id, captureHold(deps.ledger, hold, what, at))
    if (step.kind === 'stale') continue
    if (step.kind === 'expired') throw new Refusal('hold_expired')
    if (step.kind !== 'done') throw await refuseStep(deps, { operationId: id, inputHash }, step)
    return finish(deps, { id, holdId, ...step.operation, replayed: step.replayed })
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

/**
 * Gives the money that is held back to the payer. Repeating it answers the same.
 * Refusals: hold_not_found, hold_captured, hold_expired, outcome_unknown.
 */
export async function releaseHold(
  deps: HoldDeps,
  caller: Customer,
  holdId: Uuid,
): Promise<DescribedHold> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const hold = await findOwnHold(deps, caller, holdId, 'payee')
    if (hold.state === 'voided') return withMemo(deps, hold)
    refuseUnlessOpen(hold)
    const step = await settle(holdId, voidHold(deps.ledger, hold))
    if (step.kind === 'expired') throw new Refusal('hold_expired')
    if (step.kind === 'done') return afterMoving(holdId, findHold(deps, caller, holdId))
    if (step.kind !== 'stale') {
      throw await refuseStep(deps, { operationId: holdId, inputHash: hold.inputHash }, step)
    }
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

/** A hold that the caller has placed or may capture; any one for an operator. Refusal: hold_not_found. */
export async function findHold(
  deps: HoldDeps,
  caller: Customer | Operator,
  holdId: Uuid,
): Promise<DescribedHold> {
  return withMemo(deps, await findOwnHold(deps, caller, holdId, 'either'))
}

export interface HoldQuery {
  side: 'payer' | 'payee' | 'both'
  status?: Hold['state'] | undefined
  timestampMin: bigint
  timestampMax: bigint
  limit: number
}

/**
 * A page of the caller's holds, newest first, each as the ledger has it now. Which ones there are comes
 * from the read model, which follows the ledger: `asOf` tells how fresh it is.
 */
export async function listHolds(
  deps: HoldDeps,
  caller: Customer,
  query: HoldQuery,
): Promise<{ holds: DescribedHold[]; asOf: Date }> {
  const walletIds = caller.wallets.map(({ id }) => id)
  const side = ({ payer: 'debit', payee: 'credit', both: 'both' } as const)[query.side]
  const { entries, asOf } = await listFollowed(
    deps,
    { kind: 'hold', state: query.status, expiringState: 'open', ...query },
    ofAccounts(walletIds, side),
  )
  const found = await readSome(entries, ({ id }) => readHold(deps.ledger, id, now(deps)))
  const holds = found.filter((hold) => hold !== undefined)
  const memos = await findMemos(deps.db, holds.map(toKey))
  return { holds: holds.map((hold) => describe(hold, memos.get(hold.id))), asOf }
}

const now = (deps: Pick<Deps, 'nowMs'>) => toLedgerTime(deps.nowMs())

const toKey = ({ id, inputHash }: Hold) => ({ operationId: id, inputHash })

function describe(hold: Hold, memo: string | undefined): DescribedHold {
  return { ...hold, currency: assetOfLedger(hold.ledger).currency, memo: memo ?? null }
}

async function withMemo(deps: Pick<Deps, 'db'>, hold: Hold): Promise<DescribedHold> {
  const memos = await findMemos(deps.db, [toKey(hold)])
  return describe(hold, memos.get(hold.id))
}

async function findOwnHold(
  deps: Pick<Deps, 'ledger' | 'nowMs'>,
  caller: Customer | Operator,
  holdId: Uuid,
  side: 'payee' | 'either',
): Promise<Hold> {
  let hold = await readHold(deps.ledger, holdId, now(deps))
  // Whether the payee comes too late is the ledger's to say, not this process's clock.
  if (side === 'payee' && hold?.state === 'expired') {
    hold = await readHold(deps.ledger, holdId, await readLedgerTime(deps.ledger))
  }
  if (hold && speaksFor(caller, hold.payeeWalletId)) return hold
  if (hold && speaksFor(caller, hold.payerWalletId)) {
    if (side === 'either') return hold
    throw new Refusal('not_the_payee')
  }
  throw new Refusal('hold_not_found')
}

function refuseUnlessOpen(hold: Hold): void {
  if (hold.state === 'open') return
  const codes = {
    captured: 'hold_captured',
    voided: 'hold_voided',
    expired: 'hold_expired',
  } as const satisfies Record<Exclude<Hold['state'], 'open'>, RefusalCode>
  throw new Refusal(codes[hold.state])
}

/** Refusals: those of amounts, capture_too_large, capture_too_small. */
function readCaptureAmount(hold: Hold, { amount, isFinal }: CaptureInput): bigint {
  if (amount === undefined) return hold.heldMinor
  const { currency } = assetOfLedger(hold.ledger)
  const minor = readAmount(amount, assetOf(currency))
  const show = (part: bigint) => showAmount(part, currency)
  if (minor > hold.heldMinor) {
    const held = show(hold.heldMinor)
    throw new Refusal('capture_too_large', {
      detail: `${held} ${currency} are held.`,
      extra: { held, currency },
    })
  }
  const parts = BigInt(capturesMax)
  const least = (hold.amountMinor + parts - 1n) / parts
  if (!isFinal && minor < hold.heldMinor && minor < least) {
    const minimum = show(least)
    throw new Refusal('capture_too_small', {
      detail: `A part that is not the last is at least ${minimum} ${currency}.`,
      extra: { minimum, currency },
    })
  }
  return minor
}

/** To the payee, who captures, the wallet that is debited is somebody else's. */
const captureCodes = {
  ...declineCodes,
  debit_account_already_closed: 'payer_closed',
  credit_account_already_closed: 'wallet_closed',
} as const satisfies Record<PassingReason, RefusalCode>

async function refuseStep(
  deps: HoldDeps,
  key: { operationId: Uuid; inputHash: number },
  step: Exclude<Step, { kind: 'done' | 'stale' | 'expired' }>,
): Promise<Refusal> {
  switch (step.kind) {
    case 'conflict':
      return new Refusal('idempotency_key_reused')
    case 'invalid':
      if (step.status === 'exceeds_pending_transfer_amount') return new Refusal('capture_too_large')
      return refuseInvalid(step.status)
    case 'declined': {
      if (!step.reason) return refuseAgain(deps, key)
      const code = captureCodes[step.reason]
      await keepDecline(deps, { ...key, attempt: 0, code })
      return new Refusal(code)
    }
    default:
      throw step satisfies never
  }
}

async function finish(
  deps: HoldDeps,
  captured: StoredOperation & { id: Uuid; holdId: Uuid; replayed: boolean },
): Promise<Captured> {
  const { id, holdId, amountMinor, timestamp, replayed } = captured
  const [hold, fee] = await afterMoving(
    id,
    Promise.all([readCaptured(deps, holdId), findFee(deps.ledger, captured)]),
  )
  return { id, hold, amountMinor, fee, timestamp, replayed }
}

async function readCaptured(deps: HoldDeps, holdId: Uuid): Promise<DescribedHold> {
  const hold = await readHold(deps.ledger, holdId, now(deps))
  if (!hold) throw new Error(`hold ${holdId} was captured and is not there`)
  return withMemo(deps, hold)
}
