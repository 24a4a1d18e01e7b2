import { withdrawnId } from '../../accounting/approvals.ts'
import { ControlCode, TransferCode } from '../../accounting/chart.ts'
import { declineId } from '../../accounting/requests.ts'
import type { TailEvent } from '../../accounting/tail.ts'
import type { Phase } from '../../accounting/transfers.ts'
import {
  emptyLifecycles,
  findLifecycles,
  type Lifecycle,
  type LifecycleKind,
  storeLifecycles,
} from '../../db/lifecycles.ts'
import type { Subscriber } from './follow.ts'

/** What an event means for the read model: the state of what it belongs to, and whether that begins with it. */
export interface Meaning {
  kind: LifecycleKind
  state: string
  opens?: boolean
}

/** What of a transfer tells it. */
type Told = Pick<
  Extract<TailEvent, { kind: 'transfer' }>,
  'transferId' | 'operationId' | 'code' | 'phase'
>
type Reading = (event: Told, before: Pick<Lifecycle, 'state'> | undefined) => Meaning | undefined
type Readings = Partial<Record<Phase, Reading>>

const enters =
  (kind: LifecycleKind, state: string): Reading =>
  () => ({ kind, state, opens: true })
const becomes =
  (kind: LifecycleKind, state: string): Reading =>
  () => ({ kind, state })

/** By code and phase of a transfer. */
const readings: ReadonlyMap<number, Readings> = new Map<number, Readings>([
  [
    TransferCode.hold,
    {
      // A capture of a part holds the rest again: the hold itself began with the first.
      pending: ({ transferId, operationId }) => ({
        kind: 'hold',
        state: 'open',
        opens: transferId === operationId,
      }),
      post: becomes('hold', 'captured'),
      void: becomes('hold', 'voided'),
    },
  ],
  [
    ControlCode.request,
    {
      pending: enters('payment_request', 'open'),
      post: becomes('payment_request', 'accepted'),
      void: ({ transferId, operationId }) => ({
        kind: 'payment_request',
        state: transferId === declineId(operationId) ? 'declined' : 'cancelled',
      }),
    },
  ],
  [
    TransferCode.withdrawal,
    {
      pending: enters('withdrawal', 'requested'),
      post: becomes('withdrawal', 'confirmed'),
      // In a cancelling chain the right goes first.
      void: (_event, before) =>
        before?.state === 'cancelled' ? undefined : { kind: 'withdrawal', state: 'failed' },
    },
  ],
  [
    ControlCode.withdrawal_take,
    { post: becomes('withdrawal', 'taken'), void: becomes('withdrawal', 'cancelled') },
  ],
  [TransferCode.refund, { single: enters('refund', 'done') }],
  [TransferCode.suspense, { single: enters('suspense', 'open') }],
  [TransferCode.suspense_assignment, { single: becomes('suspense', 'assigned') }],
  [TransferCode.suspense_return, { single: becomes('suspense', 'returned') }],
  [TransferCode.suspense_payout, { single: becomes('suspense', 'paid_out') }],
  [
    ControlCode.approval,
    {
      pending: enters('approval', 'pending'),
      post: becomes('approval', 'approved'),
      void: ({ transferId, operationId }) => ({
        kind: 'approval',
        state: transferId === withdrawnId(operationId) ? 'withdrawn' : 'rejected',
      }),
    },
  ],
])

/** What runs out when a pending transfer of a code does. */
const expiring: ReadonlyMap<number, LifecycleKind> = new Map<number, LifecycleKind>([
  [TransferCode.hold, 'hold'],
  [ControlCode.request, 'payment_request'],
  [ControlCode.approval, 'approval'],
])

/** What a transfer means for how something stood before it; undefined when that changes nothing. Pure. */
export function readEvent(
  event: Told,
  before: Pick<Lifecycle, 'state'> | undefined,
): Meaning | undefined {
  return readings.get(event.code)?.[event.phase]?.(event, before)
}

/** What runs out when a pending transfer of this code does, if anything. */
export const expiringKind = (code: number): LifecycleKind | undefined => expiring.get(code)

/** Lists what lives longer than one request, by what the ledger has committed. */
export const readModel: Subscriber = {
  name: 'read model',
  codes: [...readings.keys()] as Subscriber['codes'],
  async take(trx, events) {
    const known = await findLifecycles(trx, [...new Set(events.map((it) => it.operationId))])
    const byId = new Map(known.map((lifecycle) => [lifecycle.id, lifecycle]))
    const changed = new Set<string>()
    for (const event of events) {
      const next = advance(byId.get(event.operationId), event)
      if (!next) continue
      byId.set(next.id, next)
      changed.add(next.id)
    }
    await storeLifecycles(
      trx,
      [...changed].map((id) => byId.get(id)!),
    )
  },
  empty: emptyLifecycles,
}

/** How something stands after an event; undefined when that changes nothing. Pure. */
function advance(before: Lifecycle | undefined, event: TailEvent): Lifecycle | undefined {
  const changedAt = event.timestamp
  if (event.kind === 'expiry') {
    return before && expiringKind(event.code)
      ? { ...before, state: 'expired', changedAt }
      : undefined
  }
  const meaning = readEvent(event, before)
  if (!meaning) return undefined
  const { kind, state } = meaning
  if (!meaning.opens) return before && { ...before, state, changedAt }
  return {
    kind,
    id: event.operationId,
    debitAccountId: event.debitAccountId,
    creditAccountId: event.creditAccountId,
    inputHash: event.inputHash,
    openedAt: changedAt,
    deadlineAt: event.deadline,
    state,
    changedAt,
  }
}
