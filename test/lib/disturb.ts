import { type Ledger, LedgerOutcomeUnknown } from '../../accounting/client.ts'
import type { Deps } from '../../server/deps.ts'

/** Puts something between a Kassa's steps in the ledger, at exact places: no waiting, no luck. */
export interface Disturbance {
  /** For `startAnother`: the Kassa that is disturbed. */
  adapt(deps: Deps): Deps
  /** Counts submissions of transfers from now on, and does something before the nth. */
  before(nth: number, meanwhile: () => Promise<unknown>): void
  /** Counts from now on; the nth submission and all later ones are never sent, which nobody is told. */
  failAt(nth: number): void
  /** Counts from now on; the nth submission is carried out, and its answer is lost. */
  loseAnswerOf(nth: number): void
  /** Nothing is disturbed any more. */
  reset(): void
}

type Plan = { nth: number } & (
  | { kind: 'before'; meanwhile: () => Promise<unknown> }
  | { kind: 'fail' }
  | { kind: 'lose' }
)

/** Makes a disturbance. What the background does is not counted: it only asks for the ledger's time. */
export function disturb(): Disturbance {
  let count = 0
  let plan: Plan | undefined

  function start(next: Plan | undefined): void {
    count = 0
    plan = next
  }

  function disturbed(ledger: Ledger): Ledger {
    const changes: Partial<Ledger> = {
      async createTransfers(batch) {
        if (batch[0]?.id === 0n) return ledger.createTransfers(batch)
        count += 1
        const [nth, now] = [count, plan]
        if (now?.kind === 'before' && nth === now.nth) await now.meanwhile()
        if (now?.kind === 'fail' && nth >= now.nth) throw new LedgerOutcomeUnknown('cut off')
        const results = await ledger.createTransfers(batch)
        if (now?.kind === 'lose' && nth === now.nth) throw new LedgerOutcomeUnknown('lost')
        return results
      },
    }
    return Object.assign(Object.create(ledger), changes)
  }

  return {
    adapt: (deps) => ({ ...deps, ledger: disturbed(deps.ledger) }),
    before: (nth, meanwhile) => start({ kind: 'before', nth, meanwhile }),
    failAt: (nth) => start({ kind: 'fail', nth }),
    loseAnswerOf: (nth) => start({ kind: 'lose', nth }),
    reset: () => start(undefined),
  }
}
