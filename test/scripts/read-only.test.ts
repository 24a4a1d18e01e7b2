/** The commands that only read: PostgreSQL refuses them anything else, and they need no other right. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { connectToBoth } from '../../scripts/both-servers.ts'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { writePublicEvidenceKey } from '../../server/evidence/keys.ts'
import { catchUp } from '../lib/catch-up.ts'
import { withConnection } from '../lib/database.ts'
import { type Everything, makeEverything } from '../lib/everything.ts'
import { closeAll, evidenceKey, evidenceKeyText } from '../lib/evidence.ts'
import type { Json } from '../lib/http.ts'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('commands that only read')

let folder: string
let server: Server
let world: World
let all: Everything
/** Somebody who may read what `kassa_auditor` may, and nothing else. */
const person = `kassa_person_${randomBytes(8).toString('hex')}`
let theirs: NodeJS.ProcessEnv

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa read only '))
  server = await startEmbeddedLedger({ dataDir: folder, durable: false })
  const env = { TIGERBEETLE_ADDRESSES: server.address, EVIDENCE_KEY: evidenceKeyText }
  world = await createWorld({ env: { ...env, FOUR_EYES: 'off' } })
  const four = await world.startAnother({ env: { ...env, FOUR_EYES: 'on' } })
  all = await makeEverything(world, four.url)
  await catchUp(world.deps)
  await closeAll(world.deps)
  // What docs/operations.md says.
  await run(`CREATE ROLE ${person} LOGIN PASSWORD 'person' IN ROLE kassa_auditor`)
  const url = new URL(world.deps.config.databaseUrl)
  Object.assign(url, { username: person, password: 'person' })
  theirs = {
    DATABASE_URL: url.href,
    TIGERBEETLE_ADDRESSES: server.address,
    EVIDENCE_PUBLIC_KEYS: writePublicEvidenceKey(evidenceKey),
  }
})
test.after(async () => {
  await run(`DROP ROLE ${person}`)
  await world.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

const run = (text: string) =>
  withConnection(world.deps.config.databaseUrl, async (query) => void (await query(text)))

const addresses = () => ({
  DATABASE_URL: world.deps.config.databaseUrl,
  TIGERBEETLE_ADDRESSES: server.address,
})

const writes = [
  'DELETE FROM checkpoints',
  'UPDATE wallets SET closed_at = now()',
  'CREATE TABLE anything (id integer)',
  `SELECT nextval('own_ledgers')`,
]

test('what a command connects with cannot write, whatever it asks for', async () => {
  const { database, ledger } = await connectToBoth(addresses())
  try {
    const { rows } = await sql`SELECT current_user AS name`.execute(database.db)
    assert.equal(rows, [{ name: 'kassa_auditor' }])
    for (const text of [...writes, 'SELECT password_hash FROM users', 'SELECT email FROM users']) {
      await assert.rejects(sql.raw(text).execute(database.db), /permission denied|read-only/)
    }
    // Not even as the user who is behind it.
    await database.db.connection().execute(async (one) => {
      await sql`RESET ROLE`.execute(one)
      for (const text of writes) {
        await assert.rejects(sql.raw(text).execute(one), /read-only transaction/)
      }
    })
  } finally {
    ledger.close()
    await database.close()
  }
})

test('what stores something may write', async () => {
  const { database, ledger } = await connectToBoth(addresses(), { writes: true })
  try {
    const { numUpdatedRows } = await database.db
      .updateTable('wallets')
      .set({ closed_at: null })
      .where('id', '=', all.ada.walletId)
      .executeTakeFirstOrThrow()
    assert.is(numUpdatedRows, 1n)
  } finally {
    ledger.close()
    await database.close()
  }
})

async function command(name: string, ...options: string[]): Promise<[unknown, string]> {
  const script = startScript(name, theirs, options)
  return [await script.ended, script.output()]
}

test('who may only read can reconcile, verify and export', async () => {
  const file = join(folder, 'bank.jsonl')
  // Of a bank that has nothing of what the ledger has: all of that is looked up, too.
  const day = new Date().toISOString().slice(0, 10)
  const about = { id: 'S1', account: 'A1', currency: 'USD', from: day, to: day }
  const empty = { statement: { ...about, opening: '0', closing: '0' } }
  await writeFile(file, `${JSON.stringify(empty)}\n`)
  const statement = ['--statement', file, '--payment-system', all.bankId, '--json']
  const [code, told] = await command('reconcile.ts', ...statement)
  assert.is(code, 1, told)
  const { verdict, passes }: Json = JSON.parse(told)
  const counts = passes.map(({ breaks }: Json) => Math.min(breaks.length, 1))
  assert.equal([verdict, counts], ['breaks', [0, 0, 1]], told)
  const [since, nothing] = await command('reconcile.ts', '--since', 'last')
  assert.equal([since, nothing.slice(0, 22)], [2, 'There is no checkpoint'])
  const [refused, why] = await command('reconcile.ts', '--record')
  assert.is(refused, 2)
  assert.match(why, /permission denied/)

  const [same, chain] = await command('verify-chain.ts', '--export-head', join(folder, 'head'))
  assert.is(same, 0, chain)
  const [whole, journal] = await command('export.ts', '--format', 'hledger', '--folder', folder)
  assert.is(whole, 0, journal)
  for (const wallet of [all.ada.walletId, all.ben.walletNumber]) {
    const period = ['--from', '2026-01-01', '--to', '2100-01-01', '--folder', folder]
    const [written, output] = await command('export.ts', '--wallet', wallet, ...period)
    assert.is(written, 0, output)
  }
  const files = await readdir(folder)
  assert.ok(files.filter((name) => /^(statement|ledger)-/.test(name)).length >= 6, `${files}`)
})

test.run()
