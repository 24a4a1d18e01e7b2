import type { Deps } from '../deps.ts'
import { recoverWallets } from '../flows/open-wallet.ts'

const intervalMs = 30_000

/**
 * Finishes what a process was in the middle of when it died, or when the ledger was away: at the
 * start, and again and again. Any number of processes may do it at once.
 */
export function startRecovery(deps: Pick<Deps, 'db' | 'ledger' | 'log'>): {
  stop(): Promise<void>
} {
  let running: Promise<void> | undefined

  function run(): void {
    running ??= recoverWallets(deps)
      .then(
        (count) => {
          if (count > 0) deps.log.info({ count }, 'accounts of wallets were created belatedly')
        },
        (error: unknown) => deps.log.warn({ err: error }, 'wallets could not be recovered'),
      )
      .finally(() => {
        running = undefined
      })
  }

  run()
  const timer = setInterval(run, intervalMs)
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
