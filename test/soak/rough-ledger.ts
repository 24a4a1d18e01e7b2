import type { Random } from '../embedded/lib/random.ts'
import { type Direction, startTcpProxy } from '../lib/tcp-proxy.ts'

/** A way to the ledger on which things are late and get lost, as on a bad network. */
export interface RoughLedger {
  /** `host:port` for the clients. */
  readonly address: string
  /** How often connections were cut, and how often nothing passed for a while. */
  readonly counts: { cuts: number; delays: number; blackouts: number }
  /** Whoever used it is gone: what was still on its way is lost. */
  abandon(): void
  /** From now on everything passes. */
  calm(): void
  close(): Promise<void>
}

/** Time in which everything passes, between two events. */
const quietMsMax = 400
const delayMsMax = 40
/** Longer than the processes wait for an answer. */
const blackoutMsMax = 3_000

const directions: Direction[][] = [['requests'], ['answers'], ['requests', 'answers']]

/** Starts a way to the ledger at `target`; when something happens is drawn from `random`. */
export async function startRoughLedger(target: string, random: Random): Promise<RoughLedger> {
  const proxy = await startTcpProxy({ target })
  const counts = { cuts: 0, delays: 0, blackouts: 0 }
  let timer: NodeJS.Timeout | undefined
  let isCalm = false

  const after = (ms: number, next: () => void) => {
    if (!isCalm) timer = setTimeout(next, ms)
  }

  function quiet(): void {
    proxy.release()
    after(random.below(quietMsMax), disturb)
  }

  function disturb(): void {
    if (random.chance(0.15)) {
      counts.cuts += 1
      proxy.cut()
      quiet()
      return
    }
    const isBlackout = random.chance(0.01)
    counts[isBlackout ? 'blackouts' : 'delays'] += 1
    proxy.hold(...random.pick(directions))
    after(random.below(isBlackout ? blackoutMsMax : delayMsMax), quiet)
  }

  quiet()
  const calm = () => {
    isCalm = true
    clearTimeout(timer)
    proxy.release()
  }
  return {
    address: proxy.address,
    counts,
    abandon: () => proxy.cut(),
    calm,
    async close() {
      calm()
      await proxy.close()
    },
  }
}
