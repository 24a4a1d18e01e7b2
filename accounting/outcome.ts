/**
 * What TigerBeetle's answer to a chain of transfers means. Pure; docs/accounting.md has the table.
 *
 * TigerBeetle "burns" the id of a transfer that failed for a reason that could pass: afterwards the
 * id answers `id_already_failed` for ever. In a chain only the failing leg's id is burnt.
 */
import { type CreateTransferResult, CreateTransferStatus as Status } from 'tigerbeetle-node'

/** Reasons that could pass; the leg that fails for one of them loses its id. */
export const passingReasons = [
  'debit_account_not_found',
  'credit_account_not_found',
  'pending_transfer_not_found',
  'exceeds_credits',
  'exceeds_debits',
  'debit_account_already_closed',
  'credit_account_already_closed',
] as const

export type PassingReason = (typeof passingReasons)[number]

export type Outcome =
  /** All legs were created by this call, the principal leg at this time (ns). */
  | { kind: 'created'; timestamp: bigint }
  /** At least one leg's id exists: the stored principal leg tells whether it was this operation. */
  | { kind: 'exists' }
  /** The ledger declined, for a reason that could pass; `leg` is the leg whose id is burnt now. */
  | { kind: 'declined'; leg: number; reason: PassingReason }
  /** A leg's id was burnt before: this chain can never happen any more. */
  | { kind: 'burnt'; leg: number }
  /** The chain is wrong in itself and would be refused at any time. */
  | { kind: 'invalid'; leg: number; status: string }

const passing = new Set<string>(passingReasons)

/**
 * Reads the results of one chain. The legs that say `linked_event_failed` tell nothing: one other leg
 * tells why.
 */
export function readOutcome(results: readonly CreateTransferResult[], principalLeg = 0): Outcome {
  const leg = results.findIndex(
    ({ status }) => status !== Status.created && status !== Status.linked_event_failed,
  )
  const telling = results[leg]
  if (!telling) {
    const principal = results[principalLeg]
    if (!principal || results.some(({ status }) => status !== Status.created)) {
      throw new Error('the ledger answered a chain without telling which leg failed')
    }
    return { kind: 'created', timestamp: principal.timestamp }
  }
  const status = Status[telling.status] ?? `status_${telling.status}`
  if (status.startsWith('exists')) return { kind: 'exists' }
  if (telling.status === Status.id_already_failed) return { kind: 'burnt', leg }
  if (isPassing(status)) return { kind: 'declined', leg, reason: status }
  return { kind: 'invalid', leg, status }
}

function isPassing(status: string): status is PassingReason {
  return passing.has(status)
}
