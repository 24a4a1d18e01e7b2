import { headerBytes, replyAt } from './header.ts'
import { encodeManifest, type Manifest, manifestName } from './manifest.ts'
import type { Replica } from './replica.ts'
import { segmentName, segmentNumbers } from './segment.ts'
import { Sessions } from './sessions.ts'
import type { StateFile } from './state-file.ts'
import { isRead } from './state-machine.ts'
import { replaceFile, type Storage } from './storage.ts'

export interface SnapshotOptions {
  readonly storage: Storage
  readonly folder: Uint8Array
  readonly stateFile: StateFile
  readonly replica: Replica
  readonly report: (line: string) => void
}

/** Saves the state now and then, so that a restart has little of the journal to replay. */
export class Snapshots {
  readonly #options: SnapshotOptions
  #running: Promise<void> | null = null

  constructor(options: SnapshotOptions) {
    this.#options = options
  }

  /**
   * Starts a snapshot of this very moment, which makes the segments before `segment` needless. It is
   * written beside commits. When one is still being written, this one is left out: the next will do.
   */
  start(segment: number): void {
    if (this.#running !== null) return
    const { replica, folder } = this.#options
    const state = replica.stateMachine.snapshot()
    const cut = {
      folder: Buffer.from(folder).toString('hex'),
      op: replica.op,
      timestamp: String(replica.timestamp),
      segment,
      header: Buffer.from(state.header).toString('hex'),
      sections: state.sections.map(({ name, byteLength }) => ({ name, bytes: byteLength })),
      sessions: saveSessions(replica.sessions),
    }
    this.#running = this.#save(cut, state.sections)
      .catch((error) => this.#options.report(`a snapshot failed, the journal is kept: ${error}`))
      .finally(() => {
        this.#running = null
      })
  }

  /** Resolves when no snapshot is being written. */
  async settle(): Promise<void> {
    await this.#running
  }

  async #save(
    cut: Omit<Manifest, 'stateBytes'>,
    sections: Parameters<StateFile['append']>[0],
  ): Promise<void> {
    const { storage, stateFile } = this.#options
    const { bytes, accept } = await stateFile.append(sections)
    await replaceFile(storage, manifestName, encodeManifest({ ...cut, stateBytes: bytes }))
    accept()
    await removeSegmentsBefore(storage, cut.segment)
  }
}

/** Removes the segments that a durable snapshot has made needless. */
export async function removeSegmentsBefore(storage: Storage, segment: number): Promise<void> {
  const old = segmentNumbers(await storage.list()).filter((number) => number < segment)
  for (const number of old) await storage.remove(segmentName(number))
  if (old.length > 0) await storage.sync()
}

/** The sessions as a manifest says. */
export function restoreSessions(saved: Manifest['sessions']): Sessions {
  const sessions = new Sessions()
  for (const { number, reply } of saved) {
    sessions.resume(BigInt(number), Buffer.from(reply, 'hex'))
  }
  return sessions
}

function saveSessions(sessions: Sessions): Manifest['sessions'] {
  return Array.from(sessions, ({ number, reply, view }) => {
    // A read can simply be executed again, so its reply, which may be large, is left out.
    const read = isRead(view.getUint8(replyAt.operation))
    const kept = Buffer.from(reply.subarray(0, read ? headerBytes : reply.byteLength))
    return { number: String(number), reply: kept.toString('hex') }
  })
}
