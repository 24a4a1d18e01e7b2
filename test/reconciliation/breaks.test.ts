/** Breaks that real runs find, over HTTP, on a ledger of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { CreateTransferStatus } from 'tigerbeetle-node'
import { createAccounts, equityAccount } from '../../accounting/accounts.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { toTransfer } from '../../accounting/legs.ts'
import { mintId } from '../../db/ids.ts'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { reconcile } from '../../server/jobs/reconcile.ts'
import { withDamage } from '../lib/damage.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund } from '../lib/money.ts'
import {
  breaksOf,
  eventsOf,
  failingPass,
  newestRun,
  nextRun,
  passOf,
  record,
  requestRun,
} from '../lib/recorded.ts'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('breaks')

let folder: string
let server: Server
let world: World
let operator: Client
let operatorId: string
let bank: Client
let person: Person

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa breaks '))
  server = await startEmbeddedLedger({ dataDir: folder, durable: false })
  const env = { TIGERBEETLE_ADDRESSES: server.address, FOUR_EYES: 'off' }
  world = await createWorld({ env })
  operator = await world.operator()
  operatorId = (await must(operator.get('/v1/session'), 200)).user.id
  bank = await world.paymentSystem()
  person = await world.signUp()
})
test.after(async () => {
  await world.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

const askForSchedule = () =>
  sql`SELECT graphile_worker.add_job('reconcile', max_attempts => 1)`.execute(world.deps.db)

test('a run is stored, whether an operator asks for it, the schedule or a command', async () => {
  const asked = await requestRun(operator)
  assert.equal(
    [asked.verdict, asked.started_by, asked.requested_by],
    ['clean', 'operator', operatorId],
  )
  assert.equal([asked.found, asked.new, asked.gone], [0, 0, 0])
  assert.equal(
    asked.passes.map(({ name, breaks, omitted }: Json) => [name, breaks, omitted]),
    [
      ['ledger', {}, {}],
      ['records', {}, {}],
    ],
  )
  assert.ok(asked.as_of <= asked.ended_at && asked.started_at <= asked.ended_at)
  assert.equal(await must(operator.get(`/v1/reconciliations/${asked.id}`), 200), asked)

  const scheduled = await nextRun(operator, askForSchedule)
  assert.equal([scheduled.started_by, scheduled.requested_by], ['schedule', null])

  const variables = {
    DATABASE_URL: world.deps.config.databaseUrl,
    TIGERBEETLE_ADDRESSES: server.address,
  }
  const only = startScript('reconcile.ts', variables)
  assert.is(await only.ended, 0, only.output())
  assert.is((await newestRun(operator)).id, scheduled.id)
  const command = startScript('reconcile.ts', variables, ['--record'])
  assert.is(await command.ended, 0, command.output())
  const stored = await newestRun(operator)
  assert.is(stored.started_by, 'command')
  assert.ok(command.output().includes(`Stored as ${stored.id}: 0 new, 0 known before, 0 gone.`))

  const first = await must(operator.get('/v1/reconciliations?limit=2'), 200)
  const rest = await must(
    operator.get(`/v1/reconciliations?limit=2&cursor=${first.next_cursor}`),
    200,
  )
  assert.equal(
    [...first.data, ...rest.data].map(({ id }: Json) => id),
    [stored.id, scheduled.id, asked.id],
  )
  assert.is(rest.next_cursor, null)
})

test('a break stays the same until it has gone, and comes back as another one', async () => {
  const deposit = await fund(bank, person.walletId, '5.00')
  const damage = {
    tables: ['deposits'],
    change: `DELETE FROM deposits WHERE id = '${deposit.id}'`,
  }
  const [first, second] = await withDamage(world, damage, async () => [
    await requestRun(operator),
    await requestRun(operator),
  ])
  assert.equal([first?.verdict, first?.found, first?.new], ['breaks', 1, 1])
  assert.equal([second?.verdict, second?.found, second?.new], ['breaks', 1, 0])
  assert.equal(first?.passes[1].breaks, { deposit_without_record: 1 })
  const [found, ...others] = await breaksOf(operator)
  assert.is(others.length, 0)
  assert.equal(
    [found.pass, found.kind, found.subject, found.state, found.earlier_id],
    ['records', 'deposit_without_record', deposit.id, 'open', null],
  )
  assert.equal([found.first_seen, found.last_seen], [first?.id, second?.id])
  assert.equal(await eventsOf(operator, found.id), ['found'])

  // It is in order again, and a pass that fails, or is not there, says nothing about that.
  await record(world, failingPass)
  await record(world, { ...failingPass, name: 'records' })
  const failed = await newestRun(operator)
  assert.equal([failed.verdict, failed.as_of, failed.gone], ['failed', null, 0])
  assert.match(failed.passes[0].error, /cannot be carried out/)
  assert.is((await breaksOf(operator, '&state=open')).length, 1)

  const third = await requestRun(operator)
  assert.equal([third.verdict, third.gone], ['clean', 1])
  const { state, closed_at, closed_by } = await must(operator.get(`/v1/breaks/${found.id}`), 200)
  assert.equal([state, closed_at, closed_by], ['closed', third.ended_at, null])
  assert.equal(await eventsOf(operator, found.id), ['found', 'gone'])

  await withDamage(world, damage, () => requestRun(operator))
  const [again] = await breaksOf(operator, '&state=open&kind=deposit_without_record&pass=records')
  assert.is(again.earlier_id, found.id)
  assert.is.not(again.id, found.id)
  assert.equal(await eventsOf(operator, found.id), ['found', 'gone', 'reopened'])
  await requestRun(operator)
  assert.equal(await breaksOf(operator, '&state=open'), [])
})

test('one run at a time is stored, by whatever process', async () => {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>()
  const [begun, begin] = [Promise.withResolvers<void>(), passOf([])]
  const slow = {
    ...begin,
    async run(...given: Parameters<typeof begin.run>) {
      begun.resolve()
      await isOver
      return begin.run(...given)
    },
  }
  const running = record(world, slow)
  await begun.promise
  assert.is(await record(world, passOf([])), undefined)
  // One of the schedule is left out, one that was asked for is carried out later.
  await reconcile(world.deps, {}, new AbortController().signal)
  const asked = { requested_by: operatorId }
  const refused = await reconcile(world.deps, asked, new AbortController().signal).catch(String)
  assert.match(String(refused), /another reconciliation/)
  const variables = {
    DATABASE_URL: world.deps.config.databaseUrl,
    TIGERBEETLE_ADDRESSES: server.address,
  }
  const command = startScript('reconcile.ts', variables, ['--record'])
  assert.is(await command.ended, 2)
  assert.match(command.output(), /^Another reconciliation is carried out/)
  const both = [1, 2].map(() => operator.send('POST', '/v1/reconciliations'))
  for (const { status } of await Promise.all(both)) assert.is(status, 202)
  end()
  const first = await running
  await until(async () => (await newestRun(operator)).started_by === 'operator')
  const { data } = await must(operator.get('/v1/reconciliations?limit=2'), 200)
  assert.ok(data.some(({ id }: Json) => id === first?.id))
})

test('what is stopped, or loses its connection, is not stored at all', async () => {
  const { id } = await newestRun(operator)
  const stopped = await reconcile(world.deps, {}, AbortSignal.abort(new Error('stop'))).catch(
    String,
  )
  assert.is(stopped, 'Error: stop')
  const found = passOf([])
  const cutOff = {
    ...found,
    async run(...given: Parameters<typeof found.run>) {
      await sql`SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND objid = 7160205
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
        world.deps.db,
      )
      return found.run(...given)
    },
  }
  const lost = await record(world, cutOff).then(
    () => 'stored',
    () => 'not stored',
  )
  assert.is(lost, 'not stored')
  assert.is((await newestRun(operator)).id, id)
})

/** Takes money out of a wallet past Kassa: nothing takes that back. */
async function takePastKassa(): Promise<string> {
  await fund(bank, person.walletId, '3.00')
  const asset = assetOf('USD')
  await createAccounts(world.deps.ledger, [equityAccount(asset)])
  const id = mintId()
  const leg = {
    debitAccountId: person.walletId,
    creditAccountId: equityAccount(asset).id,
    amountMinor: 100n,
    asset,
    code: TransferCode.payment,
  }
  const transfer = toTransfer(leg, { id, operationId: id, inputHash: 1 })
  const [created] = await world.deps.ledger.createTransfers([transfer])
  assert.is(created?.status, CreateTransferStatus.created)
  return id
}

test('money taken past Kassa is found again after it was closed by hand', async () => {
  const transferId = await takePastKassa()
  await requestRun(operator)
  const [found] = await breaksOf(operator, '&state=open&kind=wrong_accounts')
  assert.equal([found.pass, found.subject, found.currency], ['ledger', transferId, 'USD'])
  await must(operator.post(`/v1/breaks/${found.id}/close`, { reason: 'a test' }), 200)
  await requestRun(operator)
  const [again] = await breaksOf(operator, '&state=open&kind=wrong_accounts')
  assert.equal([again.subject, again.earlier_id], [transferId, found.id])
})

test.run()
