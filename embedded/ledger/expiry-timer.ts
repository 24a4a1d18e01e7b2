import type { Replica } from './replica.ts'

const nanosecondsPerMs = 1_000_000n
/** Timers further away are set again when this time (milliseconds) has passed. */
const waitMsMax = 60_000

/** Expires pending transfers when their time comes, also when no client calls. */
export class ExpiryTimer {
  readonly #replica: Replica
  #due = 0n
  #timer: NodeJS.Timeout | undefined

  constructor(replica: Replica) {
    this.#replica = replica
  }

  /** To be called after anything that may have changed when the next transfer expires. */
  arm(): void {
    const due = this.#replica.stateMachine.nextExpiry
    if (due === this.#due) return
    this.stop()
    this.#due = due
    if (due === 0n) return
    const waitMs = Number((due - BigInt(Date.now()) * nanosecondsPerMs) / nanosecondsPerMs) + 1
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(waitMs, 0), waitMsMax))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#due = 0n
  }

  #fire(): void {
    this.#due = 0n
    this.#replica.expireDue()
    this.arm()
  }
}
