import { setTimeout as wait } from 'node:timers/promises'
import {
  type JobHelpers,
  Logger,
  type LogLevel,
  type ParsedCronItem,
  parseCronItems,
  type Runner,
  run,
} from 'graphile-worker'
import { z } from 'zod'
import type { Deps } from '../deps.ts'
import { closeIntervals } from '../evidence/close.ts'
import { recover } from '../flows/recovery.ts'
import { runPayroll } from '../flows/run-payroll.ts'
import { updateRates } from '../flows/update-rates.ts'
import { warnOfStuckWithdrawals } from '../flows/withdrawals.ts'
import { createRateProviders } from '../rates/index.ts'
import { reconcile } from './reconcile.ts'
import { sweep } from './sweep.ts'

/** Connections to PostgreSQL of its own: one that listens, and those that carry out jobs. */
const poolSize = 3
/** Others are carried out while a reconciliation is, which can take long; there is one of these at a time. */
const jobsAtOnce = 2

type JobDeps = Pick<
  Deps,
  'config' | 'db' | 'ledger' | 'log' | 'memos' | 'nowMs' | 'passwords' | 'sessions' | 'settings'
>

const payrollJob = z.object({ id: z.uuid() })

/** How often each job runs, over all processes together (crontab, in UTC), besides reconciliations. */
const schedule = {
  recover: '* * * * *',
  rates: '* * * * *',
  evidence: '* * * * *',
  sweep: '*/10 * * * *',
  warn: '0 * * * *',
}

/** After this time a worker that has ended, for instance with its PostgreSQL, is started again. */
const restartMs = 5_000

/**
 * Carries out what happens in the background: finishing what was cut off, at the start and every
 * minute, reading exchange rates, closing intervals of the evidence, sweeping, warning of what waits for
 * people, and reconciliations. Any number of processes may do it at once: graphile-worker gives each job
 * to one of them.
 * @throws Error for a schedule that is none
 */
export function startWorker(deps: JobDeps): { stop(): Promise<void> } {
  const { log, config } = deps
  const cronItems = parseSchedule(config.reconcileCron)
  const stopped = Promise.withResolvers<void>()
  const stopping = new AbortController()
  let isStopped = false
  let runner: Runner | undefined

  async function work(): Promise<void> {
    while (!isStopped) {
      try {
        runner = await startRunner(deps, cronItems, stopping.signal)
        if (isStopped) await runner.stop()
        await runner.promise
      } catch (error) {
        log.warn({ err: error }, 'the worker for jobs in the background has ended')
      }
      runner = undefined
      if (!isStopped)
        await Promise.race([stopped.promise, wait(restartMs, undefined, { ref: false })])
    }
  }

  const working = work()
  return {
    async stop() {
      isStopped = true
      stopped.resolve()
      stopping.abort(new Error('Kassa stops'))
      // It refuses to be stopped when it is ending already.
      await runner?.stop().catch(() => {})
      await working
    },
  }
}

function parseSchedule(reconcileCron: string | undefined): ParsedCronItem[] {
  const all = { ...schedule, ...(reconcileCron !== undefined && { reconcile: reconcileCron }) }
  const items = Object.entries(all).map(([task, match]) => ({
    task,
    match,
    // What a round misses the next one finds.
    options: { backfillPeriod: 0, maxAttempts: 1 },
  }))
  return parseCronItems(items)
}

async function startRunner(
  deps: JobDeps,
  parsedCronItems: ParsedCronItem[],
  stopping: AbortSignal,
): Promise<Runner> {
  const providers = createRateProviders(deps.config)
  const tasks = {
    async recover() {
      const counts = await recover(deps)
      if (Object.keys(counts).length > 0) deps.log.info(counts, 'what was cut off is settled now')
    },
    async rates() {
      const count = await updateRates(deps, providers)
      if (count > 0) deps.log.info({ count }, 'exchange rates were set')
    },
    /** Some intervals at a time: other jobs come in between. */
    async evidence(_payload: unknown, { addJob }: JobHelpers) {
      const { isMore } = await closeIntervals(deps)
      if (isMore) await addJob('evidence', {}, { jobKey: 'the next intervals', maxAttempts: 1 })
    },
    sweep: () => sweep(deps),
    warn: () => warnOfStuckWithdrawals(deps),
    /** Some rows at a time: other jobs come in between. */
    payroll: (payload: unknown) => runPayroll(deps, payrollJob.parse(payload).id),
    reconcile: (payload: unknown) => reconcile(deps, payload, stopping),
  }
  const runner = await run({
    connectionString: deps.config.databaseUrl,
    maxPoolSize: poolSize,
    concurrency: jobsAtOnce,
    noHandleSignals: true,
    // Without these it does not wait for a job's end to be written: an error there ends the process.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    taskList: tasks,
    parsedCronItems,
    logger: toLogger(deps.log),
  })
  // Its end is awaited a little later: an early one must not count as unhandled.
  runner.promise.catch(() => {})
  const once = { jobKey: 'recover at the start', maxAttempts: 1 }
  await runner.addJob('recover', {}, once)
  return runner
}

const levels = { error: 'warn', warning: 'warn', info: 'debug', debug: 'trace' } as const

/** What graphile-worker tells of itself is for those who look for it; a failed job is a warning. */
function toLogger(log: Deps['log']): Logger {
  return new Logger(() => (level: `${LogLevel}`, message: string) => {
    log[levels[level]](message)
  })
}
