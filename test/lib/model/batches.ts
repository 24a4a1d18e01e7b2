/**
 * Several payments by one request. Each for itself: then they are as many payments, in their order, and
 * what has become of each is final. Or all together, or none of them.
 */
import { type Decision, decide, when } from './decide.ts'
import type { Circumstances, Exchange, RequestOf, Step } from './exchange.ts'
import { isFeeTold } from './fees.ts'
import { type IsOpen, plan, settle, views } from './payments.ts'
import { type Model, remember } from './state.ts'

type Batch = RequestOf<'batch'>

const nameOf = ({ userId, key }: Pick<Batch, 'userId' | 'key'>) =>
  key === undefined ? undefined : `${userId} batch ${key}`

const inputOf = ({ atomic, items }: Pick<Batch, 'atomic' | 'items'>) =>
  JSON.stringify([atomic, items])

/** The parts of an exchange that happen one after the other: of a batch its payments. */
export function toParts(exchange: Exchange): Exchange[] {
  const { request, answer, isDoubtful } = exchange
  if (request.kind !== 'batch' || request.atomic || answer.code !== undefined) return [exchange]
  const { items, ...batch } = request
  const claim: Exchange = { ...exchange, request: { ...request, kind: 'batch claim' } }
  const parts: Exchange[] = [claim]
  for (const [index, item] of items.entries()) {
    const { status, code, transfer } = answer.body.results[index]
    const told = { code: status === 'refused' ? code : undefined, body: transfer ?? {} }
    // What was cut off goes on later, when another payment may be possible before.
    const after = isDoubtful ? claim : parts.at(-1)!
    parts.push({
      ...exchange,
      request: { ...batch, kind: 'batch item', item, index },
      answer: { ...told, isReplay: answer.isReplay },
      after,
    })
  }
  return parts
}

/** A key is for one batch, whatever becomes of it. */
export const claim: Step<'batch claim'> = (model, { request }) => {
  const name = nameOf(request)
  if (name === undefined) return [model]
  const known = model.remembered.get(name)
  const input = inputOf(request)
  if (known) return when(known.input === input, model)
  return [remember(model, name, { input })]
}

/** One of several payments, each for itself. */
export const item: Step<'batch item'> = (model, exchange, circumstances) => {
  const { request, answer, isDoubtful } = exchange
  const { userId, key, index } = request
  const { code, body } = answer
  const batch = nameOf(request)
  const name = batch === undefined ? undefined : `${batch} ${index}`
  const known = name === undefined ? undefined : model.remembered.get(name)
  const mayBeSecond = isDoubtful || circumstances.shared.has(`${userId} ${key}`)
  if (known?.id !== undefined) return when(code === undefined && body.id === known.id, model)
  if (known) {
    const isReason = code === known.declined || known.declined === lost || code === lost
    return when(code !== undefined && isReason, model)
  }
  if (answer.isReplay && !mayBeSecond) return []
  const keep = (after: Model) =>
    name === undefined
      ? after
      : remember(
          after,
          name,
          code === undefined ? { input: '', id: body.id } : { input: '', declined: code },
        )
  if (code === lost) return when(mayBeSecond, keep(model))
  return views(model, circumstances)
    .flatMap((isOpen) => waysOf({ model, exchange, circumstances, isOpen }, request, body))
    .flatMap((decision) => take(model, exchange, circumstances, decision))
    .filter((after) => isFeeTold(after, answer))
    .map(keep)
}

/** What is told of a decline whose reason was not kept. */
const lost = 'declined'

/** What a payment is looked at with. */
interface Scene<Of extends Exchange = Exchange> {
  model: Model
  exchange: Of
  circumstances: Circumstances
  /** Which wallets count as open. */
  isOpen: IsOpen
}

/** How one payment may go. */
function waysOf(
  { model, exchange, circumstances, isOpen }: Scene,
  { userId, item }: { userId: string; item: RequestOf<'batch'>['items'][number] },
  body: { id?: string },
): Decision[] {
  const { sentAt, answeredAt, isDoubtful } = exchange
  const answer = { body, isReplay: false }
  const request = { ...item, kind: 'transfer', userId } as const
  const paying = { request, answer, sentAt, answeredAt, isDoubtful }
  return plan(model, paying, circumstances, isOpen, (route) => [
    settle(route.model, String(body.id), route),
  ])
}

/** The models when an answer is that of a decision; its key has been looked at before. */
function take(
  model: Model,
  exchange: Exchange,
  circumstances: Circumstances,
  decision: Decision,
): Model[] {
  const answer = { ...exchange.answer, isReplay: false }
  return decide(decision.model ?? model, { ...exchange, answer }, circumstances, decision)
}

/** All payments happen or none: the first that cannot is told. */
export const together: Step<'batch'> = (model, exchange, circumstances) => {
  const { request, answer, isDoubtful } = exchange
  const { code, body, isReplay } = answer
  const name = nameOf(request)
  const input = inputOf(request)
  const known = name === undefined ? undefined : model.remembered.get(name)
  if (known && known.input !== input) return when(code === 'idempotency_key_reused', model)
  if (!request.atomic) return []
  const mayBeSecond = isDoubtful || circumstances.shared.has(`${request.userId} ${request.key}`)
  if (known?.id !== undefined)
    return when(code === undefined && isReplay && idOf(body) === known.id, model)
  const declined = known?.declined
  if (isReplay && !mayBeSecond && declined === undefined) return []
  const keep = (after: Model, outcome: { id?: string; declined?: string }) =>
    name === undefined ? after : remember(after, name, { input, ...outcome })
  return views(model, circumstances).flatMap((isOpen) => {
    const scene = { model, exchange, circumstances, isOpen }
    if (code === undefined) {
      if (declined !== undefined) return []
      return fold(scene, request.items.length)
        .filter((after) => areTold(after, body.results))
        .map((after) => keep(after, { id: idOf(body) }))
    }
    if (declined !== undefined) {
      const isReason = code === declined || declined === lost || code === lost
      return when(isReason && (isReplay || mayBeSecond), model)
    }
    if (code === lost) return when(mayBeSecond, keep(model, { declined: code }))
    const faults = request.items.map((_, index) => faultsOf(scene, index))
    const first = faults.findIndex((codes) => codes.length > 0)
    const isFault = body.index === first && faults[first]?.includes(code)
    if (first !== -1) return when(isFault === true, keep(model, { declined: code }))
    const refused = fold(scene, body.index).flatMap((before) => refuse({ ...scene, model: before }))
    return refused.slice(0, 1).map(() => keep(model, { declined: code }))
  })
}

type Results = { status: string; transfer: { id: string } }[]

const idOf = (body: { results: Results }) => body.results.map(({ transfer }) => transfer.id).join()

const areTold = (model: Model, results: Results) =>
  results.every(({ transfer }) => isFeeTold(model, { body: transfer, isReplay: false }))

/** Why one of them is refused before the ledger is asked. */
function faultsOf(scene: Scene<Exchange<Batch>>, index: number): string[] {
  const { userId, items } = scene.exchange.request
  const ways = waysOf(scene, { userId, item: items[index]! }, {})
  return ways.flatMap(({ refusals = [] }) => refusals)
}

/** The models after the first so many of them. */
function fold(scene: Scene<Exchange<Batch>>, count: number): Model[] {
  const { model, exchange, circumstances } = scene
  const { userId, items } = exchange.request
  const results: Results | undefined = exchange.answer.body.results
  return items.slice(0, count).reduce(
    (models, item, index) =>
      models.flatMap((before) => {
        const body = results?.[index]?.transfer ?? { id: `payment ${index}` }
        const happened = { ...exchange, answer: { body, isReplay: false } }
        const ways = waysOf({ ...scene, model: before }, { userId, item }, body)
        return ways.flatMap((way) => take(before, happened, circumstances, way))
      }),
    [model],
  )
}

/** The models in which the ledger declines the payment that was told. */
function refuse(scene: Scene<Exchange<Batch>>): Model[] {
  const { model, exchange, circumstances } = scene
  const { userId, items } = exchange.request
  const item = items[exchange.answer.body.index]!
  return waysOf(scene, { userId, item }, {}).flatMap((way) =>
    take(model, exchange, circumstances, way),
  )
}
