import { sql } from 'kysely'
import { mintId } from '../../db/ids.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, type Person, type World } from '../lib/world.ts'

const test = suite('jobs in the background')

let world: World
let person: Person

test.before(async () => {
  world = await createWorld()
  await world.startAnother()
  person = await world.signUp()
})
test.after(() => world.stop())

/** A wallet whose opening was cut off after its row. */
async function cutOffWallet(): Promise<string> {
  const id = mintId()
  const number = BigInt(Date.now())
  await world.deps.db
    .insertInto('wallets')
    .values({
      id,
      user_id: person.userId,
      number,
      currency: 'EUR',
      account_created_at: null,
      closed_at: null,
    })
    .execute()
  return id
}

async function hasAccount(id: string): Promise<boolean> {
  const { db } = world.deps
  const query = db.selectFrom('wallets').select('account_created_at').where('id', '=', id)
  return (await query.executeTakeFirstOrThrow()).account_created_at !== null
}

const askForRecovery = () => sql`SELECT graphile_worker.add_job('recover')`.execute(world.deps.db)

test('recovery is carried out by one of several processes when it is asked for', async () => {
  const wallet = await cutOffWallet()
  await askForRecovery()
  await until(() => hasAccount(wallet))
})

test('it is still carried out after every connection to PostgreSQL was lost', async () => {
  const { rows } = await sql<{ ended: boolean }>`
    SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(world.deps.db)
  assert.ok(rows.length >= 4, `${rows.length} connections`)
  const wallet = await cutOffWallet()
  await askForRecovery()
  await until(() => hasAccount(wallet))
})

test('a schedule that is none keeps Kassa from starting', async () => {
  const env = { RECONCILE_CRON: '61 * * * *' }
  const started = await world.startAnother({ env }).then(
    () => 'started',
    (error: unknown) => String(error),
  )
  assert.match(started, /61/)
})

test.run()
