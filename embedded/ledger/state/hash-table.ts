/** What `first` and `next` answer when there are no more candidates. */
export const none = -1

/**
 * From 32-bit hashes to references (integers from 0 to 2^31 - 2), several of which may share a
 * hash: the caller compares the real keys. Open addressing with the whole hash kept beside the
 * reference. The table is split in parts that grow one at a time, so that no single insertion
 * moves more than a small share of all entries.
 *
 *     for (let ref = table.first(hash); ref !== none; ref = table.next(hash)) {
 *       if (same(ref)) return ref
 *     }
 *     table.insert(hash, newRef)
 */
export class HashTable {
  private readonly parts: Uint32Array[] = []
  private readonly counts = new Uint32Array(partCount)
  /** Where the search in progress stands. */
  private part: Uint32Array
  private slot = 0

  constructor() {
    for (let part = 0; part < partCount; part += 1) this.parts.push(new Uint32Array(16))
    this.part = this.parts[0]!
  }

  /** The first reference under this hash, or `none`. */
  first(hash: number): number {
    this.part = this.parts[hash >>> partShift]!
    this.slot = (hash << 1) & (this.part.length - 1)
    return this.candidate(hash)
  }

  /** The next reference under the same hash, or `none`. */
  next(hash: number): number {
    this.slot = (this.slot + 2) & (this.part.length - 1)
    return this.candidate(hash)
  }

  private candidate(hash: number): number {
    const part = this.part
    const mask = part.length - 1
    let slot = this.slot
    while (part[slot + 1] !== 0 && part[slot] !== hash) slot = (slot + 2) & mask
    this.slot = slot
    return part[slot + 1]! - 1
  }

  /** Replaces the reference that `first` or `next` has just answered. */
  replace(reference: number): void {
    this.part[this.slot + 1] = reference + 1
  }

  /** Adds a reference, also when others have this hash. */
  insert(hash: number, reference: number): void {
    const index = hash >>> partShift
    const count = this.counts[index]! + 1
    this.counts[index] = count
    // Two words an entry: at three quarters of the slots the part doubles.
    if (count * 8 > this.parts[index]!.length * 3) this.grow(index)
    place(this.parts[index]!, hash, reference + 1)
  }

  /** Removes the entry; closes the gap, so that searches still meet everything behind it. */
  remove(hash: number, reference: number): void {
    let ref = this.first(hash)
    while (ref !== reference) {
      if (ref === none) throw new Error('removing what is not in the table')
      ref = this.next(hash)
    }
    const part = this.part
    const mask = part.length - 1
    let gap = this.slot
    for (let slot = (gap + 2) & mask; part[slot + 1] !== 0; slot = (slot + 2) & mask) {
      const home = (part[slot]! << 1) & mask
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue
      part[gap] = part[slot]!
      part[gap + 1] = part[slot + 1]!
      gap = slot
    }
    part[gap + 1] = 0
    const index = hash >>> partShift
    this.counts[index] = this.counts[index]! - 1
  }

  private grow(index: number): void {
    const old = this.parts[index]!
    const part = new Uint32Array(old.length * 2)
    for (let slot = 0; slot < old.length; slot += 2) {
      if (old[slot + 1] !== 0) place(part, old[slot]!, old[slot + 1]!)
    }
    this.parts[index] = part
  }
}

const partCount = 64
const partShift = 26

function place(part: Uint32Array, hash: number, entry: number): void {
  const mask = part.length - 1
  let slot = (hash << 1) & mask
  while (part[slot + 1] !== 0) slot = (slot + 2) & mask
  part[slot] = hash
  part[slot + 1] = entry
}
