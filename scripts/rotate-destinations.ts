/**
 * `npm run rotate-destinations`: encrypts the destinations of withdrawals in DATABASE_URL that an older
 * one of DESTINATION_KEYS has encrypted with the newest. Kassa may go on running, with the same keys.
 */
import { openDatabase } from '../db/database.ts'
import { loadConfig } from '../server/config.ts'
import { createDestinations } from '../server/destinations.ts'
import { rotateDestinations } from '../server/flows/rotate-destinations.ts'
import { explain } from './explain.ts'

const { databaseUrl: url, destinationKeys } = readSettings()
const onIdleError = (error: Error): void => console.error(error.message)
const database = openDatabase({ url, poolSize: 2, connectTimeoutMs: 10_000, onIdleError })

/** Where the database is, and the keys. Other settings are not asked for, and may be missing. */
function readSettings() {
  const { DATABASE_URL, DESTINATION_KEYS } = process.env
  try {
    if (!DESTINATION_KEYS) throw new Error('DESTINATION_KEYS is not set.')
    const settings = { DATABASE_URL, DESTINATION_KEYS, TIGERBEETLE_ADDRESSES: '127.0.0.1:0' }
    return loadConfig(settings)
  } catch (error) {
    console.error(explain(error))
    process.exit(1)
  }
}

try {
  const destinations = createDestinations(destinationKeys)
  const count = await rotateDestinations({ db: database.db, destinations })
  console.log(`${count} destinations are encrypted anew, with the key ${destinationKeys[0].id}.`)
} catch (error) {
  console.error(explain(error))
  // Closing could wait for what is broken.
  process.exit(1)
} finally {
  await database.close()
}
