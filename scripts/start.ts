/** `npm start`: the servers that are missing, then Kassa, until it is told to stop. */
import { createServer } from 'node:net'
import { type Config, loadConfig } from '../server/config.ts'
import { startKassa } from '../server/main.ts'
import { dataDirOf, keptSecrets, noteAddresses } from './data-dir.ts'
import { explain } from './explain.ts'
import { untilTold } from './until-told.ts'
import { type Servers, withServers } from './with-servers.ts'

type Kassa = Awaited<ReturnType<typeof startKassa>>

/** On top of the time for draining. Past it something hangs; the servers then end by themselves. */
const stopLimitSeconds = 30

const dataDir = dataDirOf(process.env)

async function start(): Promise<{ kassa: Kassa; servers: Servers }> {
  await checkSettings()
  const servers = await withServers({ env: process.env, dataDir, durable: true })
  try {
    const kassa = await startKassa(loadConfig(await environment(servers)))
    return { kassa, servers }
  } catch (error) {
    await servers.stop()
    throw error
  }
}

/** All that is wrong with the settings, and whether the port is free, before anything is started. */
async function checkSettings(): Promise<void> {
  const { NODE_ENV, DATABASE_URL, TIGERBEETLE_ADDRESSES } = process.env
  const config = loadConfig(
    NODE_ENV === 'production'
      ? process.env
      : {
          ...process.env,
          DATABASE_URL: DATABASE_URL || 'postgres://to.be.started',
          TIGERBEETLE_ADDRESSES: TIGERBEETLE_ADDRESSES || '127.0.0.1:0',
        },
  )
  await checkPort(config)
}

function checkPort({ host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(port, host, () => server.close(() => resolve()))
  })
}

async function environment(servers: Servers): Promise<NodeJS.ProcessEnv> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    DATABASE_URL: servers.databaseUrl,
    TIGERBEETLE_ADDRESSES: servers.tigerbeetleAddresses,
  }
  return servers.keepData ? { ...env, ...(await keptSecrets(dataDir, env)) } : env
}

function announce(kassa: Kassa, servers: Servers): void {
  const data = servers.keepData ? [`Data         ${dataDir}`] : []
  const lines = [
    `Kassa listens on ${kassa.url}  (documentation: ${kassa.url}/docs)`,
    '',
    ...[...data, ...servers.describe()].map((line) => `  ${line}`),
  ]
  if (kassa.created.length > 0) {
    lines.push('', 'Created now, and shown only this once:', '')
    for (const { role, email, password } of kassa.created) {
      lines.push(
        `  ${role.replace('_', ' ').padEnd(14)}  ${email}  ${password ?? '(the password of the settings)'}`,
      )
    }
  }
  console.log([...lines, '', ...tour(kassa)].join('\n'))
}

/** Calls to try: sign up, be paid, look. None at a later start, when the person is there already. */
function tour({ url, created }: Kassa): string[] {
  const payer = created.find(({ role }) => role === 'payment_system')
  if (payer === undefined) return []
  const credential = `${payer.email}:${payer.password ?? 'PASSWORD'}`
  const json = `-H 'Content-Type: application/json'`
  const person = `{"email":"ann@example.com","password":"correct horse"}`
  const payment = `{"wallet_id":"'$wallet'","amount":"100.00","currency":"USD","reference":"first"}`
  const number = `sed 's/.*"number":"\\([0-9]*\\)".*/\\1/'`
  return [
    'Try it:',
    '',
    `  curl -s -w '\\n' -c cookies ${url}/v1/users ${json} -d '${person}'`,
    `  wallet=$(curl -s -b cookies ${url}/v1/wallets | ${number})`,
    `  curl -s -w '\\n' -u '${credential}' ${url}/v1/deposits ${json} -d '${payment}'`,
    `  curl -s -w '\\n' -b cookies ${url}/v1/wallets`,
    '',
  ]
}

try {
  const { kassa, servers } = await start()
  const told = untilTold().then(() => undefined)
  const forget = servers.keepData ? await noteAddresses(dataDir, servers) : undefined
  announce(kassa, servers)
  const mishap = await Promise.race([told, servers.ended])
  console.log(mishap ?? 'Finishing what is under way...')
  const limitSeconds = kassa.deps.config.drainSeconds + stopLimitSeconds
  setTimeout(() => process.exit(1), limitSeconds * 1_000).unref()
  await kassa.stop()
  await forget?.()
  await servers.stop()
  process.exit(mishap === undefined ? 0 : 1)
} catch (error) {
  console.error(explain(error))
  process.exit(1)
}
