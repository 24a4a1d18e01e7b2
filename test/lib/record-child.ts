/**
 * `npm run reconcile -- --record` that stops for ever at a step of what it stores, or finds a break if it is
 * told so: the step is the first argument, `break` the second. Steps are the statements that lock or change
 * something, and the end. Each is told as a line, the last one when it has stopped.
 */
import { writeSync } from 'node:fs'
import { connectToBoth } from '../../scripts/both-servers.ts'
import { ledgerPass } from '../../server/reconciliation/ledger-pass.ts'
import { recordRun } from '../../server/reconciliation/record.ts'
import { recordsPass } from '../../server/reconciliation/records-pass.ts'
import { madeUp, passOf } from './recorded.ts'
import { watchWrites } from './watch-writes.ts'

const [stopAt = '0', finding] = process.argv.slice(2)
/** A process that nobody kills ends by itself. */
const stoppedForMs = 60_000
let steps = 0

function reach(step: string): void {
  steps += 1
  const isStop = steps === Number(stopAt)
  writeSync(1, `${isStop ? 'stopped ' : ''}after ${step}\n`)
  if (!isStop) return
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stoppedForMs)
  process.exit(1)
}

const { database, ledger } = await connectToBoth(process.env, { writes: true })
const context = { db: watchWrites(database.db, reach), ledger, nowMs: Date.now }
const passes = [ledgerPass, recordsPass, passOf(finding === 'break' ? [madeUp('killed')] : [])]
await recordRun(context, passes, { startedBy: 'command', requestedBy: null })
reach('the end')
process.exit(0)
