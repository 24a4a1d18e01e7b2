import { assetOfControl } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import { readReturnUses } from '../../accounting/returnable.ts'
import { type BookedReversal, readReversal, toReturnable } from '../../accounting/reversals.ts'
import type { StoredOperation } from '../../accounting/transfers.ts'
import { findReversals, type ReversalDescription } from '../../db/reversals.ts'
import type { PaymentSystem } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { showAmount } from './amount.ts'
import { findOwnDeposit } from './deposits-read.ts'
import { type FollowedQuery, readSome } from './followed-list.ts'
import { showLedgerTime } from './ledger-time.ts'

/** A reversal that has happened. */
export interface Reversal {
  id: Uuid
  depositId: Uuid
  amountMinor: bigint
  /** What the wallet gave, and what it left owing. */
  fromWalletMinor: bigint
  owedMinor: bigint
  currency: string
  reason: string | null
  reference: string | null
  timestamp: bigint
}

type ReadDeps = Pick<Deps, 'db' | 'ledger'>

/**
 * A page of a deposit's reversals, newest first, as the ledger has them. Times in nanoseconds since
 * 1970, both inclusive, 0 for no bound. Refusal: deposit_not_found.
 */
export async function listReversals(
  deps: ReadDeps,
  caller: PaymentSystem,
  depositId: Uuid,
  range: FollowedQuery,
): Promise<Reversal[]> {
  const whole = toReturnable(await findOwnDeposit(deps, caller, depositId))
  const uses = await readReturnUses(deps.ledger, whole, range)
  const [reversals, told] = await Promise.all([
    readSome(uses, (use) => readReversalOf(deps, use)),
    findReversals(deps.db, uses),
  ])
  return reversals.map((reversal) =>
    toReversal(reversal, depositId, told.get(reversal.operation.operationId)),
  )
}

/** A reversal of a deposit, by its principal leg, with what was told about it. */
export async function describeReversal(
  deps: ReadDeps,
  depositId: Uuid,
  operation: StoredOperation,
): Promise<Reversal> {
  const reversal = await readReversalOf(deps, operation)
  const told = await findReversals(deps.db, [operation])
  return toReversal(reversal, depositId, told.get(operation.operationId))
}

async function readReversalOf(
  deps: Pick<Deps, 'ledger'>,
  { operationId }: StoredOperation,
): Promise<BookedReversal> {
  const reversal = await readReversal(deps.ledger, operationId)
  if (!reversal) throw new Error(`reversal ${operationId} has happened and is not there`)
  return reversal
}

function toReversal(
  { operation, fromWalletMinor, owedMinor }: BookedReversal,
  depositId: Uuid,
  told: ReversalDescription | undefined,
): Reversal {
  return {
    id: operation.operationId,
    depositId,
    amountMinor: operation.amountMinor,
    fromWalletMinor,
    owedMinor,
    currency: assetOfControl(operation.ledger).currency,
    reason: told?.reason ?? null,
    reference: told?.reference ?? null,
    timestamp: operation.timestamp,
  }
}

/** The refusal of a reference that belongs to another reversal of this payment system: shows which. */
export async function refuseReversalReuse(
  deps: Pick<Deps, 'db'>,
  original: StoredOperation,
): Promise<Refusal> {
  const { operationId: id, amountMinor, ledger, timestamp } = original
  const told = await findReversals(deps.db, [original])
  const { currency } = assetOfControl(ledger)
  return new Refusal('reference_reused', {
    extra: {
      original: {
        id,
        deposit_id: told.get(id)?.depositId ?? null,
        amount: showAmount(amountMinor, currency),
        currency,
        created_at: showLedgerTime(timestamp),
      },
    },
  })
}
