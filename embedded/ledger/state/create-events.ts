import { createAccount } from './create-account.ts'
import { createTransfer } from './create-transfer.ts'
import { revertLastTransfer } from './effects.ts'
import { batchTime, eventTime, type Ledger, resultTime } from './ledger.ts'
import { accountFlag, field, flagsOf, recordWords, transferFlag } from './record.ts'
import { accountStatus, burningStatuses, transferStatus } from './statuses.ts'
import { compare64, increment64, isTimestamp, isZero64 } from './words.ts'

/** Words of one result: timestamp (2), status, reserved. */
const resultWords = 4

/** What differs between creating accounts and creating transfers. */
interface Kind {
  readonly status: typeof accountStatus | typeof transferStatus
  readonly linked: number
  readonly imported: number
  create(ledger: Ledger, event: Uint32Array, at: number): number
  /** How many objects there are. */
  count(ledger: Ledger): number
  /** Takes back the objects from `count` on, and what they did. */
  rollback(ledger: Ledger, count: number): void
  /** Told of each event that was not created. */
  refused(ledger: Ledger, event: Uint32Array, at: number, status: number): void
}

export const accountKind: Kind = {
  status: accountStatus,
  linked: accountFlag.linked,
  imported: accountFlag.imported,
  create: createAccount,
  count: (ledger) => ledger.accounts.rows.count,
  rollback: (ledger, count) => ledger.accounts.truncate(count),
  refused: () => {},
}

export const transferKind: Kind = {
  status: transferStatus,
  linked: transferFlag.linked,
  imported: transferFlag.imported,
  create: createTransfer,
  count: (ledger) => ledger.transfers.rows.count,
  rollback: (ledger, count) => {
    while (ledger.transfers.rows.count > count) revertLastTransfer(ledger)
  },
  refused: (ledger, event, at, status) => {
    if (burningStatuses.has(status)) ledger.transfers.failId(event, at)
  },
}

/**
 * Creates the events of one batch in order, chains as wholes, and writes one result each to
 * `results` at `resultsAt`. `ledger.times` holds the times of the first event and of the batch;
 * afterwards the event time is one nanosecond after the last event's.
 */
export function createEvents(
  ledger: Ledger,
  kind: Kind,
  events: Uint32Array,
  eventsAt: number,
  count: number,
  results: Uint32Array,
  resultsAt: number,
): void {
  const { times } = ledger
  const { status } = kind
  const batchImported = count > 0 && (flagsOf(events, eventsAt) & kind.imported) !== 0
  /** Index of the open chain's first event, or -1. */
  let chain = -1
  let chainBroken = false
  let countBeforeChain = 0
  for (let index = 0; index < count; index += 1) {
    const at = eventsAt + index * recordWords
    const to = resultsAt + index * resultWords
    const linked = (flagsOf(events, at) & kind.linked) !== 0
    if (linked && chain === -1) {
      chain = index
      countBeforeChain = kind.count(ledger)
    }
    times[resultTime] = times[eventTime]!
    times[resultTime + 1] = times[eventTime + 1]!
    let outcome: number
    if (linked && index === count - 1) outcome = status.linkedEventChainOpen
    else if (chainBroken) outcome = status.linkedEventFailed
    else outcome = checkTimestamp(ledger, kind, events, at, batchImported)
    if (outcome === status.created) outcome = kind.create(ledger, events, at)

    if (outcome !== status.created && chain !== -1 && !chainBroken) {
      chainBroken = true
      kind.rollback(ledger, countBeforeChain)
      for (let member = chain; member < index; member += 1) {
        results[resultsAt + member * resultWords + 2] = status.linkedEventFailed
      }
    }
    if (outcome !== status.created) kind.refused(ledger, events, at, outcome)
    const ownTime = outcome !== status.created && outcome !== status.exists
    const time = ownTime ? eventTime : resultTime
    results[to] = times[time]!
    results[to + 1] = times[time + 1]!
    results[to + 2] = outcome
    results[to + 3] = 0
    increment64(times, eventTime)
    if (!linked || index === count - 1) {
      chain = -1
      chainBroken = false
    }
  }
}

/** The first event says whether a batch is imported; imported events bring their timestamps. */
function checkTimestamp(
  ledger: Ledger,
  kind: Kind,
  events: Uint32Array,
  at: number,
  batchImported: boolean,
): number {
  const { status } = kind
  const imported = (flagsOf(events, at) & kind.imported) !== 0
  const timestamp = at + field.timestamp
  if (imported !== batchImported) {
    return imported ? status.importedEventNotExpected : status.importedEventExpected
  }
  if (!imported) {
    return isZero64(events, timestamp) ? status.created : status.timestampMustBeZero
  }
  if (!isTimestamp(events, timestamp)) return status.importedEventTimestampOutOfRange
  if (compare64(events, timestamp, ledger.times, batchTime) >= 0) {
    return status.importedEventTimestampMustNotAdvance
  }
  return status.created
}
