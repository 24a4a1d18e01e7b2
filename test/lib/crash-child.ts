/**
 * Kassa as a process that can be stopped for ever at an exact step of its work: before and after each
 * call that changes the ledger, after each statement that changes PostgreSQL, and before the answer.
 * (Where it only reads, stopping leaves behind what the step before leaves.) The steps are reached
 * through the dependencies. Commands arrive as lines on standard input; what is told leaves on
 * standard output at once, also when the process is stopped right after it.
 */
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import type { Ledger } from '../../accounting/client.ts'
import type { Database } from '../../db/database.ts'
import { loadConfig } from '../../server/config.ts'
import type { Deps } from '../../server/deps.ts'
import { startKassa } from '../../server/main.ts'

/** From the parent: count steps from now on, and stop at the one of this number (1 is the next). */
export interface Command {
  stopAt: number
}

/** To the parent. */
export type Told = { ready: string } | { counting: true } | { step: string; stopped: boolean }

/** A process that nobody kills ends by itself. */
const stoppedForMs = 60_000

let steps = Number.NEGATIVE_INFINITY
let stopAt = Number.POSITIVE_INFINITY

const tell = (told: Told) => writeSync(1, `${JSON.stringify(told)}\n`)

/** A step has been reached. When it is the one to stop at, nothing of this process goes on. */
function reach(step: string): void {
  steps += 1
  if (steps < 1) return
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
      reach(`before ${name}`)
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

/** Calls `onNothing` when a query finds nothing: so ends the recovery at the start. */
function watchDatabase(db: Database, onNothing: () => void): Database {
  const kinds = new WeakMap<object, string>()
  return db.withPlugin({
    transformQuery({ node, queryId }) {
      kinds.set(queryId, node.kind)
      return node
    },
    async transformResult({ result, queryId }) {
      const kind = kinds.get(queryId) ?? 'a statement'
      if (kind !== 'SelectQueryNode') reach(`after ${kind}`)
      else if (result.rows.length === 0) onNothing()
      return result
    },
  })
}

function watch(deps: Deps, onRecovered: () => void): Deps {
  const log = Object.create(deps.log, {
    info: { value: () => reach('before the answer') },
  })
  return {
    ...deps,
    log,
    ledger: watchLedger(deps.ledger),
    db: watchDatabase(deps.db, onRecovered),
    memos: {
      async add(memo) {
        await deps.memos.add(memo)
        reach('after a memo')
      },
    },
  }
}

const recovered = Promise.withResolvers<void>()
const kassa = await startKassa(loadConfig(process.env), {
  adapt: (deps) => watch(deps, recovered.resolve),
})
await recovered.promise
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command: Command = JSON.parse(line)
    steps = 0
    stopAt = command.stopAt
    tell({ counting: true })
  })
  .on('close', () => process.exit(0))
flushCompileCache()
tell({ ready: kassa.url })
