/** `npm run dev`: keeps the servers running and restarts Kassa when a file that it uses changes. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { dataDirOf, keptSessionSecret } from './data-dir.ts'
import { explain } from './explain.ts'
import { withServers } from './with-servers.ts'

try {
  const dataDir = dataDirOf(process.env)
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  const secret = process.env.SESSION_SECRETS || (await keptSessionSecret(dataDir))
  const start = fileURLToPath(new URL('start.ts', import.meta.url))
  const kassa = spawn(process.execPath, ['--watch', '--watch-preserve-output', start], {
    stdio: 'inherit',
    env: {
      ...process.env,
      DATABASE_URL: servers.databaseUrl,
      TIGERBEETLE_ADDRESSES: servers.tigerbeetleAddresses,
      SESSION_SECRETS: secret,
    },
  })
  process.on('SIGINT', () => kassa.kill('SIGTERM'))
  process.on('SIGTERM', () => kassa.kill('SIGTERM'))
  servers.ended.then((how) => {
    console.error(how)
    kassa.kill('SIGTERM')
  })
  kassa.once('exit', async () => {
    await servers.stop()
    process.exit(0)
  })
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
