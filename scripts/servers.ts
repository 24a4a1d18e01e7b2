/** `npm run servers`: only the two servers, for other programs to use, until SIGINT or SIGTERM. */
import { dataDirOf } from './data-dir.ts'
import { explain } from './explain.ts'
import { withServers } from './with-servers.ts'

try {
  const dataDir = dataDirOf(process.env)
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  console.log(`DATABASE_URL=${servers.databaseUrl}`)
  console.log(`TIGERBEETLE_ADDRESSES=${servers.tigerbeetleAddresses}`)
  const keepAlive = setInterval(() => {}, 2 ** 30)
  const stop = async (exitCode: number): Promise<void> => {
    clearInterval(keepAlive)
    await servers.stop()
    process.exit(exitCode)
  }
  process.once('SIGINT', () => stop(0))
  process.once('SIGTERM', () => stop(0))
  servers.ended.then((how) => {
    console.error(how)
    return stop(1)
  })
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
