/**
 * Finds for each line of a statement what it is in the ledger. Rules go from the surest to the
 * least sure one; each line and each entry is used once. The same input gives the same matches. Pure.
 * docs/bank-statements.md has an example of each rule.
 */
import type { ClearingEntry } from './clearing-entries.ts'
import type { Day } from './statement.ts'
import type { PlacedLine } from './statement-check.ts'
import { createSums } from './statement-sums.ts'

export type MatchRule = 'reference' | 'amount_and_date' | 'sum'

export interface Match {
  rule: MatchRule
  line: PlacedLine
  entries: readonly [ClearingEntry, ...ClearingEntry[]]
}

export interface Pair {
  line: PlacedLine
  entry: ClearingEntry
}

/** What is not used yet, in the order of the file and of the ledger. */
export interface Left {
  lines: Set<PlacedLine>
  entries: Set<ClearingEntry>
}

/**
 * Matches lines with entries and takes what it matches out of `left`. Lines for which `isMatchable` is
 * false are known to others by their references, and are not matched.
 */
export function matchLines(
  left: Left,
  { windowDays, isMatchable }: { windowDays: number; isMatchable: (line: PlacedLine) => boolean },
): Match[] {
  const matchable = (keys: Keys): Keys => ({
    ...keys,
    ofLine: (line) => (isMatchable(line) ? keys.ofLine(line) : []),
  })
  const endless = { windowDays, isEndless: true }
  const byReference = [
    ...pairUp(left, matchable(ownReference), endless),
    ...pairUp(left, matchable(anyReference), endless),
  ]
  const isNamed = findNamed(left)
  const unnamed = matchable({
    ofLine: (line) => (isNamed(line) ? [] : [amountKey(line)]),
    ofEntry: (entry) => (isNamed(entry) ? [] : [amountKey(entry)]),
  })
  const byDate = pairUp(left, unnamed, { windowDays, isEndless: false })
  return [
    ...byReference.map((pair) => toMatch('reference', pair)),
    ...byDate.map((pair) => toMatch('amount_and_date', pair)),
    ...matchSums(left, { windowDays, isMatchable, isNamed }),
  ]
}

const toMatch = (rule: MatchRule, { line, entry }: Pair): Match => ({
  rule,
  line,
  entries: [entry],
})

/** What has a reference in common, the same direction and currency, but not the amount. */
export function pairAmounts(left: Left, windowDays: number): Pair[] {
  const inCurrency = (item: Item) => `${item.currency} ${directionOf(item)}`
  return pairReferences(left, windowDays, inCurrency)
}

/** What has a reference in common and the same direction: the currency is another one. */
export function pairCurrencies(left: Left, windowDays: number): Pair[] {
  return pairReferences(left, windowDays, directionOf)
}

function pairReferences(left: Left, windowDays: number, sameIn: (item: Item) => string): Pair[] {
  const keysOf = (item: Item) => item.references.map((reference) => `${sameIn(item)} ${reference}`)
  const own = { ofLine: keysOf, ofEntry: (entry: ClearingEntry) => keysOf(entry).slice(0, 1) }
  const options = { windowDays, isEndless: true }
  return [
    ...pairUp(left, own, options),
    ...pairUp(left, { ofLine: keysOf, ofEntry: keysOf }, options),
  ]
}

type Item = Pick<PlacedLine, 'currency' | 'amountMinor' | 'references'>

const directionOf = ({ amountMinor }: Item): 'in' | 'out' => (amountMinor > 0n ? 'in' : 'out')
const amountKey = ({ currency, amountMinor }: Item): string => `${currency} ${amountMinor}`
const referenceKeys = (item: Item): string[] =>
  item.references.map((reference) => `${amountKey(item)} ${reference}`)

/** What makes a line and an entry fit each other: they have a key in common. */
interface Keys {
  ofLine(line: PlacedLine): readonly string[]
  ofEntry(entry: ClearingEntry): readonly string[]
}

const ownReference: Keys = {
  ofLine: referenceKeys,
  ofEntry: (entry) => referenceKeys(entry).slice(0, 1),
}
const anyReference: Keys = { ofLine: referenceKeys, ofEntry: referenceKeys }

/**
 * Pairs lines with entries that fit, those of the same day first, then those that are a day apart, and so
 * on up to the window; `isEndless` adds any other, the nearest first. Of several that are as near the
 * earlier day comes first, then the order of the file and of the ledger.
 */
function pairUp(
  left: Left,
  keys: Keys,
  { windowDays, isEndless }: { windowDays: number; isEndless: boolean },
): Pair[] {
  const index = createIndex(left.entries, keys)
  const pairs: Pair[] = []
  const take = (line: PlacedLine, entry: ClearingEntry | undefined) => {
    if (!entry) return
    pairs.push({ line, entry })
    left.lines.delete(line)
    left.entries.delete(entry)
  }
  for (let distance = 0; distance <= windowDays; distance += 1) {
    for (const line of left.lines) take(line, index.at(keys.ofLine(line), daysOf(line), distance))
  }
  if (isEndless) {
    for (const line of left.lines) take(line, index.nearest(keys.ofLine(line), line))
  }
  return pairs
}

/** The days that a line names. */
const daysOf = ({ bookingDay, valueDay }: PlacedLine): Day[] =>
  valueDay === undefined || valueDay === bookingDay ? [bookingDay] : [bookingDay, valueDay]

/** How many days a line and an entry are apart, by those of their days that are nearest. */
export function daysApart(line: PlacedLine, entry: ClearingEntry): number {
  const distances = daysOf(line).flatMap((day) => entry.days.map((other) => Math.abs(day - other)))
  return Math.min(...distances)
}

/** Finds entries that are still there by key and day. */
function createIndex(entries: ReadonlySet<ClearingEntry>, { ofEntry }: Keys) {
  const byKey = new Map<string, ClearingEntry[]>()
  const byDay = new Map<string, ClearingEntry[]>()
  // From the last one on, so that the first one is at the end of each list.
  for (const entry of [...entries].reverse()) {
    for (const key of ofEntry(entry)) {
      add(byKey, key, entry)
      for (const day of entry.days) add(byDay, `${day} ${key}`, entry)
    }
  }

  function first(key: string): ClearingEntry | undefined {
    const list = byDay.get(key) ?? []
    while (list.length > 0 && !entries.has(list.at(-1)!)) list.pop()
    return list.at(-1)
  }

  function at(keys: readonly string[], days: readonly Day[], distance: number) {
    for (const key of keys) {
      for (const day of days) {
        const found = first(`${day - distance} ${key}`) ?? first(`${day + distance} ${key}`)
        if (found) return found
      }
    }
    return undefined
  }

  function nearest(keys: readonly string[], line: PlacedLine): ClearingEntry | undefined {
    let best: ClearingEntry | undefined
    for (const entry of keys.flatMap((key) => byKey.get(key)?.toReversed() ?? [])) {
      if (!entries.has(entry)) continue
      if (!best || daysApart(line, entry) < daysApart(line, best)) best = entry
    }
    return best
  }

  return { at, nearest }
}

function add<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key)
  if (list) list.push(item)
  else lists.set(key, [item])
}

/**
 * Tells lines and entries that name each other by a reference, with whatever difference there is between
 * them: they are not matched with anything else.
 */
function findNamed({ lines, entries }: Left): (item: Item) => boolean {
  const keysOf = (item: Item) =>
    item.references.map((reference) => `${directionOf(item)} ${reference}`)
  const ofLines = new Set([...lines].flatMap(keysOf))
  const common = new Set([...entries].flatMap(keysOf).filter((key) => ofLines.has(key)))
  return (item) => keysOf(item).some((key) => common.has(key))
}

/** One line that is several entries: of one of its references, or else of one day. */
function matchSums(
  left: Left,
  {
    windowDays,
    isMatchable,
    isNamed,
  }: {
    windowDays: number
    isMatchable: (line: PlacedLine) => boolean
    isNamed: (item: Item) => boolean
  },
): Match[] {
  const matches: Match[] = []
  const sums = createSums(left.entries, isNamed)
  const take = (line: PlacedLine, entries: Match['entries'] | undefined) => {
    if (!entries) return
    matches.push({ rule: 'sum', line, entries })
    left.lines.delete(line)
    for (const entry of entries) left.entries.delete(entry)
  }
  const candidates = () => [...left.lines].filter(isMatchable)
  for (const line of candidates()) take(line, sums.ofReferences(line))
  const unnamed = candidates().filter((line) => !isNamed(line))
  for (let distance = 0; distance <= windowDays; distance += 1) {
    for (const line of unnamed) {
      if (left.lines.has(line)) take(line, sums.ofDays(line, daysOf(line), distance))
    }
  }
  return matches
}
