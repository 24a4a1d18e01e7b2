/** Some people and what they do, while other groups do the same. */
import fc from 'fast-check'
import { makeStaff, type Place, signInOperator } from '../lib/model/cast.ts'
import { action } from '../lib/model/drafts.ts'
import type { Sent } from '../lib/model/exchange.ts'
import { openMarket } from '../lib/model/market.ts'
import { compareEverything, perform, type Run, startRun } from '../lib/model/run.ts'
import { Difference } from '../lib/model/search.ts'
import type { Model } from '../lib/model/state.ts'

/** After so many requests come other people, so that the model stays small. */
const requestsOfRun = 300
/** Runs of one seed and of the next have none in common. */
const seedStep = 10_007
/** How many requests there are between two looks at all balances. */
const compareAfter = 20
/** What is told of a group after a difference: the run, and what was set before it. */
const historyMax = 1_000
/** Actions of one run, more than it needs. */
const actionsMax = 400

export interface Soak {
  place: Place
  /** Is told of every request with its answer. */
  tell: (exchange: Sent) => void
  /** Whether it is enough. */
  isOver: () => boolean
  /** Is told of a run that has come to its end: its payment systems do nothing any more. */
  finished?: (run: Run) => void
  seed: number
  /** What has happened besides. */
  counts: { runs: number; rounds: number; expiries: number }
}

/** Runs, one after the other, until it is enough. */
export async function soakGroup(soak: Soak, group: number, groups: number): Promise<void> {
  const { place, tell, isOver, finished, counts } = soak
  const market = await openMarket(place, await signInOperator(place))
  const history: Sent[] = []
  const keep = (exchange: Sent): void => {
    history.push(exchange)
    if (history.length > historyMax) history.shift()
    tell(exchange)
  }
  for (let turn = 0; !isOver(); turn += 1) {
    const seed = (soak.seed * seedStep + group + groups * turn) | 0
    const staff = await makeStaff(place)
    try {
      const run = await startRun(place, { ...staff, market, tell: keep, compareAfter })
      await play(soak, run, seed)
      await compareEverything(run)
      finished?.(run)
      counts.expiries += countExpiries(run.search.model)
    } catch (error) {
      if (error instanceof Difference) error.history = history
      throw error
    }
    counts.runs += 1
  }
}

async function play({ isOver, counts }: Soak, run: Run, seed: number): Promise<void> {
  for (const next of fc.sample(action, { seed, numRuns: actionsMax })) {
    if (run.requests.length >= requestsOfRun || isOver()) return
    await perform(run, next)
    counts.rounds += 1
  }
}

function countExpiries({ holds, requests, quotes }: Model): number {
  const isExpired = ({ state }: { state: string }) => state === 'expired'
  const things = [...holds.values(), ...requests.values(), ...quotes.values()]
  return things.filter(isExpired).length
}
