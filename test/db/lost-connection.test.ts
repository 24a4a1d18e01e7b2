import { openDatabase } from '../../db/database.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('lost connections to PostgreSQL')

const options = { url: process.env.DATABASE_URL ?? '', poolSize: 2, connectTimeoutMs: 5_000 }

test('one that is ended between two queries of its borrower breaks only the next query', async () => {
  const { pool, close } = openDatabase({ ...options, onIdleError: () => {} })
  const lent = await pool.connect()
  const { rows } = await lent.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const broken = new Promise((resolve) => lent.once('end', resolve))
  await pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
  await broken
  await assert.rejects(lent.query('SELECT 1'))
  lent.release(true)
  assert.is((await pool.query('SELECT 1')).rowCount, 1)
  await close()
})

test('one that is ended while idle is told and replaced', async () => {
  const told: Error[] = []
  const { pool, close } = openDatabase({ ...options, onIdleError: (error) => told.push(error) })
  const [one, other] = await Promise.all([pool.connect(), pool.connect()])
  const { rows } = await one.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const broken = new Promise((resolve) => one.once('end', resolve))
  one.release()
  await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
  await broken
  other.release()
  assert.match(String(told[0]), 'terminating connection')
  assert.is((await pool.query('SELECT 1')).rowCount, 1)
  await close()
})

test.run()
