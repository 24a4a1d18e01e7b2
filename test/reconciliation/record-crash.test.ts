/** A run that is stored, killed by SIGKILL at each step: all of it is there or nothing, and the next one works. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { ledgerPass } from '../../server/reconciliation/ledger-pass.ts'
import { recordsPass } from '../../server/reconciliation/records-pass.ts'
import { draw, killSteps } from '../lib/crash-scenarios.ts'
import { fund } from '../lib/money.ts'
import { madeUp, passOf, record } from '../lib/recorded.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('a run that is stored, killed')

let folder: string
let server: Server
let world: World

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa record '))
  server = await startEmbeddedLedger({ dataDir: folder, durable: false })
  world = await createWorld({ env: { TIGERBEETLE_ADDRESSES: server.address } })
  const person = await world.signUp()
  await fund(await world.paymentSystem(), person.walletId, '5.00')
})
test.after(async () => {
  await world.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

const childFile = fileURLToPath(new URL('../lib/record-child.ts', import.meta.url))

/** Steps of a run in a process of its own, which is killed at one of them; 0 for none. */
async function runAndKill(stopAt: number, finding = 'nothing'): Promise<string[]> {
  const child = spawn(process.execPath, [childFile, String(stopAt), finding], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      DATABASE_URL: world.deps.config.databaseUrl,
      TIGERBEETLE_ADDRESSES: server.address,
    },
  })
  const ended = once(child, 'close')
  const steps: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    steps.push(line)
    if (line.startsWith('stopped')) child.kill('SIGKILL')
  }
  const [code, signal] = await ended
  assert.equal([code, signal], stopAt === 0 ? [0, null] : [null, 'SIGKILL'], steps.join())
  return steps
}

interface Row {
  runs: number
  standing: number
  events: number
  checkpoints: number
  /** Of checkpoints that are not there, and of runs that are not there. */
  strays: number
}

async function count(): Promise<Row> {
  const { rows } = await sql<Row>`SELECT
    (SELECT count(*)::integer FROM reconciliations) AS runs,
    (SELECT count(*)::integer FROM breaks WHERE state <> 'closed') AS standing,
    (SELECT count(*)::integer FROM break_events) AS events,
    (SELECT count(*)::integer FROM checkpoints) AS checkpoints,
    (SELECT count(*)::integer FROM checkpoints WHERE NOT EXISTS
      (SELECT FROM checkpoint_parts AS part
        WHERE part.reconciliation_id = checkpoints.reconciliation_id)) AS strays`.execute(
    world.deps.db,
  )
  return rows[0]!
}

/** Waits until PostgreSQL has noticed that a process is gone which has stored a run. */
const untilAlone = () =>
  until(async () => {
    const { rows } = await sql`SELECT FROM pg_locks
      JOIN pg_database ON pg_database.oid = database AND datname = current_database()
      WHERE locktype = 'advisory' AND objid = 7160205`.execute(world.deps.db)
    return rows.length === 0
  })

/** What was killed once more, in this process. */
async function next(finding?: string) {
  const run = await record(
    world,
    ledgerPass,
    recordsPass,
    passOf(finding ? [madeUp('killed')] : []),
  )
  return run!
}

/**
 * Kills a run at some steps, and at those around its end: the transaction is over after the one before the last two.
 * `check` is told what was there before, what is there afterwards, and whether the run was stored.
 */
async function killAtSteps(
  finding: string | undefined,
  check: (before: Row, after: Row, isStored: boolean) => Promise<void>,
): Promise<void> {
  const steps = await runAndKill(0, finding)
  const last = steps.length
  assert.ok(last >= 6, steps.join())
  const early = steps.slice(0, last - 3).map((_, index) => index + 1)
  for (const step of [...draw(early, killSteps), last - 2, last - 1]) {
    // Closes what stands.
    await next()
    const before = await count()
    await runAndKill(step, finding)
    await untilAlone()
    const after = await count()
    const isStored = step > last - 2
    const stored = [after.runs - before.runs, after.strays]
    assert.equal(stored, [isStored ? 1 : 0, 0], `killed ${steps[step - 1]}`)
    await check(before, after, isStored)
  }
}

test('a clean one, which leaves a checkpoint', async () => {
  await killAtSteps(undefined, async (before, after, isStored) => {
    assert.is(after.checkpoints, Math.min(before.checkpoints + (isStored ? 1 : 0), 3))
    const run = await next()
    assert.equal([run.verdict, run.foundCount], ['clean', 0])
    const { runs, checkpoints } = await count()
    assert.equal([runs, checkpoints], [after.runs + 1, Math.min(after.checkpoints + 1, 3)])
  })
})

test('one that finds a break', async () => {
  await killAtSteps('break', async (before, after, isStored) => {
    assert.is(after.checkpoints, before.checkpoints)
    // It is found, and the one that was closed before has come back.
    const told = [after.standing, after.events - before.events]
    assert.equal(told, isStored ? [1, 2] : [0, 0])
    const found = await next('break')
    assert.equal([found.foundCount, found.newCount], [1, isStored ? 0 : 1])
  })
  const gone = await next()
  assert.equal([gone.verdict, gone.goneCount, (await count()).standing], ['clean', 1, 0])
})

test.run()
