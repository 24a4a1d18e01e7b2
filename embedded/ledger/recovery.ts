import { viewOf } from './checksum.ts'
import { checkFileHead, fileHeadBytes, folderOf } from './file-head.ts'
import { type JournalEnd, type OpenSegment, readJournal } from './journal-reader.ts'
import { decodeManifest, type Manifest, manifestName } from './manifest.ts'
import { Replica } from './replica.ts'
import { segmentIdentity, segmentName, segmentNumbers } from './segment.ts'
import { restoreSessions } from './snapshots.ts'
import { openStateFile, type StateFile, stateFileName } from './state-file.ts'
import { createStateMachine } from './state-machine.ts'
import { DamageError, readFully, readWhole, type Storage } from './storage.ts'

export interface RecoveryOptions {
  readonly storage: Storage
  /** The wall clock, nanoseconds. */
  readonly clock: () => bigint
  /** Clear lines for people. */
  readonly report: (line: string) => void
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

/** Reads and checks all that is in `storage` without changing it; null when there is no ledger. */
export async function recover(options: RecoveryOptions): Promise<Recovered | null> {
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

/** Closes all files of what was only to be looked at. */
export async function closeFiles({ segments, stateFile }: Recovered): Promise<void> {
  for (const { file } of segments) await file.close()
  await stateFile?.close()
}

function restoreReplica(
  stateFile: StateFile,
  manifest: Manifest,
  { clock, report }: RecoveryOptions,
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
