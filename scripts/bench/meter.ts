/** Counts what a measured process does: the operations that succeeded, and its processor time. */

export interface Usage {
  /** Of all threads of the process since it started, microseconds. */
  cpuMicroseconds: number
  /** Payments that were answered with success. */
  moved: number
}

export interface Meter {
  /** Counts an operation; those under way count as open. `moves` is false for one that moves nothing. */
  count<T>(operation: Promise<T>, moves?: boolean): Promise<T>
  /** Waits until nothing is open: a load generator stops without waiting for its last answers. */
  usage(): Promise<Usage>
}

/** `isSuccess` tells by an operation's answer whether money has moved. */
export function createMeter(isSuccess: (answer: unknown) => boolean = () => true): Meter {
  let open = 0
  let moved = 0
  let wake: (() => void) | undefined

  return {
    async count(operation, moves = true) {
      open += 1
      try {
        const answer = await operation
        if (moves && isSuccess(answer)) moved += 1
        return answer
      } finally {
        open -= 1
        if (open === 0) wake?.()
      }
    },
    async usage() {
      if (open > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const { user, system } = process.cpuUsage()
      return { cpuMicroseconds: user + system, moved }
    },
  }
}
