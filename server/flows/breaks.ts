/**
 * What operators do with breaks. Nothing of it hides one from a run: a break closes by itself when a run
 * no longer finds it, and comes back as a new one when it is found after it was closed.
 */
import {
  type BreakEvent,
  type BreakFilter,
  findBreak,
  insertBreakEvents,
  listBreakEvents,
  listBreaks,
  type NewBreakEvent,
  type StoredBreak,
  updateStanding,
  withBreak,
} from '../../db/breaks.ts'
import type { BreakState } from '../../db/schema.ts'
import { findUser } from '../../db/users.ts'
import type { Operator } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { findAdjustment } from './adjustments.ts'

type BreakDeps = Pick<Deps, 'db' | 'nowMs'>

/** So many of a break's last events are told. */
const eventsMax = 200

/** Breaks, newest first. */
export async function readBreaks(
  { db }: Pick<Deps, 'db'>,
  filter: BreakFilter,
): Promise<StoredBreak[]> {
  return listBreaks(db, filter)
}

/** A break with its last events, oldest first. Refusal: break_not_found. */
export async function readBreak(
  { db }: Pick<Deps, 'db'>,
  id: string,
): Promise<{ found: StoredBreak; events: BreakEvent[] }> {
  const found = await findBreak(db, id)
  if (!found) throw new Refusal('break_not_found')
  return { found, events: await listBreakEvents(db, id, eventsMax) }
}

/**
 * Says who looks after a break. Repeating it answers the same.
 * Refusals: break_not_found, break_closed, user_not_found, not_an_operator (nor one that is kept out).
 */
export async function assignBreak(
  deps: BreakDeps,
  operator: Operator,
  id: string,
  assignee: string,
): Promise<StoredBreak> {
  const user = await findUser(deps.db, assignee)
  if (!user) throw new Refusal('user_not_found')
  if (user.role !== 'operator' || user.deactivatedAt) throw new Refusal('not_an_operator')
  return act(deps, operator, id, {
    kind: 'assigned',
    details: { user_id: assignee },
    isDone: (it) => it.assignee === assignee,
    change: (it) => ({ ...it, assignee, state: onward(it.state, 'assigned') }),
  })
}

/**
 * Says why a break is there. The last explanation counts, its events keep all. Repeating it answers the
 * same. Refusals: break_not_found, break_closed.
 */
export async function explainBreak(
  deps: BreakDeps,
  operator: Operator,
  id: string,
  text: string,
): Promise<StoredBreak> {
  return act(deps, operator, id, {
    kind: 'explained',
    details: { text },
    isDone: (it) => it.explanation === text,
    change: (it) => ({ ...it, explanation: text, state: onward(it.state, 'explained') }),
  })
}

/**
 * Names the adjustment that corrects a break: it has to be booked, so with four eyes two operators agreed.
 * The break closes when a run no longer finds it. Repeating it answers the same.
 * Refusals: break_not_found, break_closed, adjustment_not_found, adjustment_not_booked,
 * currency_mismatch.
 */
export async function correctBreak(
  deps: BreakDeps & Pick<Deps, 'ledger'>,
  operator: Operator,
  id: string,
  adjustmentId: string,
): Promise<StoredBreak> {
  const { state, body } = await findAdjustment(deps, adjustmentId)
  if (state !== 'approved') throw new Refusal('adjustment_not_booked', `It is ${state}.`)
  return act(deps, operator, id, {
    kind: 'corrected',
    details: { adjustment_id: adjustmentId },
    isDone: (it) => it.adjustmentId === adjustmentId,
    change(it) {
      if (it.currency !== null && it.currency !== body.currency) {
        throw new Refusal('currency_mismatch', `The break is in ${it.currency}.`)
      }
      return { ...it, adjustmentId, state: onward(it.state, 'corrected') }
    },
  })
}

/**
 * Closes a break by hand, for a reason that its events keep. If a run finds it again, that is a new break.
 * One that is closed already stays as it is. Refusal: break_not_found.
 */
export async function closeBreak(
  deps: BreakDeps,
  operator: Operator,
  id: string,
  reason: string,
): Promise<StoredBreak> {
  return act(deps, operator, id, {
    kind: 'closed',
    details: { reason },
    isDone: ({ state }) => state === 'closed',
    change: (it) => ({
      ...it,
      state: 'closed',
      closedAt: new Date(deps.nowMs()),
      closedBy: operator.userId,
    }),
  })
}

interface BreakAct extends Pick<NewBreakEvent, 'kind' | 'details'> {
  /** Whether that is how it stands: then nothing happens. */
  isDone(it: StoredBreak): boolean
  change(it: StoredBreak): StoredBreak
}

/** Changes how a break stands, and keeps what has happened, both or neither. */
async function act(
  { db, nowMs }: BreakDeps,
  { userId: operatorId }: Operator,
  id: string,
  { kind, details, isDone, change }: BreakAct,
): Promise<StoredBreak> {
  return withBreak(db, id, async (trx, found) => {
    if (!found) throw new Refusal('break_not_found')
    if (isDone(found)) return found
    if (found.state === 'closed') throw new Refusal('break_closed')
    const changed = change(found)
    await updateStanding(trx, changed)
    const by = { at: new Date(nowMs()), reconciliationId: null, operatorId }
    await insertBreakEvents(trx, [{ breakId: id, ...by, kind, details }])
    return changed
  })
}

const order: readonly BreakState[] = ['open', 'assigned', 'explained', 'corrected', 'closed']

/** A break never goes back to a state before the one that it has reached. */
const onward = (state: BreakState, next: BreakState): BreakState =>
  order.indexOf(next) > order.indexOf(state) ? next : state
