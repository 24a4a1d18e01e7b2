/**
 * What a run means for the breaks that are there: which are new, which are the same as before, and which
 * have gone. Pure. docs/reconciliation.md#the-life-of-a-break has the rules.
 */
import type { SeenBreak, StoredBreak, ToldBreak } from '../../db/breaks.ts'
import type { Break } from './break.ts'
import type { Ran } from './reconcile.ts'

export interface Changes {
  /** Not there before. */
  fresh: (ToldBreak & Pick<StoredBreak, 'since'>)[]
  /** There before, with what is told of it now. */
  same: { before: StoredBreak; now: SeenBreak; isDifferent: boolean }[]
  /** There before, looked for, and not found. */
  gone: StoredBreak[]
}

/** Compares what a run has found with the breaks that are not closed. */
export function compareWithStanding(
  all: readonly Ran[],
  standing: readonly StoredBreak[],
): Changes {
  const before = new Map(standing.map((it) => [nameOf(it), it]))
  const found = new Map(all.flatMap(toTold).map((it) => [nameOf(it), it]))
  const changes: Changes = { fresh: [], same: [], gone: [] }
  for (const [name, told] of found) {
    const known = before.get(name)
    if (!known) {
      changes.fresh.push(told)
      continue
    }
    const { id, since, earlierId } = known
    const now = { ...told, id, since, earlierId }
    changes.same.push({ before: known, now, isDifferent: tell(told) !== tell(known) })
  }
  for (const [name, known] of before) {
    if (!found.has(name) && all.some((ran) => hasLookedFor(ran, known))) changes.gone.push(known)
  }
  return changes
}

/** By what a break is the same in each run. */
export function nameOf({ pass, kind, subject }: Pick<ToldBreak, 'pass' | 'kind' | 'subject'>) {
  return `${pass} ${kind} ${subject}`
}

/**
 * Whether a pass would have found a break if it were still there: it was carried out to its end, looked at
 * everything that it had looked at before, and left none of the kind untold. Which has no scope has looked at
 * everything.
 */
function hasLookedFor({ pass, result }: Ran, known: StoredBreak): boolean {
  if (!result || pass.name !== known.pass || result.omitted[known.kind]) return false
  if (!result.scope) return true
  const scope = new Set(result.scope.map(toStorable))
  return known.scope.length > 0 && known.scope.every((part) => scope.has(part))
}

function toTold({ pass, result }: Ran): Changes['fresh'] {
  const scope = (result?.scope ?? []).map(toStorable)
  return (result?.breaks ?? []).map((it: Break) => ({
    pass: pass.name,
    kind: it.kind,
    subject: toStorable(it.subject),
    scope,
    ledgerIds: [...it.ledgerIds],
    recordIds: it.recordIds.map(toStorable),
    statementLines: it.statementLines.map(toStorable),
    currency: it.currency ?? null,
    expectedMinor: it.expected ?? null,
    foundMinor: it.found ?? null,
    since: it.since,
    detail: toStorable(it.detail),
  }))
}

/** PostgreSQL takes no zero character in a text; one can come with a bank's file. */
const toStorable = (text: string) => text.toWellFormed().replaceAll('\0', '\ufffd')

/**
 * What has to be the same for nothing to be told anew: of two amounts it is by how much they differ,
 * because both change while money moves.
 */
function tell(it: ToldBreak): string {
  const { expectedMinor, foundMinor } = it
  const amount =
    expectedMinor === null || foundMinor === null
      ? (expectedMinor ?? foundMinor)
      : foundMinor - expectedMinor
  const { ledgerIds, recordIds, statementLines, currency, detail } = it
  const parts = [ledgerIds, recordIds, statementLines, currency, detail, amount?.toString()]
  return JSON.stringify(parts)
}
