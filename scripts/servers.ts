/** `npm run servers`: only the two servers, for other programs to use, until it is told to stop. */
import { dataDirOf, noteAddresses } from './data-dir.ts'
import { explain } from './explain.ts'
import { untilTold } from './until-told.ts'
import { withServers } from './with-servers.ts'

try {
  const dataDir = dataDirOf(process.env)
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  console.log(`DATABASE_URL=${servers.databaseUrl}`)
  console.log(`TIGERBEETLE_ADDRESSES=${servers.tigerbeetleAddresses}`)
  const forget = servers.keepData ? await noteAddresses(dataDir, servers) : undefined
  const mishap = await Promise.race([untilTold().then(() => undefined), servers.ended])
  if (mishap) console.error(mishap)
  await forget?.()
  await servers.stop()
  process.exit(mishap === undefined ? 0 : 1)
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
