/** What does not fit in the ledger itself, as the check of it finds it. */

export type FindingKind =
  /** An account's balance is not what its transfers add up to. */
  | 'balance_differs'
  /** The debits of a ledger are not its credits. */
  | 'ledger_unbalanced'
  /** An account was beyond the limit that its flags set. */
  | 'limit_broken'
  /** A linked transfer is not followed by the rest of its chain. */
  | 'chain_incomplete'
  /** A transfer's code or ledger is not in the chart. */
  | 'unknown_code'
  /** Money went between kinds of accounts that its code does not allow. */
  | 'wrong_accounts'
  /** Flags, timeout or amount that no transfer of its code has. */
  | 'wrong_flags'
  /** A transfer names no operation, or no input. */
  | 'operation_unnamed'
  /** The legs of a chain are not those of any operation, or do not agree with each other. */
  | 'operation_incomplete'
  /** A post or void of something that was not pending then. */
  | 'resolution_impossible'
  /** Something is pending that nothing will ever resolve. */
  | 'pending_unresolved'
  /** A transfer's account is not there. */
  | 'account_missing'
  /** An account that the chart of accounts does not have. */
  | 'account_unexpected'
  /** A transfer is not later than the one before it. */
  | 'time_reversed'
  /** A checkpoint is not what the transfers until its moment come to. */
  | 'checkpoint_differs'

/** One thing that does not fit. */
export interface Finding {
  kind: FindingKind
  /** Of transfers and accounts; the first one is what it is about. None when it is a whole ledger. */
  ids: readonly bigint[]
  /** The TigerBeetle ledger it is in. */
  ledger: number
  /** When what it is about happened, nanoseconds since 1970. */
  at: bigint
  /** What should be there and what is, in minor units. */
  expected?: bigint
  found?: bigint
  /** A sentence for people. */
  detail: string
}

/** Findings of each kind that are kept; the others are counted. */
export const keptPerKind = 1_000

export interface Findings {
  /** The first ones of each kind. */
  readonly kept: readonly Finding[]
  /** How many there are of each kind, with those that are not kept. */
  readonly counts: ReadonlyMap<FindingKind, number>
  add(finding: Finding): void
}

/** A list of findings that does not grow without end. */
export function createFindings(): Findings {
  const kept: Finding[] = []
  const counts = new Map<FindingKind, number>()
  return {
    kept,
    counts,
    add(finding) {
      const count = (counts.get(finding.kind) ?? 0) + 1
      counts.set(finding.kind, count)
      if (count <= keptPerKind) kept.push(finding)
    },
  }
}
