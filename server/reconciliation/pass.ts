/**
 * A pass of a reconciliation: one pair of stories that is compared. Each has a name, a table of the kinds of
 * breaks that it can find, and a function that runs it; they know nothing of each other.
 */
import type { TakenCheckpoint } from '../../accounting/checkpoint.ts'
import type { StoredCheckpoint } from '../../db/checkpoints.ts'
import type { Deps } from '../deps.ts'
import type { Break, BreakKind } from './break.ts'

/** What passes work with. All of them only read. */
export interface PassContext extends Pick<Deps, 'db' | 'ledger' | 'nowMs'> {
  /** Only what has come since is compared, by those passes that can; left out, everything is. */
  since?: StoredCheckpoint | undefined
  /** Whether the result shall have a checkpoint, if there is no break. */
  takesCheckpoint?: boolean
}

/** Told now and then: how much of the pass is done, 0 to 1, and a few words about it. */
export type Progress = (part: number, what: string) => void

/** A line of totals in one currency, for people. */
export interface CurrencyTotals {
  currency: string
  /** Names of columns with amounts in minor units. */
  amounts: Readonly<Record<string, bigint>>
}

export interface PassResult<Kind extends string = string> {
  /** What was compared, and how many of it. */
  counts: Readonly<Record<string, number>>
  /** The moment that all of it is judged as of. */
  asOf: Date
  totals: readonly CurrencyTotals[]
  /** Those that are told one by one. */
  breaks: readonly Break<Kind>[]
  /** How many more there are of a kind than are told. */
  omitted: Readonly<Partial<Record<Kind, number>>>
  /**
   * Of a pass that looks at a part: names of all of that; left out by one that looks at everything. A break
   * has gone when it is not found by a run that looked at all that the run which told it had looked at.
   */
  scope?: readonly string[]
  /** The moment of the checkpoint that it went on from. */
  since?: Date
  /** What was come to, for a later run to go on from. */
  checkpoint?: TakenCheckpoint | undefined
}

export interface Pass<Kind extends string = string> {
  name: string
  kinds: Readonly<Record<Kind, BreakKind>>
  /** Rejects when it could not be carried out to its end: then nothing is known. */
  run(context: PassContext, progress: Progress): Promise<PassResult<Kind>>
}
