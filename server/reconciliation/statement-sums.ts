/** Finds several entries of the ledger that together are one line of a statement. Pure. */
import type { ClearingEntry } from './clearing-entries.ts'
import type { Day, StatementLine } from './statement.ts'

type Several = readonly [ClearingEntry, ClearingEntry, ...ClearingEntry[]]

/** Of larger groups only the whole is looked at: among many parts some would fit by chance. */
const searchedMax = 12

/**
 * Groups entries of one currency: by each reference, and those that `isNamed` leaves out excepted, by
 * day and kind, by day and direction, and by day. `entries` may shrink meanwhile.
 */
export function createSums(
  entries: ReadonlySet<ClearingEntry>,
  isNamed: (entry: ClearingEntry) => boolean,
) {
  const groups = new Map<string, Group>()
  const groupOf = (key: string): Group => {
    const group = groups.get(key) ?? createGroup(entries)
    groups.set(key, group)
    return group
  }
  for (const entry of entries) {
    const { references, currency, day, code, amountMinor } = entry
    for (const reference of references) groupOf(`${currency} ref ${reference}`).add(entry)
    if (isNamed(entry)) continue
    const ofDay = `${currency} day ${day}`
    groupOf(`${ofDay} code ${code}`).add(entry)
    groupOf(`${ofDay} ${amountMinor > 0n ? 'in' : 'out'}`).add(entry)
    groupOf(ofDay).add(entry)
  }
  const codes = [...new Set([...entries].map(({ code }) => code))].sort((a, b) => a - b)

  /** The entries of one reference of a line: all of them, or the only run of them that adds up. */
  function ofReferences({ references, currency, amountMinor }: StatementLine) {
    for (const reference of references) {
      const group = groups.get(`${currency} ref ${reference}`)
      const found = group?.whole(amountMinor) ?? group?.run(amountMinor)
      if (found) return found
    }
    return undefined
  }

  /**
   * The entries of a day that is so far from one of the line's: all of one kind, or the only run of them
   * that adds up; else all of one direction; else all.
   */
  function ofDays(line: StatementLine, days: readonly Day[], distance: number) {
    const { currency, amountMinor } = line
    for (const day of days.flatMap((each) => [each - distance, each + distance])) {
      const ofDay = `${currency} day ${day}`
      if (!groups.has(ofDay)) continue
      const kinds = codes.map((code) => groups.get(`${ofDay} code ${code}`))
      const wider = [groups.get(`${ofDay} in`), groups.get(`${ofDay} out`), groups.get(ofDay)]
      for (const group of [...kinds, ...wider]) {
        const whole = group?.whole(amountMinor)
        if (whole) return whole
      }
      for (const group of kinds) {
        const run = group?.run(amountMinor)
        if (run) return run
      }
    }
    return undefined
  }

  return { ofReferences, ofDays }
}

interface Group {
  add(entry: ClearingEntry): void
  /** All that are left, if they are several and add up to this. */
  whole(amountMinor: bigint): Several | undefined
  /** Several that follow each other in the ledger and add up to this, if there is one such run only. */
  run(amountMinor: bigint): Several | undefined
}

function createGroup(left: ReadonlySet<ClearingEntry>): Group {
  let members: ClearingEntry[] = []
  let sumMinor = 0n
  let leftCount = left.size

  /** Those that are still left. */
  function current(): ClearingEntry[] {
    if (leftCount === left.size) return members
    leftCount = left.size
    members = members.filter((entry) => left.has(entry))
    sumMinor = members.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)
    return members
  }

  return {
    add(entry) {
      members.push(entry)
      sumMinor += entry.amountMinor
    },
    whole(amountMinor) {
      const all = current()
      return sumMinor === amountMinor && isSeveral(all) ? all : undefined
    },
    run(amountMinor) {
      const all = current()
      if (all.length > searchedMax) return undefined
      const runs = all.flatMap((_, start) => runsFrom(all, start, amountMinor))
      return runs.length === 1 ? runs[0] : undefined
    },
  }
}

function runsFrom(all: readonly ClearingEntry[], start: number, amountMinor: bigint): Several[] {
  const runs: Several[] = []
  let sum = 0n
  for (let end = start; end < all.length; end += 1) {
    sum += all[end]!.amountMinor
    const run = all.slice(start, end + 1)
    if (sum === amountMinor && isSeveral(run)) runs.push(run)
  }
  return runs
}

const isSeveral = (entries: readonly ClearingEntry[]): entries is Several => entries.length > 1
