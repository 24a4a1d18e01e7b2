import type { Storage, StorageFile } from '../../../embedded/ledger/storage.ts'
import type { Random } from './random.ts'

/** A disk writes whole sectors, and unsynced ones in any order or not at all. */
const sectorBytes = 512

/** A change of a file that is not on disk yet; a truncation has no bytes. */
type Change = { readonly bytes: Uint8Array; readonly position: number } | { readonly size: number }
interface Inode {
  readonly disk: Buffer
  readonly pending: readonly Change[]
}
/** A change of the folder: the names it sets, each to an inode or to nothing. */
type FolderChange = ReadonlyMap<string, number | null>

/** All that a crash at one moment leaves to chance. Immutable. */
export interface Moment {
  readonly names: ReadonlyMap<string, number>
  readonly folderPending: readonly FolderChange[]
  readonly inodes: ReadonlyMap<number, Inode>
}

/** What may go wrong with a write: nothing, or an error with this code. */
export type Fault = 'ENOSPC' | 'EIO' | null

export interface SimOptions {
  readonly random: Random
  /** Called whenever a crash would leave something new to chance. */
  readonly onMoment?: (moment: Moment) => void
  readonly fault?: () => Fault
}

const emptyMoment: Moment = { names: new Map(), folderPending: [], inodes: new Map() }

/**
 * A file system in memory which promises as little as a real one: what was not synced may be lost
 * after a crash, in part, and in any order.
 */
export class SimStorage implements Storage {
  readonly #options: SimOptions
  #moment: Moment
  #inodes = 0

  constructor(options: SimOptions, start: Moment = emptyMoment) {
    this.#options = options
    this.#moment = start
    this.#inodes = Math.max(0, ...start.inodes.keys())
  }

  get moment(): Moment {
    return this.#moment
  }

  async list(): Promise<string[]> {
    await this.#pause()
    return [...this.#names().keys()]
  }

  async open(name: string, options: { syncedWrites?: boolean } = {}): Promise<StorageFile> {
    await this.#pause()
    let inode = this.#names().get(name)
    if (inode === undefined) {
      inode = ++this.#inodes
      const inodes = new Map(this.#moment.inodes).set(inode, { disk: Buffer.alloc(0), pending: [] })
      this.#moment = { ...this.#moment, inodes }
      await this.#changeFolder(new Map([[name, inode]]))
    }
    return this.#file(inode, options.syncedWrites === true)
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#names().get(from)
    if (inode === undefined) throw new Error(`rename: no ${from}`)
    await this.#changeFolder(new Map<string, number | null>([[from, null]]).set(to, inode))
  }

  async remove(name: string): Promise<void> {
    if (!this.#names().has(name)) throw new Error(`remove: no ${name}`)
    await this.#changeFolder(new Map([[name, null]]))
  }

  async sync(): Promise<void> {
    await this.#pause()
    this.#moment = { ...this.#moment, names: this.#names(), folderPending: [] }
    this.#tell()
  }

  #file(inode: number, synced: boolean): StorageFile {
    const get = (): Inode => this.#moment.inodes.get(inode)!
    const set = (next: Inode): void => {
      this.#moment = { ...this.#moment, inodes: new Map(this.#moment.inodes).set(inode, next) }
      this.#tell()
    }
    const sync = async (): Promise<void> => {
      const issued = get().pending.length
      await this.#pause()
      const { disk, pending } = get()
      set({ disk: applyAll(disk, pending.slice(0, issued)), pending: pending.slice(issued) })
    }
    const change = async (next: Change): Promise<void> => {
      await this.#pause()
      set({ ...get(), pending: [...get().pending, next] })
    }
    return {
      size: async () => current(get()).byteLength,
      read: (target, position) => current(get()).copy(target, 0, position),
      write: async (bytes, position) => {
        const fault = this.#options.fault?.() ?? null
        // A failed write may have reached the disk in part.
        const part = fault === null ? bytes.length : this.#options.random.below(bytes.length + 1)
        await change({ bytes: Uint8Array.from(bytes.subarray(0, part)), position })
        if (fault !== null) throw Object.assign(new Error(`write: ${fault}`), { code: fault })
        if (synced) await sync()
      },
      sync,
      truncate: (size) => change({ size }),
      close: () => this.#pause(),
    }
  }

  async #changeFolder(change: FolderChange): Promise<void> {
    const folderPending = [...this.#moment.folderPending, change]
    this.#moment = { ...this.#moment, folderPending }
    this.#tell()
    await this.#pause()
  }

  #names(): Map<string, number> {
    return applyNames(this.#moment.names, this.#moment.folderPending)
  }

  #tell(): void {
    this.#options.onMoment?.(this.#moment)
  }

  /** Lets other work go in between, now more, now less. */
  async #pause(): Promise<void> {
    const turns = this.#options.random.below(3)
    for (let i = 0; i < turns; i++) await new Promise(setImmediate)
  }
}

/** One of the many states that a crash at `moment` may leave: all in it is on disk. */
export function crash(moment: Moment, random: Random): Moment {
  const survived = moment.folderPending.filter(() => random.chance(0.5))
  const inodes = new Map<number, Inode>()
  for (const [number, { disk, pending }] of moment.inodes) {
    // Often all of it survives or none: the middle alone would be rare.
    const rate = random.pick([0, 0.5, 0.9, 1])
    const kept = pending.flatMap((change) => survivingParts(change, rate, random))
    inodes.set(number, { disk: applyAll(disk, kept), pending: [] })
  }
  return { names: applyNames(moment.names, survived), folderPending: [], inodes }
}

/** Changes one byte of a file on disk; for tests of damage. */
export function damage(moment: Moment, name: string, offset: number, bits: number): Moment {
  const number = moment.names.get(name)
  const inode = number === undefined ? undefined : moment.inodes.get(number)
  if (number === undefined || inode === undefined) throw new Error(`no ${name}`)
  const disk = Buffer.from(inode.disk)
  disk[offset] = disk[offset]! ^ bits
  return { ...moment, inodes: new Map(moment.inodes).set(number, { ...inode, disk }) }
}

/** The file names and sizes on disk. */
export function filesOf(moment: Moment): { name: string; size: number }[] {
  return Array.from(moment.names, ([name, inode]) => ({
    name,
    size: moment.inodes.get(inode)!.disk.byteLength,
  }))
}

function survivingParts(change: Change, rate: number, random: Random): Change[] {
  if ('size' in change) return random.chance(rate) ? [change] : []
  const parts: Change[] = []
  const { bytes, position } = change
  for (let start = 0; start < bytes.length; ) {
    const end = Math.min(bytes.length, start + sectorBytes - ((position + start) % sectorBytes))
    const part = { bytes: bytes.subarray(start, end), position: position + start }
    if (random.chance(rate)) parts.push(part)
    start = end
  }
  return parts
}

function current(inode: Inode): Buffer {
  return applyAll(inode.disk, inode.pending)
}

function applyAll(disk: Buffer, changes: readonly Change[]): Buffer {
  if (changes.length === 0) return disk
  let size = disk.length
  let room = disk.length
  for (const change of changes) {
    if (!('size' in change)) room = Math.max(room, change.position + change.bytes.length)
    else room = Math.max(room, change.size)
  }
  const bytes = Buffer.alloc(room)
  disk.copy(bytes)
  for (const change of changes) {
    if ('size' in change) {
      bytes.fill(0, change.size)
      size = change.size
    } else if (change.bytes.length > 0) {
      bytes.set(change.bytes, change.position)
      size = Math.max(size, change.position + change.bytes.length)
    }
  }
  return bytes.subarray(0, size)
}

function applyNames(
  names: ReadonlyMap<string, number>,
  changes: readonly FolderChange[],
): Map<string, number> {
  const result = new Map(names)
  for (const change of changes) {
    for (const [name, inode] of change) {
      if (inode === null) result.delete(name)
      else result.set(name, inode)
    }
  }
  return result
}
