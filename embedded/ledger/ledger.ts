import { randomBytes } from 'node:crypto'
import { Journal, type JournalPlace } from './journal.ts'
import type { JournalEnd } from './journal-reader.ts'
import { type Recovered, type RecoveryOptions, recover } from './recovery.ts'
import { type EntryLog, Replica } from './replica.ts'
import { createSegment, segmentBytesDefault, segmentHeadBytes, segmentName } from './segment.ts'
import { removeSegmentsBefore, Snapshots } from './snapshots.ts'
import { openStateFile, type StateFile } from './state-file.ts'
import { createStateMachine } from './state-machine.ts'
import { asideSuffix, type Storage, type StorageFile } from './storage.ts'

export interface LedgerOptions extends RecoveryOptions {
  /** The disk failed: nothing is acknowledged any more and the process has to end. */
  readonly onFailure: (error: Error) => void
  /** A full segment of this size (bytes) leads to a snapshot. */
  readonly segmentBytes?: number
  /** How long (milliseconds) to wait before a write to a full disk is tried again. */
  readonly fullDiskRetryMs?: number
}

export interface Ledger {
  readonly replica: Replica
  readonly log: EntryLog
  /** Writes all that is left and closes the files. */
  close(): Promise<void>
}

/**
 * Opens the durable ledger in `storage`, empty or as it was left, however it was left. Throws
 * DamageError when something acknowledged cannot be read, FormatError for foreign or newer files.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { storage, report, onFailure } = options
  const segmentBytes = options.segmentBytes ?? segmentBytesDefault
  await removeUnfinished(storage)
  const recovered = (await recover(options)) ?? (await create(options, segmentBytes))
  const { replica, folder, end } = recovered
  const stateFile = recovered.stateFile ?? (await createStateFile(storage, folder))
  const snapshots = new Snapshots({ storage, folder, stateFile, replica, report })
  let place = await cutOff(storage, recovered)
  if (replayedBytes(recovered) >= 2 * segmentBytes) {
    place = await shorten(place, snapshots, () =>
      createSegment(storage, folder, place.number + 1, segmentBytes),
    )
  }
  const journal = new Journal({
    storage,
    folder,
    place,
    lastOp: end.lastOp,
    segmentBytes,
    fullDiskRetryMs: options.fullDiskRetryMs ?? 1_000,
    report,
    onFailure,
  })
  journal.onRoll = (next) => snapshots.start(next)
  replica.logTo(journal)
  return {
    replica,
    log: journal,
    async close() {
      await journal.close()
      await snapshots.settle()
      await stateFile.close()
    },
  }
}

/** A new ledger: one empty segment that carries the folder's new id. */
async function create(options: LedgerOptions, segmentBytes: number): Promise<Recovered> {
  const { storage, clock } = options
  const folder = randomBytes(8)
  const file = await createSegment(storage, folder, 1, segmentBytes)
  const segments = [{ number: 1, file, bytes: await file.size() }]
  const end: JournalEnd = { index: 0, offset: segmentHeadBytes, lastOp: 0, torn: false }
  const replica = new Replica({ stateMachine: createStateMachine(), clock })
  return { replica, folder, stateFile: null, segments, end }
}

/**
 * A first state file. The first segment has to be durable before: it may have been seen by a name that a
 * crash can still take away, and a state file alone would look like a ledger that has lost its journal.
 */
async function createStateFile(storage: Storage, folder: Uint8Array): Promise<StateFile> {
  await storage.sync()
  return openStateFile(storage, folder)
}

/** Removes what was being written when the last process ended, and returns where to go on. */
async function cutOff(storage: Storage, { segments, end }: Recovered): Promise<JournalPlace> {
  const { number, file } = segments[end.index]!
  // Before anything older is removed, a snapshot that was seen by its new name has to be durable.
  // This also makes a new state file last.
  await storage.sync()
  for (const segment of segments) if (segment.number !== number) await segment.file.close()
  const later = segments.slice(end.index + 1).reverse()
  for (const segment of later) await storage.remove(segmentName(segment.number))
  if (end.torn) await file.truncate(end.offset)
  // The newest records were read, but perhaps only from the memory of the operating system.
  await file.sync()
  await removeSegmentsBefore(storage, segments[0]!.number)
  return { number, file, offset: end.offset }
}

/**
 * Takes a snapshot before anything new is accepted. Processes that never live long enough for one
 * would otherwise leave each next one more to replay.
 */
async function shorten(
  place: JournalPlace,
  snapshots: Snapshots,
  createNext: () => Promise<StorageFile>,
): Promise<JournalPlace> {
  const number = place.number + 1
  const file = await createNext()
  snapshots.start(number)
  await snapshots.settle()
  await place.file.close()
  return { number, file, offset: segmentHeadBytes }
}

function replayedBytes({ segments, end }: Recovered): number {
  return segments.slice(0, end.index).reduce((sum, { bytes }) => sum + bytes, end.offset)
}

async function removeUnfinished(storage: Storage): Promise<void> {
  for (const name of await storage.list()) {
    if (name.endsWith(asideSuffix)) await storage.remove(name)
  }
}
