/** `npm run migrate`: brings the schema of DATABASE_URL up to date. */
import { openDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { explain } from './explain.ts'

const url = process.env.DATABASE_URL
if (!url) {
  console.error('DATABASE_URL is not set. `npm run servers` prints one.')
  process.exit(1)
}
const onIdleError = (error: Error): void => console.error(error.message)
const database = openDatabase({ url, poolSize: 2, connectTimeoutMs: 10_000, onIdleError })
try {
  const names = await migrate(database)
  console.log(names.length === 0 ? 'The schema is up to date.' : `Carried out ${names.join(', ')}.`)
} catch (error) {
  console.error(explain(error))
  // Closing could wait for what is broken.
  process.exit(1)
} finally {
  await database.close()
}
