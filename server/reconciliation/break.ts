/**
 * A break: one difference between two of the stories that have to agree, which are the ledger by itself,
 * PostgreSQL, and what a bank says. Each pass of a reconciliation has a table of the kinds it finds.
 */

/** What a kind of break means to the person who finds it. */
export interface BreakKind {
  /** What usually makes it. */
  cause: string
  /** What to do about it. */
  remedy: string
}

/** A difference that one pass has found. */
export interface Break<Kind extends string = string> {
  kind: Kind
  /** Which one of its kind, the same in each run that finds it: an id, or several joined by `/`. */
  subject: string
  /** Ids of transfers or accounts in the ledger. */
  ledgerIds: readonly string[]
  /** Rows in PostgreSQL: `table:key`. */
  recordIds: readonly string[]
  /** Lines of a statement, as the statement names them. */
  statementLines: readonly string[]
  /** The asset's code; left out where no amount is concerned. */
  currency?: string
  /** What should be there, in minor units of `currency`. */
  expected?: bigint
  /** What is there, in minor units of `currency`. */
  found?: bigint
  /** When what it is about happened. */
  since: Date
  /** One sentence for people. */
  detail: string
}
