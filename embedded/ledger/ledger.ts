import { randomBytes } from 'node:crypto'
import { viewOf } from './checksum.ts'
import { checkFileHead, fileHeadBytes, folderOf } from './file-head.ts'
import { Journal } from './journal.ts'
import { type JournalEnd, type OpenSegment, readJournal } from './journal-reader.ts'
import { decodeManifest, type Manifest, manifestName } from './manifest.ts'
import { type EntryLog, Replica } from './replica.ts'
import {
  createSegment,
  segmentBytesDefault,
  segmentIdentity,
  segmentName,
  segmentNumbers,
} from './segment.ts'
import { removeSegmentsBefore, restoreSessions, Snapshots } from './snapshots.ts'
import { openStateFile, type StateFile, stateFileName } from './state-file.ts'
import { createStateMachine } from './state-machine.ts'
import { asideSuffix, DamageError, readFully, readWhole, type Storage } from './storage.ts'

export interface LedgerOptions {
  readonly storage: Storage
  /** The wall clock, nanoseconds. */
  readonly clock: () => bigint
  /** Clear lines for people. */
  readonly report: (line: string) => void
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

/** What a data folder holds, read and checked, and the replica made from it. */
export interface Recovered {
  readonly replica: Replica
  readonly folder: Uint8Array
  /** Null before the first snapshot. */
  readonly stateFile: StateFile | null
  readonly segments: readonly OpenSegment[]
  readonly end: JournalEnd
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
  const stateFile = recovered.stateFile ?? (await openStateFile(storage, folder))
  const segment = await cutOff(storage, recovered)
  const journal = new Journal({
    storage,
    folder,
    segment,
    offset: end.offset,
    lastOp: end.lastOp,
    segmentBytes,
    fullDiskRetryMs: options.fullDiskRetryMs ?? 1_000,
    report,
    onFailure,
  })
  const snapshots = new Snapshots({ storage, folder, stateFile, replica, report })
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

/** Reads and checks all that is in `storage` without changing it; null when there is no ledger. */
export async function recover(
  options: Pick<LedgerOptions, 'storage' | 'clock' | 'report'>,
): Promise<Recovered | null> {
  const { storage, clock, report } = options
  const names = await storage.list()
  const bytes = await readWhole(storage, manifestName)
  const manifest = bytes === null ? null : decodeManifest(bytes)
  const segments = await openSegments(storage, names, manifest)
  const first = segments[0]
  if (first === undefined) return null
  const folder = manifest === null ? folderId(first) : Buffer.from(manifest.folder, 'hex')
  for (const segment of segments) checkSegment(segment, folder)
  const stateFile = manifest === null ? null : await openStateFile(storage, folder)
  const replica =
    manifest !== null && stateFile !== null
      ? restoreReplica(stateFile, manifest, options)
      : new Replica({ stateMachine: createStateMachine(), clock })
  const started = performance.now()
  const from = replica.op
  const end = readJournal(segments, viewOf(folder), from, (head, body) =>
    replica.replay(head, body),
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  report(`recovered: snapshot up to op ${from}, then ${end.lastOp - from} ops in ${seconds} s`)
  return { replica, folder, stateFile, segments, end }
}

function restoreReplica(
  stateFile: StateFile,
  manifest: Manifest,
  { clock, report }: Pick<LedgerOptions, 'clock' | 'report'>,
): Replica {
  report(`reading a snapshot of ${Math.ceil(manifest.stateBytes / 2 ** 20)} MiB`)
  const section = stateFile.load(manifest.stateBytes, manifest.sections)
  const header = Uint8Array.from(Buffer.from(manifest.header, 'hex'))
  return new Replica({
    stateMachine: createStateMachine({ header, section }),
    clock,
    sessions: restoreSessions(manifest.sessions),
    op: manifest.op,
    timestamp: BigInt(manifest.timestamp),
  })
}

/** Opens the segments that are needed; none may be missing. */
async function openSegments(
  storage: Storage,
  names: readonly string[],
  manifest: Manifest | null,
): Promise<OpenSegment[]> {
  const first = manifest?.segment ?? 1
  const numbers = segmentNumbers(names).filter((number) => number >= first)
  if (numbers.length === 0 && manifest === null) {
    if (names.includes(stateFileName)) throw new DamageError(manifestName, 0, 'it is missing')
    return []
  }
  if (manifest !== null && !names.includes(stateFileName)) {
    throw new DamageError(stateFileName, 0, 'it is missing')
  }
  const count = Math.max(numbers.length, 1)
  for (let i = 0; i < count; i++) {
    if (numbers[i] !== first + i) throw new DamageError(segmentName(first + i), 0, 'it is missing')
  }
  const segments: OpenSegment[] = []
  for (const number of numbers) {
    const file = await storage.open(segmentName(number), { syncedWrites: true })
    segments.push({ number, file, bytes: await file.size() })
  }
  return segments
}

/** A new ledger: one empty segment that carries the folder's new id. */
async function create(options: LedgerOptions, segmentBytes: number): Promise<Recovered> {
  const { storage, clock } = options
  const folder = randomBytes(8)
  const file = await createSegment(storage, folder, 1, segmentBytes)
  const segments = [{ number: 1, file, bytes: await file.size() }]
  const end: JournalEnd = { index: 0, offset: fileHeadBytes, lastOp: 0, torn: false }
  const replica = new Replica({ stateMachine: createStateMachine(), clock })
  return { replica, folder, stateFile: null, segments, end }
}

/** Removes what was being written when the last process ended, and returns where to go on. */
async function cutOff(storage: Storage, { segments, end }: Recovered): Promise<OpenSegment> {
  const segment = segments[end.index]!
  // Before anything older is removed, a snapshot that was seen by its new name has to be durable.
  // This also makes a new state file last.
  await storage.sync()
  const later = segments.slice(end.index + 1).reverse()
  for (const { number, file } of later) {
    await file.close()
    await storage.remove(segmentName(number))
  }
  if (end.torn) await segment.file.truncate(end.offset)
  // The newest records were read, but perhaps only from the memory of the operating system.
  await segment.file.sync()
  await removeSegmentsBefore(storage, segments[0]!.number)
  return segment
}

async function removeUnfinished(storage: Storage): Promise<void> {
  for (const name of await storage.list()) {
    if (name.endsWith(asideSuffix)) await storage.remove(name)
  }
}

function checkSegment({ number, file }: OpenSegment, folder: Uint8Array): void {
  const head = readHead({ file })
  checkFileHead(segmentName(number), head, segmentIdentity(folder, number))
}

function folderId(first: OpenSegment): Uint8Array {
  return folderOf(readHead(first))
}

function readHead({ file }: Pick<OpenSegment, 'file'>): Uint8Array {
  const head = new Uint8Array(fileHeadBytes)
  return head.subarray(0, readFully(file, head, 0))
}
