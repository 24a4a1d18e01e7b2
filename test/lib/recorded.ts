/** Reconciliations that are stored, as operators and processes make them. */
import type { Break } from '../../server/reconciliation/break.ts'
import type { Pass, PassResult } from '../../server/reconciliation/pass.ts'
import { recordRun } from '../../server/reconciliation/record.ts'
import type { Client, Json } from './http.ts'
import { until } from './until.ts'
import { must, type World } from './world.ts'

/** The newest reconciliation that was stored; undefined when there is none. */
export async function newestRun(operator: Client): Promise<Json> {
  const { data } = await must(operator.get('/v1/reconciliations?limit=1'), 200)
  return data[0]
}

/** Waits for a reconciliation that was stored after the one that is the newest now. */
export async function nextRun(operator: Client, ask: () => Promise<unknown>): Promise<Json> {
  const before = (await newestRun(operator))?.id
  await ask()
  await until(async () => (await newestRun(operator))?.id !== before)
  return newestRun(operator)
}

/** Asks for a reconciliation and waits until it is stored. */
export function requestRun(operator: Client): Promise<Json> {
  return nextRun(operator, () => must(operator.send('POST', '/v1/reconciliations'), 202))
}

/** Breaks of the list, newest first. */
export async function breaksOf(operator: Client, query = ''): Promise<Json[]> {
  return (await must(operator.get(`/v1/breaks?limit=200${query}`), 200)).data
}

/** The kinds of a break's events. */
export async function eventsOf(operator: Client, id: string): Promise<string[]> {
  const { events } = await must(operator.get(`/v1/breaks/${id}`), 200)
  return events.map(({ kind }: Json) => kind)
}

/** A break that a made-up pass finds. */
export function madeUp(subject: string, more: Partial<Break> = {}): Break {
  const nothing = { ledgerIds: [], recordIds: [], statementLines: [] }
  return { kind: 'made_up', subject, ...nothing, since: new Date(0), detail: 'It is.', ...more }
}

/** A pass that finds these breaks. */
export function passOf(breaks: readonly Break[], more: Partial<PassResult> = {}): Pass {
  const result = { counts: {}, asOf: new Date(), totals: [], breaks, omitted: {}, ...more }
  return { name: 'made_up', kinds: {}, run: () => Promise.resolve(result) }
}

export const failingPass: Pass = {
  name: 'made_up',
  kinds: {},
  run: () => Promise.reject(new Error('it cannot be carried out')),
}

/** Carries out and stores one pass, as the command does. */
export async function record({ deps }: World, ...passes: readonly Pass[]) {
  const recorded = await recordRun(deps, passes, { startedBy: 'command', requestedBy: null })
  return recorded?.run
}
