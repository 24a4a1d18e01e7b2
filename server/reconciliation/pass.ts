/**
 * A pass of a reconciliation: one pair of stories that is compared. Each has a name, a table of the kinds of
 * breaks that it can find, and a function that runs it; they know nothing of each other.
 */
import type { Deps } from '../deps.ts'
import type { Break, BreakKind } from './break.ts'

/** What passes work with. All of them only read. */
export type PassContext = Pick<Deps, 'db' | 'ledger' | 'nowMs'>

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
   * Of a pass that looks at what it is given: names of all of that. A break has gone when it is not found
   * by a run that looked at all that the run which told it had looked at.
   */
  scope?: readonly string[]
}

export interface Pass<Kind extends string = string> {
  name: string
  kinds: Readonly<Record<Kind, BreakKind>>
  /** Rejects when it could not be carried out to its end: then nothing is known. */
  run(context: PassContext, progress: Progress): Promise<PassResult<Kind>>
}
