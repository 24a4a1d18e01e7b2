/** `npm run dev`: keeps the servers running and restarts Kassa when a file that it uses changes. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { dataDirOf, keptSecrets } from './data-dir.ts'
import { explain } from './explain.ts'
import { untilTold } from './until-told.ts'
import { withServers } from './with-servers.ts'

try {
  const dataDir = dataDirOf(process.env)
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  const secrets = await keptSecrets(dataDir, process.env)
  const start = fileURLToPath(new URL('start.ts', import.meta.url))
  const kassa = spawn(process.execPath, ['--watch', '--watch-preserve-output', start], {
    stdio: 'inherit',
    env: {
      ...process.env,
      DATABASE_URL: servers.databaseUrl,
      TIGERBEETLE_ADDRESSES: servers.tigerbeetleAddresses,
      ...secrets,
    },
  })
  const ended = new Promise<undefined>((resolve) => kassa.once('exit', () => resolve(undefined)))
  const mishap = await Promise.race([untilTold().then(() => undefined), servers.ended, ended])
  if (mishap) console.error(mishap)
  kassa.kill('SIGTERM')
  await ended
  await servers.stop()
  process.exit(mishap === undefined ? 0 : 1)
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
