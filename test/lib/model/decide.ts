/** How an answer is held against the model. */
import type { Answer, Circumstances, Exchange } from './exchange.ts'
import { type Model, type ModelWallet, type Remembered, remember } from './state.ts'

/** The models when it holds. */
export const when = (holds: boolean, ...models: Model[]): Model[] => (holds ? models : [])

/** The name under which something is done at most once. */
export interface Keyed {
  name: string
  input: string
}

export function keyOf(
  owner: string,
  key: string | undefined,
  ...input: unknown[]
): Keyed | undefined {
  return key === undefined ? undefined : { name: `${owner} ${key}`, input: JSON.stringify(input) }
}

/** How the model would answer. */
export interface Decision {
  keyed?: Keyed | undefined
  /**
   * Why it is refused before the ledger is asked; one of them is told. Of those that can come to be true
   * between two tries the key is used up, as by a decline.
   */
  refusals?: readonly string[]
  /** Why the ledger declines it; one of them is told, and under this key it never happens. */
  declines?: readonly string[]
  /** Why the ledger may have declined it as well. */
  perhaps?: readonly string[]
  /** Why the ledger refuses it at any time, without using up the key. */
  invalid?: string
  /** What is left behind also when it is declined; otherwise the model before. */
  model?: Model
  /** The models after it has happened, when the answer is right for that. */
  happens: () => Model[]
}

/** What is told of a decline whose reason was not kept. */
const lost = 'declined'

/** What is told of an earlier try that was cut off, so long ago that recovery has given it up. */
const givenUp = 'abandoned'
const givenUpAfterMs = 60_000

/** What else can be true by now although an earlier try, which may be under way, was in order. */
const passing: ReadonlySet<string> = new Set([
  'wallet_ambiguous',
  'recipient_not_found',
  'payer_not_found',
  'requester_blocked',
  'payment_system_not_found',
])

/** Holds an answer against the model's. */
export function decide(
  model: Model,
  { answer, isDoubtful, sentAt, answeredAt }: Exchange,
  { shared }: Circumstances,
  { keyed, refusals: all = [], declines: byLedger = [], perhaps = [], invalid, happens }: Decision,
): Model[] {
  const refusals = all.filter((reason) => !passing.has(reason))
  const declines = [...all.filter((reason) => passing.has(reason)), ...byLedger]
  const { code, isReplay } = answer
  const known = keyed && model.remembered.get(keyed.name)
  if (known?.id !== undefined) return when(isRepeated(known, keyed!, answer, refusals), model)
  if (keyed && !known && code === givenUp) {
    const isLongAgo = isDoubtful && isReplay && answeredAt - sentAt > givenUpAfterMs
    return when(isLongAgo, remember(model, keyed.name, { input: keyed.input, declined: code }))
  }
  if (refusals.length > 0) {
    return when(code !== undefined && refusals.includes(code), doubt(model, keyed, isDoubtful))
  }
  const mayBeSecond = isDoubtful || (keyed !== undefined && shared.has(keyed.name))
  if (known && (known.declined !== undefined || code === lost)) {
    const reason = known.declined
    // The reason is kept after the decline: another copy at the same time may not know it.
    if (code === lost) return when(isReplay, model)
    if (code === 'idempotency_key_reused') return when(known.input !== keyed!.input, model)
    const isReason = code === reason || (code !== undefined && reason === lost)
    if (isReason) return when(isReplay || mayBeSecond, model)
    return when(mayBeSecond && declines.includes(code ?? ''), model)
  }
  if (known && isReplay && code !== undefined) return [model]
  if (known && code === 'idempotency_key_reused') return [model]
  if (invalid !== undefined) return when(code === invalid, model)
  if (code !== undefined) {
    const reasons = [...declines, ...perhaps]
    if (isReplay && !mayBeSecond) return []
    // The try that was declined has ended before it told why.
    const isLost = code === lost && isReplay && reasons.length > 0
    if (!reasons.includes(code) && !isLost) return []
    return [keyed ? remember(model, keyed.name, { input: keyed.input, declined: code }) : model]
  }
  if (declines.length > 0 || (isReplay && !isDoubtful)) return []
  const { id } = answer.body
  return happens().map((next) =>
    keyed ? remember(next, keyed.name, { input: keyed.input, id }) : next,
  )
}

/**
 * Holds an answer against each of several ways in which the model may answer.
 */
export function decideAny(
  model: Model,
  exchange: Exchange,
  circumstances: Circumstances,
  keyed: Keyed | undefined,
  decisions: readonly Decision[],
): Model[] {
  const models = decisions.flatMap((decision) =>
    decide(decision.model ?? model, exchange, circumstances, { keyed, ...decision }),
  )
  return [...new Set(models)]
}

/** The answer under a key by which something has happened. */
function isRepeated(
  known: Remembered,
  keyed: Keyed,
  { code, isReplay, body }: Answer,
  refusals: readonly string[],
): boolean {
  if (known.input === keyed.input) return code === undefined && isReplay && body.id === known.id
  return code === 'idempotency_key_reused' || (code !== undefined && refusals.includes(code))
}

/** Of an earlier try that nobody was told of, the ledger may have declined it for ever. */
function doubt(model: Model, keyed: Keyed | undefined, isDoubtful: boolean): Model {
  if (!keyed || !isDoubtful || model.remembered.has(keyed.name)) return model
  return remember(model, keyed.name, { input: keyed.input, isDoubtful: true })
}

/** Why a wallet's standing keeps money from moving: surely, or perhaps. */
export function standingOf(
  { id, state }: ModelWallet,
  { flickering }: Circumstances,
  code: string,
): Pick<Decision, 'declines' | 'perhaps'> {
  if (state === 'closed') return { declines: [code] }
  if (flickering.has(id)) return { perhaps: [code] }
  return { declines: state === 'active' ? [] : [code] }
}

/** Reasons from several sources together. */
export function together(
  ...parts: readonly Pick<Decision, 'refusals' | 'declines' | 'perhaps'>[]
): Required<Pick<Decision, 'refusals' | 'declines' | 'perhaps'>> {
  const all = (kind: 'refusals' | 'declines' | 'perhaps') =>
    parts.flatMap((part) => part[kind] ?? [])
  return { refusals: all('refusals'), declines: all('declines'), perhaps: all('perhaps') }
}
