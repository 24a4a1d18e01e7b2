/** Too many items wait to be written; nothing of the refused one was. */
export class BatcherFull extends Error {}

export interface BatcherOptions<Item> {
  /** Writes items in one statement; when it rejects, none of them counts as written. */
  write: (items: readonly Item[]) => Promise<void>
  /** How many items one statement takes. */
  batchMax: number
  /** How many items may wait. */
  queueMax: number
}

/**
 * Joins what is written at about the same time into one statement: while one is under way, items
 * wait for the next. The promise of an item settles when its statement does.
 */
export function createBatcher<Item>({ write, batchMax, queueMax }: BatcherOptions<Item>) {
  let queue: { item: Item; resolve: () => void; reject: (error: unknown) => void }[] = []
  let isWriting = false

  async function drain(): Promise<void> {
    isWriting = true
    while (queue.length > 0) {
      const batch = queue.slice(0, batchMax)
      queue = queue.slice(batchMax)
      try {
        await write(batch.map(({ item }) => item))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isWriting = false
  }

  return {
    /** Writes an item with the next statement. @throws BatcherFull, or what the statement throws */
    add: (item: Item): Promise<void> =>
      new Promise((resolve, reject) => {
        if (queue.length >= queueMax) return reject(new BatcherFull('too many items wait'))
        queue.push({ item, resolve, reject })
        if (!isWriting) void drain()
      }),
  }
}
