import { RowStore } from './row-store.ts'

const chunkWords = 65_536
/** Words before the rows of a block. */
const header = { previous: 0, next: 1, capacity: 2, count: 3 } as const
const headerWords = 4
const firstCapacity = 4
const capacityMax = 1024
/** Words of a list: its first block, its last block, its number of rows. */
const listWords = 3

/**
 * Rising lists of row numbers that grow at the end. A list is a chain of blocks, each twice as
 * large as the one before up to a limit, so short lists are small and long ones are read in runs.
 * A block is named by its first word; 0 is no block.
 */
export class RowLists {
  private readonly chunks: Uint32Array[] = []
  /** The first word never used. */
  private end = headerWords
  private readonly lists = new RowStore(listWords, 4096)

  /** A new list with two rows. */
  create(first: number, second: number): number {
    const list = this.lists.append()
    const words = this.lists.words(list)
    const at = this.lists.at(list)
    const block = this.allocate(firstCapacity, 0)
    words[at] = block
    words[at + 1] = block
    words[at + 2] = 0
    this.append(list, first)
    this.append(list, second)
    return list
  }

  /** Adds a row that is greater than all in the list. */
  append(list: number, row: number): void {
    const words = this.lists.words(list)
    const at = this.lists.at(list)
    let block = words[at + 1]!
    if (this.countOf(block) === this.get(block + header.capacity)) {
      const capacity = Math.min(this.countOf(block) * 2, capacityMax)
      const next = this.allocate(capacity, block)
      this.set(block + header.next, next)
      words[at + 1] = next
      block = next
    }
    const count = this.countOf(block)
    this.set(block + headerWords + count, row)
    this.set(block + header.count, count + 1)
    words[at + 2] = words[at + 2]! + 1
  }

  /** How many rows a list has. */
  length(list: number): number {
    return this.lists.words(list)[this.lists.at(list) + 2]!
  }

  firstBlock(list: number): number {
    return this.lists.words(list)[this.lists.at(list)]!
  }

  lastBlock(list: number): number {
    return this.lists.words(list)[this.lists.at(list) + 1]!
  }

  /** The block after this one, or 0. */
  nextBlock(block: number): number {
    return this.get(block + header.next)
  }

  /** The block before this one, or 0. */
  previousBlock(block: number): number {
    return this.get(block + header.previous)
  }

  /** How many rows a block has; never 0 in a list. */
  countOf(block: number): number {
    return this.get(block + header.count)
  }

  row(block: number, index: number): number {
    return this.get(block + headerWords + index)
  }

  private allocate(capacity: number, previous: number): number {
    const size = headerWords + capacity
    if ((this.end % chunkWords) + size > chunkWords) {
      this.end = Math.ceil(this.end / chunkWords) * chunkWords
    }
    const block = this.end
    this.end += size
    this.chunks[Math.floor(block / chunkWords)] ??= new Uint32Array(chunkWords)
    this.set(block + header.previous, previous)
    this.set(block + header.capacity, capacity)
    return block
  }

  private get(word: number): number {
    return this.chunks[word >>> 16]![word & 0xffff]!
  }

  private set(word: number, value: number): void {
    this.chunks[word >>> 16]![word & 0xffff] = value
  }
}
