/** The role that reconciliations read as, where Kassa's own user may make no roles. */
import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { openDatabase } from '../../db/database.ts'
import { migrate } from '../../db/migrate.ts'
import { onlyRead, readSnapshot } from '../../db/snapshot.ts'
import { withConnection } from '../lib/database.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('the role of reconciliations')

test('who may neither make nor take the role migrates and reads all the same', async () => {
  const clusterUrl = process.env.DATABASE_URL ?? ''
  const name = `kassa_plain_${randomBytes(8).toString('hex')}`
  await withConnection(clusterUrl, async (query) => {
    await query(`CREATE ROLE ${name} LOGIN PASSWORD 'plain'`)
    await query(`CREATE DATABASE ${name} OWNER ${name}`)
    const url = new URL(clusterUrl)
    Object.assign(url, { username: name, password: 'plain', pathname: `/${name}` })
    const connecting = { poolSize: 2, connectTimeoutMs: 10_000, onIdleError: () => {} }
    const options = { url: url.href, ...connecting }
    const handle = openDatabase(options)
    try {
      assert.ok((await migrate(handle)).length > 0)
      const readAs = readSnapshot(handle.db, async (trx) => {
        const { rows } = await sql<{ name: string }>`SELECT current_user AS name`.execute(trx)
        return rows[0]?.name
      })
      assert.is(await readAs, name)
      const written = readSnapshot(handle.db, (trx) => sql`DELETE FROM wallets`.execute(trx))
      await assert.rejects(written, /read-only transaction/)
      const reader = openDatabase({ ...options, setUp: onlyRead })
      try {
        const rejected = sql`DELETE FROM wallets`.execute(reader.db)
        await assert.rejects(rejected, /read-only transaction/)
      } finally {
        await reader.close()
      }
    } finally {
      await handle.close()
      await query(`DROP DATABASE ${name}`)
      await query(`DROP ROLE ${name}`)
    }
  })
})

test.run()
