/** What is pending with a deadline, in the order in which it runs out. */

/** Something that runs out unless it ends before. */
export interface Expiring {
  /** Nanoseconds since 1970. */
  readonly deadline: bigint
  isOpen: boolean
}

export interface Deadlines<Item extends Expiring> {
  add(item: Item): void
  /** Tells that an item that was added is not open any more. */
  ended(): void
  /** Removes and gives the next item that is still open and whose deadline is not after this time (ns). */
  takeDue(until: bigint): Item | undefined
}

/** Those that have ended are cleared away when there are more of them than this and than of the others. */
const endedMin = 1_024

/** A binary heap. What has ended stays in it until it is due, or until there is too much of it. */
export function createDeadlines<Item extends Expiring>(): Deadlines<Item> {
  let heap: Item[] = []
  let endedCount = 0

  function up(start: number): void {
    const item = heap[start]!
    let place = start
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (heap[parent]!.deadline <= item.deadline) break
      heap[place] = heap[parent]!
      place = parent
    }
    heap[place] = item
  }

  function down(start: number): void {
    const item = heap[start]!
    let place = start
    for (;;) {
      let child = 2 * place + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.deadline < heap[child]!.deadline) child += 1
      if (item.deadline <= heap[child]!.deadline) break
      heap[place] = heap[child]!
      place = child
    }
    heap[place] = item
  }

  function take(): Item {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      heap[0] = last
      down(0)
    }
    return first
  }

  return {
    add(item) {
      heap.push(item)
      up(heap.length - 1)
    },
    ended() {
      endedCount += 1
      if (endedCount < endedMin || 2 * endedCount < heap.length) return
      heap = heap.filter(({ isOpen }) => isOpen)
      for (let place = (heap.length >> 1) - 1; place >= 0; place -= 1) down(place)
      endedCount = 0
    },
    takeDue(until) {
      while (heap.length > 0 && heap[0]!.deadline <= until) {
        const item = take()
        if (item.isOpen) return item
        endedCount -= 1
      }
      return undefined
    },
  }
}
