/**
 * Kassa as a process that can be stopped for ever at an exact step of its work: after each call that
 * changes the ledger, after each statement that changes PostgreSQL, and before the answer. (Anywhere
 * else, stopping leaves behind what the step before leaves.) The steps are reached
 * through the dependencies; what jobs do in the background does not count. Commands arrive as lines
 * on standard input; what is told leaves on standard output at once, also when the process is stopped
 * right after it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import type { Ledger } from '../../accounting/client.ts'
import { loadConfig } from '../../server/config.ts'
import type { Deps } from '../../server/deps.ts'
import { startKassa } from '../../server/main.ts'
import { watchWrites } from './watch-writes.ts'

/** From the parent: count the steps of requests from now on, and stop at this one (1 is the next). */
export interface Command {
  stopAt: number
}

/** To the parent. */
export type Told = { ready: string } | { counting: true } | { step: string; stopped: boolean }

/** A process that nobody kills ends by itself. */
const stoppedForMs = 60_000

let isCounting = false
let steps = 0
let stopAt = Number.POSITIVE_INFINITY
/** Set in everything that happens for the sake of a request. */
const forRequest = new AsyncLocalStorage<true>()
subscribe('http.server.request.start', () => forRequest.enterWith(true))

const tell = (told: Told) => writeSync(1, `${JSON.stringify(told)}\n`)

/** A step has been reached. When it is the one to stop at, nothing of this process goes on. */
function reach(step: string): void {
  if (!isCounting || !forRequest.getStore()) return
  steps += 1
  const stopped = steps === stopAt
  tell({ step, stopped })
  if (!stopped) return
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stoppedForMs)
  process.exit(1)
}

function watchLedger(ledger: Ledger): Ledger {
  const watched =
    <Batch, Results>(name: string, call: (batch: Batch) => Promise<Results>) =>
    async (batch: Batch): Promise<Results> => {
      const results = await call(batch)
      reach(`after ${name}`)
      return results
    }
  return {
    ...ledger,
    createAccounts: watched('createAccounts', ledger.createAccounts),
    createTransfers: watched('createTransfers', ledger.createTransfers),
  }
}

function watch(deps: Deps): Deps {
  return {
    ...deps,
    // The line of a request is logged right before its answer is sent.
    log: Object.create(deps.log, { info: { value: () => reach('before the answer') } }),
    ledger: watchLedger(deps.ledger),
    db: watchWrites(deps.db, (kind) => reach(`after ${kind}`)),
    memos: {
      async add(memo) {
        await deps.memos.add(memo)
        reach('after a memo')
      },
    },
  }
}

const kassa = await startKassa(loadConfig(process.env), { adapt: watch })
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command: Command = JSON.parse(line)
    isCounting = true
    steps = 0
    stopAt = command.stopAt
    tell({ counting: true })
  })
  .on('close', () => process.exit(0))
flushCompileCache()
tell({ ready: kassa.url })
