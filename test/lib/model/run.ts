/** One run: some people, what they do in rounds, and what the model says of the answers. */
import { randomUUID } from 'node:crypto'
import { until } from '../until.ts'
import { operator, readDoubt, send, senderOf, toAnswer } from './api.ts'
import { type Account, isNoReply, type Place, reach } from './cast.ts'
import { readCircumstances } from './circumstances.ts'
import { compareBalances, settleTime } from './compare-balances.ts'
import { compareHouse, type Opening, readOpening } from './compare-house.ts'
import { compareHistories, compareLists } from './compare-lists.ts'
import { compareThings } from './compare-things.ts'
import type { Action } from './drafts.ts'
import type { ModelRequest, Sent } from './exchange.ts'
import { type Market, toPreparations } from './market.ts'
import { join, joinTogether, openAnother } from './people.ts'
import { Difference, type Search, startSearch, textOf } from './search.ts'
import { areLimitsKnown, learn } from './settings.ts'
import { emptyModel, type Model } from './state.ts'
import { toRequest } from './to-request.ts'

export interface Run {
  readonly place: Place
  readonly market: Market
  readonly opening: Opening
  readonly users: (Account & { id: string; username: string })[]
  /** Payment systems by id. */
  readonly systems: ReadonlyMap<string, Account>
  readonly operator: Account
  readonly search: Search
  /** Every request so far. */
  readonly requests: ModelRequest[]
  readonly prefix: string
  /** Is told of every exchange. */
  readonly tell: (exchange: Sent) => void
  /** The balances are compared after at least so many requests. */
  readonly compareAfter: number
  /** Requests since the balances were compared. */
  uncompared: number
}

export interface RunOptions {
  compareAfter?: number
  market: Market
  systems: ReadonlyMap<string, Account>
  operator: Account
  tell?: (exchange: Sent) => void
}

/** Starts a run with three people, who have nothing. */
export async function startRun(place: Place, options: RunOptions): Promise<Run> {
  const { market, systems, operator, tell = () => {}, compareAfter = 1 } = options
  const opening = await readOpening(place, operator, market)
  const search = startSearch({ ...emptyModel, house: opening.house })
  const prefix = randomUUID().slice(0, 8)
  const counted = { compareAfter, uncompared: 0 }
  const people = { users: [], systems, operator }
  const run: Run = {
    place,
    market,
    opening,
    ...people,
    ...counted,
    search,
    requests: [],
    prefix,
    tell,
  }
  await joinTogether(run, 3)
  for (const request of toPreparations(market, run.search.model)) {
    advance(run, [await submit(run, request)])
  }
  return run
}

/** Compares everything that can be seen, once nothing is uncertain any more. */
export async function compareEverything(run: Run): Promise<void> {
  await settleTime(run)
  await compareThings(run)
  await compareHistories(run)
  await compareLists(run)
  await compareHouse(run)
}

/** Does what comes next, and holds what was answered against the model. Throws where they part. */
export async function perform(run: Run, action: Action): Promise<void> {
  if (action.kind === 'sign up') {
    await join(run)
    return
  }
  if (action.kind === 'open') {
    const user = run.users[action.user % run.users.length]!
    await openAnother(run, user, run.market.currencies[action.currency]!)
    return
  }
  const cast = {
    ...run,
    model: run.search.model,
    systems: [...run.systems.keys()],
    currencies: run.market.currencies,
  }
  const keys = { alwaysKeyed: run.place.isRough, freshKey: () => randomUUID() }
  const requests = action.drafts
    .map((draft) => toRequest({ ...cast, ...keys }, draft))
    .filter((request) => request !== undefined)
    .filter((request, index, all) => isOnlyOne(run, request, all.slice(0, index)))
  const closed = closedIn(run.search.model)
  const exchanges = await Promise.all(requests.map((request) => submit(run, request)))
  advance(run, exchanges)
  for (const { request, isDoubtful } of exchanges) if (isDoubtful) await repair(run, request)
  run.requests.push(...requests)
  await signInAgain(run, closed)
  run.uncompared += requests.length
  if (run.uncompared < run.compareAfter) return
  await compareBalances(run)
  run.uncompared = 0
}

/** Settings of which nobody is told which is the later are made one after the other. */
const oneAtATime: readonly ModelRequest['kind'][] = ['rate', 'limit', 'default limit']

function isOnlyOne(
  { market }: Run,
  { kind }: ModelRequest,
  before: readonly ModelRequest[],
): boolean {
  if (!oneAtATime.includes(kind)) return true
  if (kind !== 'rate' && !areLimitsKnown(market.settings)) return false
  return !before.some((other) => oneAtATime.includes(other.kind))
}

/** Sends a request, again and to any process until the answer is definite. */
async function submit(run: Run, request: ModelRequest): Promise<Sent> {
  const sender = senderAccount(run, request)
  const sentAt = Date.now()
  let isDoubtful = false
  const reply = await reach(
    run.place,
    (url) => send(sender.at(url), request),
    (it) => {
      const doubt = readDoubt(it)
      if (doubt === 'doubt') isDoubtful = true
      return doubt === 'answered'
    },
  )
  if (reply.status === 500) throw new Error(`${textOf(request)} failed: ${reply.text}`)
  const exchange = { request, answer: toAnswer(reply), sentAt, answeredAt: Date.now(), isDoubtful }
  run.tell(exchange)
  return exchange
}

/** One of the people of a run. */
export function userOf({ users }: Run, id: string): Account {
  const user = users.find((it) => it.id === id)
  if (!user) throw new Error(`nobody is ${id}`)
  return user
}

function senderAccount(run: Run, request: ModelRequest): Account {
  const id = senderOf(request)
  return id === operator ? run.operator : (run.systems.get(id) ?? userOf(run, id))
}

function advance(run: Run, exchanges: readonly Sent[]): void {
  const before = run.search.model
  run.market.settings = learn(run.market.settings, exchanges)
  const circumstances = readCircumstances(before, exchanges, run.market.settings)
  if (run.search.advance(exchanges, circumstances)) return
  const round = exchanges.map((exchange) => {
    const others = exchanges.filter((other) => other !== exchange)
    const isOdd = startSearch(before).advance(others, circumstances)
    return `${isOdd ? 'without this one there is: ' : ''}${textOf(exchange)}`
  })
  round.push(`settings: ${textOf(circumstances.settings)}`)
  throw new Difference('no order of these requests gives these answers', round, before)
}

/**
 * What was shut or opened without anybody being told may have been so more than once, and last in the
 * other way: once every process has done what it was asked for before, the same again tells how it is.
 */
async function repair(run: Run, request: ModelRequest): Promise<void> {
  if (request.kind !== 'freeze' && request.kind !== 'thaw' && request.kind !== 'close') return
  for (let isDoubtful = true; isDoubtful; ) {
    await passThrough(run, `/v1/wallets/${request.wallet}`)
    const exchange = await submit(run, request)
    advance(run, [exchange])
    isDoubtful = exchange.isDoubtful
  }
}

/**
 * Waits until every process has answered something from the ledger: it does what it is asked in turn, so
 * that what it was asked before is done.
 */
async function passThrough({ place, operator }: Run, path: string): Promise<void> {
  for (const url of place.urls()) {
    await until(async () => {
      if (!place.urls().includes(url)) return true
      const reply = await operator.at(url).get(path).catch(isNoReply)
      return reply?.status === 200
    })
  }
}

const closedIn = ({ wallets }: Model): number =>
  wallets.filter(({ state }) => state === 'closed').length

/** A process learns a moment later of a wallet that was closed at another one. */
async function signInAgain(run: Run, closedBefore: number): Promise<void> {
  if (closedIn(run.search.model) === closedBefore) return
  await Promise.all(run.users.map((user) => user.signIn()))
}
