/** `--since last` and the hourly job, on a Kassa that runs, on a ledger of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { findNewestCheckpoint } from '../../db/checkpoints.ts'
import type { NewReconciliation } from '../../db/reconciliations.ts'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { reconcile } from '../../server/jobs/reconcile.ts'
import { ledgerPass } from '../../server/reconciliation/ledger-pass.ts'
import { runPasses } from '../../server/reconciliation/reconcile.ts'
import { recordRun } from '../../server/reconciliation/record.ts'
import { reconcileRecords, recordsPass } from '../../server/reconciliation/records-pass.ts'
import { catchUp } from '../lib/catch-up.ts'
import { withDamage } from '../lib/damage.ts'
import { withConnection } from '../lib/database.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund } from '../lib/money.ts'
import { breaksOf, newestRun, requestRun } from '../lib/recorded.ts'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('reconciliations since a checkpoint')

let folder: string
let server: Server
let world: World
let operator: Client
let bank: Client
let person: Person
/** A deposit from before the first checkpoint. */
let early: string

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa since '))
  server = await startEmbeddedLedger({ dataDir: folder, durable: false })
  world = await createWorld({ env: { TIGERBEETLE_ADDRESSES: server.address, FOUR_EYES: 'off' } })
  ;[operator, bank] = await Promise.all([world.operator(), world.paymentSystem()])
  person = await world.signUp()
  early = (await fund(bank, person.walletId, '9.00')).id
})
test.after(async () => {
  await world.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

/** The command as a process of its own: its exit code, and what it writes. */
async function command(...options: string[]): Promise<[number, string]> {
  const variables = {
    DATABASE_URL: world.deps.config.databaseUrl,
    TIGERBEETLE_ADDRESSES: server.address,
  }
  const script = startScript('reconcile.ts', variables, options)
  return [Number(await script.ended), script.output()]
}

const checkpoints = async () =>
  (await world.deps.db.selectFrom('checkpoints').selectAll().orderBy('moment').execute()).map(
    ({ reconciliation_id: id, transfer_count: transfers }) => ({
      id,
      transfers: Number(transfers),
    }),
  )

/** What `--since last` finds, and with `--record` stores, in this process. */
const sinceLast = async () => ({
  ...world.deps,
  since: await findNewestCheckpoint(world.deps.db),
})
const passes = [ledgerPass, recordsPass]
async function findSinceLast(): Promise<string[]> {
  const all = await runPasses(await sinceLast(), passes)
  return all.flatMap(({ result }) => result!.breaks.map(({ kind }) => kind))
}
const start = { startedBy: 'command', requestedBy: null } as const
async function recordSinceLast(): Promise<NewReconciliation> {
  return (await recordRun(await sinceLast(), passes, start))!.run
}
async function recordFull(): Promise<NewReconciliation> {
  return (await recordRun(world.deps, passes, start))!.run
}

/** What the hourly job does, at a time. */
async function runJob(laterMs = 0): Promise<Json> {
  const nowMs = () => Date.now() + laterMs
  await catchUp(world.deps)
  await reconcile({ ...world.deps, nowMs }, {}, new AbortController().signal)
  return newestRun(operator)
}

const anHourMs = 3_600_000

test('without a checkpoint there is nothing to go on from', async () => {
  const [code, output] = await command('--since', 'last')
  assert.is(code, 2)
  assert.match(output, /^There is no checkpoint: a clean run with --record leaves one\.\n$/)
  const [refused, usage] = await command('--since', 'yesterday')
  assert.is(refused, 2)
  assert.match(usage, /^--since takes nothing but last\.\nUsage: /)
  assert.equal(await checkpoints(), [])
})

test('a clean run that is stored leaves one, from which the next goes on', async () => {
  const [code, output] = await command('--record')
  assert.is(code, 0, output)
  const first = await newestRun(operator)
  const [taken, ...others] = await checkpoints()
  assert.equal([taken?.id, others], [first.id, []])
  assert.is(first.since, null)

  await fund(bank, person.walletId, '1.00')
  await fund(bank, person.walletId, '2.00')
  const [again, text] = await command('--since', 'last')
  assert.is(again, 0, text)
  const head = /^ledger: 2 transfers, \d+ accounts, as of \S+, since the checkpoint of (\S+)\n/
  const [, since = ''] = head.exec(text) ?? []
  assert.ok(Date.parse(since) <= Date.parse(first.ended_at), text)
  assert.match(text, new RegExp(`\\nrecords: .*, since the checkpoint of ${since}\\n`))
  // It only reads.
  assert.equal(await checkpoints(), [taken])

  const [stored, told] = await command('--since', 'last', '--record', '--json')
  assert.is(stored, 0)
  const { passes } = JSON.parse(told.slice(told.indexOf('{')))
  assert.equal(
    passes.map((pass: Json) => pass.since),
    [since, since],
  )
  const second = await newestRun(operator)
  assert.equal([second.since, second.passes[0].counts.transfers], [since, 2])
  assert.equal(await checkpoints(), [taken, { id: second.id, transfers: taken!.transfers + 2 }])
  // One from the beginning proves it.
  const whole = await requestRun(operator)
  assert.equal([whole.verdict, whole.since], ['clean', null])
  assert.is(whole.passes[0].counts.transfers, taken!.transfers + 2)
})

test('the last three are kept, and none can be changed', async () => {
  for (let count = 0; count < 3; count += 1) await requestRun(operator)
  const all = await checkpoints()
  assert.is(all.length, 3)
  assert.is(all.at(-1)?.id, (await newestRun(operator)).id)
  await withConnection(world.deps.config.databaseUrl, async (query) => {
    for (const statement of [
      'UPDATE checkpoints SET transfer_count = 0',
      `UPDATE checkpoint_parts SET lines = ''`,
      'TRUNCATE checkpoint_parts',
    ]) {
      await assert.rejects(query(statement), /append-only/)
    }
  })
})

test('a row that is damaged after the moment is found since then, and by all runs', async () => {
  const late = (await fund(bank, person.walletId, '3.00')).id
  const change = `DELETE FROM deposits WHERE id = '${late}'`
  const kept = await checkpoints()
  await withDamage(world, { tables: ['deposits'], change }, async () => {
    assert.is((await recordSinceLast()).verdict, 'breaks')
    const [found] = await breaksOf(operator, '&state=open')
    assert.equal([found.kind, found.subject], ['deposit_without_record', late])
    // Only a clean run leaves a checkpoint.
    assert.equal(await checkpoints(), kept)
    // While something is wrong the job compares everything.
    assert.is((await runJob()).since, null)
  })
  // What a run from the beginning has told, one since a checkpoint does not close, nor goes on from it.
  const { verdict, goneCount } = await recordSinceLast()
  assert.equal([verdict, goneCount], ['clean', 0])
  assert.is((await breaksOf(operator, '&state=open')).length, 1)
  assert.equal(await checkpoints(), kept)
  const whole = await runJob()
  assert.equal([whole.since, whole.verdict, whole.gone], [null, 'clean', 1])
  assert.equal((await checkpoints()).at(-1)?.id, whole.id)
})

test('what one since a checkpoint has told goes away in the next since then', async () => {
  const late = (await fund(bank, person.walletId, '3.00')).id
  const change = `DELETE FROM deposits WHERE id = '${late}'`
  await withDamage(world, { tables: ['deposits'], change }, recordSinceLast)
  const [found] = await breaksOf(operator, '&state=open')
  assert.is(found.subject, late)
  assert.is((await recordSinceLast()).goneCount, 1)
  assert.equal(await breaksOf(operator, '&state=open'), [])
})

test('a row from long before is found by a run from the beginning only', async () => {
  const { deps } = world
  const change = `DELETE FROM deposits WHERE id = '${early}'`
  await catchUp(deps)
  const [, since] = await Promise.all([fund(bank, person.walletId, '4.00'), timeOf(early)])
  await withDamage(world, { tables: ['deposits'], change }, async () => {
    const subjects = async (options: { since?: bigint }) =>
      (await reconcileRecords(deps, undefined, options)).breaks.map(({ subject }) => subject)
    assert.equal(await subjects({ since }), [])
    assert.equal(await subjects({}), [early])
    // Of the time right before its moment what was not judged then is judged again.
    assert.equal(await findSinceLast(), ['deposit_without_record'])
  })
})

test('runs while money moves are clean, and so is what they leave', async () => {
  const other = await world.signUp()
  let isOn = true
  const moving = [person, other].map(async ({ client, walletId }, index) => {
    const to = [other, person][index]!
    let count = 0
    for (; isOn; count += 1) {
      await fund(bank, walletId, '2.00')
      const input = { to_wallet_id: to.walletId, amount: '0.50', expires_in: 1 }
      const { id } = await must(client.post('/v1/holds', input), 201)
      const capture = { amount: '0.20', final: false }
      if (count % 3 === 0) await must(to.client.post(`/v1/holds/${id}/capture`, capture), 201)
    }
    return count
  })
  try {
    for (let run = 0; run < 4; run += 1) {
      const before = await checkpoints()
      assert.equal((await recordSinceLast()).verdict, 'clean')
      const after = await checkpoints()
      assert.ok(after.at(-1)!.transfers > before.at(-1)!.transfers)
      assert.is((await recordFull()).verdict, 'clean')
    }
  } finally {
    isOn = false
    await Promise.all(moving)
  }
  await recordSinceLast()
  assert.is((await requestRun(operator)).verdict, 'clean')
})

async function timeOf(id: string): Promise<bigint> {
  const [transfer] = await world.deps.ledger.queryTransfers({
    user_data_128: BigInt(`0x${id.replaceAll('-', '')}`),
    user_data_64: 0n,
    user_data_32: 0,
    ledger: 0,
    code: 0,
    timestamp_min: 0n,
    timestamp_max: 0n,
    limit: 1,
    flags: 0,
  })
  return transfer!.timestamp
}

test('the job goes on from the last one, and compares everything once a day', async () => {
  const whole = await runJob(24 * anHourMs)
  assert.is(whole.since, null)
  for (const hours of [25, 26, 46]) {
    const { verdict, since } = await runJob(hours * anHourMs)
    assert.is(verdict, 'clean')
    assert.ok(since, `${hours}`)
  }
  assert.is((await runJob(48 * anHourMs)).since, null)
  // Who asks for one is told of everything.
  assert.is((await requestRun(operator)).since, null)
})

/** Changes what is stored of the newest checkpoint, which the database itself refuses. */
async function withForged(set: string, work: () => Promise<void>): Promise<string> {
  const { id } = (await checkpoints()).at(-1)!
  const change = `UPDATE ${set} WHERE reconciliation_id = '${id}'`
  const [table = ''] = set.split(' ')
  await withDamage(world, { tables: [table], change }, work)
  return id
}

test('a checkpoint that was changed is found, and nothing is done from it', async () => {
  const lines = `checkpoint_parts SET lines = regexp_replace(lines, '"\\d+"\\]', '"1"]')`
  const kept = await checkpoints()
  const id = await withForged(lines, async () => {
    const [code, output] = await command('--since', 'last')
    assert.is(code, 2, output)
    assert.match(output, /^ledger: could not be carried out\n {2}The checkpoint is damaged/)
    const failed = await runJob()
    assert.is(failed.verdict, 'failed')
    assert.ok(failed.since)
    const whole = await runJob()
    assert.equal([whole.verdict, whole.passes[0].breaks], ['breaks', { checkpoint_differs: 1 }])
  })
  const [found, ...others] = await breaksOf(operator, '&state=open')
  assert.equal(others, [])
  assert.equal([found.kind, found.subject], ['checkpoint_differs', id])
  assert.equal(found.record_ids, [`checkpoints:${id}`])
  assert.is(found.ledger_ids.length, 1)
  assert.equal(await checkpoints(), kept)
  const mended = await requestRun(operator)
  assert.equal([mended.verdict, mended.gone], ['clean', 1])
})

test('one that was forged with its hash is found by a run from the beginning', async () => {
  const { id } = (await checkpoints()).at(-1)!
  const tables = ['checkpoints', 'checkpoint_parts']
  const change = `WITH forged AS (
      UPDATE checkpoint_parts SET lines = regexp_replace(lines, '"\\d+"\\]', '"1"]')
      WHERE reconciliation_id = '${id}' RETURNING lines)
    UPDATE checkpoints SET hash = sha256(convert_to(
      '["kassa checkpoint 1","' || moment || '","' || transfer_count || '"]' || E'\\n' || lines, 'UTF8'))
    FROM forged WHERE reconciliation_id = '${id}'`
  await withDamage(world, { tables, change }, async () => {
    assert.equal(await findSinceLast(), ['balance_differs'])
    const whole = await runPasses(world.deps, passes)
    assert.equal(
      whole.flatMap(({ result }) => result!.breaks.map(({ kind, subject }) => [kind, subject])),
      [['checkpoint_differs', id]],
    )
  })
  // What to do about one: without it everything is as it was at first.
  await sql`DELETE FROM checkpoints`.execute(world.deps.db)
  const anew = await runJob()
  assert.equal(
    [anew.since, await checkpoints()],
    [null, [{ id: anew.id, transfers: anew.passes[0].counts.transfers }]],
  )
})

test.run()
