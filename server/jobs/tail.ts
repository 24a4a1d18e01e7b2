import type { Deps } from '../deps.ts'
import { followOnce } from '../flows/follow.ts'
import { readModel } from '../flows/read-model.ts'

const idleMs = 250

/** Follows the ledger until it is stopped. Any number of processes may do it at once. */
export function startTail(deps: Pick<Deps, 'db' | 'ledger' | 'nowMs' | 'log'>): {
  stop(): Promise<void>
} {
  const stopped = Promise.withResolvers<void>()
  let isStopped = false

  async function follow(): Promise<void> {
    while (!isStopped) {
      try {
        if ((await followOnce(deps, readModel))?.isMore) continue
      } catch (error) {
        deps.log.warn({ err: error }, 'the read model does not follow the ledger')
      }
      await Promise.race([stopped.promise, wait(idleMs)])
    }
  }

  const following = follow()
  return {
    async stop() {
      isStopped = true
      stopped.resolve()
      await following
    },
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
