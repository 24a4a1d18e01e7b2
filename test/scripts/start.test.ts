import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { type Script, startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('npm start')

let folder = ''
let dataDir = ''
const started: Script[] = []

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa start '))
  dataDir = join(folder, 'data dir')
})
test.after.each(async () => {
  for (const script of started.splice(0)) {
    script.process.kill('SIGTERM')
    await script.ended
  }
  await serversEnd()
  await rm(folder, { recursive: true })
})

function start(variables: NodeJS.ProcessEnv = {}, name = 'start.ts'): Script {
  const script = startScript(name, { DATA_DIR: dataDir, PORT: '0', ...variables })
  started.push(script)
  return script
}

/** Waits for the last line of the tour. */
async function ready(script: Script): Promise<string> {
  const [, url = ''] = await script.writes(/listens on (\S+).*\/v1\/wallets\n\n/s)
  return url
}

/** PostgreSQL removes this file as the last thing. */
async function serversEnd(): Promise<void> {
  const file = join(dataDir, 'postgres/cluster/postmaster.pid')
  while (await exists(file)) await new Promise((resolve) => setTimeout(resolve, 20))
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** The script ends with 1 and has written this and nothing else. */
async function refuses(script: Script, text: string | RegExp): Promise<void> {
  assert.is(await script.ended, 1, script.output())
  if (typeof text === 'string') assert.is(script.output(), `${text}\n`)
  else assert.match(script.output(), text)
}

/** Carries out a printed `curl` line, without needing curl; returns the body of a 2xx answer. */
async function carryOut(line: string, cookies: Map<string, string>): Promise<string> {
  const option = (pattern: RegExp) => line.match(pattern)?.[1]
  const url = option(/ (http:\S+)/) ?? ''
  const body = option(/ -d '(.*)'$/)
  const credential = option(/ -u '([^']*)'/)
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await request(url, {
    method: body === undefined ? 'GET' : 'POST',
    body: body ?? null,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(credential ? { authorization: `Basic ${btoa(credential)}` } : {}),
      ...(/ -b cookies /.test(line) ? { cookie } : {}),
    },
  })
  if (/ -c cookies /.test(line)) {
    for (const set of [response.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = set.match(/^([^=]+)=([^;]*)/) ?? []
      cookies.set(name, value)
    }
  }
  const text = await response.body.text()
  assert.ok(response.statusCode < 300, `${line}\n${text}`)
  return text
}

/** The four printed lines, as a shell would carry them out; returns what the last one prints. */
async function tour(output: string): Promise<string> {
  const cookies = new Map<string, string>()
  let number = ''
  let answer = ''
  for (const printed of output.match(/^ {2}(wallet=|curl).*$/gm) ?? []) {
    const line = printed.replace(`'$wallet'`, number)
    const [, inner] = line.match(/^ {2}wallet=\$\((.*) \| sed .*\)$/) ?? []
    answer = await carryOut(inner ? `${inner} ` : line, cookies)
    if (inner) number = answer.match(/.*"number":"(\d+)"/)?.[1] ?? ''
  }
  return answer
}

test('serves what it promises, and keeps it over a stop and a kill', async () => {
  const first = start()
  await ready(first)
  assert.match(first.output(), dataDir)
  assert.match(first.output(), /payment system +\S+@\S+ +\S+\n +operator +\S+@\S+ +\S+\n/)
  const wallets = await tour(first.output())
  assert.is(JSON.parse(wallets).data[0].balance.posted, '100.00')
  first.process.kill('SIGTERM')
  assert.is(await first.ended, 0)
  await serversEnd()

  const second = start()
  await ready(second)
  assert.not.match(second.output(), 'only this once')
  second.process.kill('SIGKILL')
  assert.is(await second.ended, 'SIGKILL')

  const third = start() // at once, while the servers of the second are still shutting down
  const url = await ready(third)
  const kept = await request(`${url}/v1/wallets`, {
    headers: { authorization: `Basic ${btoa('ann@example.com:correct horse')}` },
  })
  assert.is(await kept.body.text(), wallets)
  third.process.kill('SIGINT')
  third.process.kill('SIGINT') // the terminal and npm both send it
  assert.is(await third.ended, 0)
})

test('takes credentials from the settings', async () => {
  const kassa = start({
    PAYMENT_SYSTEM_EMAIL: 'bank@example.com',
    PAYMENT_SYSTEM_PASSWORD: 'bank-password-1',
    OPERATOR_EMAIL: 'op@example.com',
    OPERATOR_PASSWORD: 'operator-password-1',
  })
  const url = await ready(kassa)
  for (const credential of [
    'bank@example.com:bank-password-1',
    'op@example.com:operator-password-1',
  ]) {
    const session = await request(`${url}/v1/session`, {
      headers: { authorization: `Basic ${btoa(credential)}` },
    })
    assert.is(session.statusCode, 200, await session.body.text())
  }
})

test('tells all wrong settings at once', async () => {
  await refuses(
    start({ PORT: 'x', BCRYPT_COST: '99', DATABASE_URL: 'mysql://x', OPERATOR_PASSWORD: 'short' }),
    /^The settings need a change:\n {2}PORT must be.*\n {2}DATABASE_URL must be.*\n {2}BCRYPT_COST must be.*\n {2}OPERATOR_PASSWORD must.*\n$/,
  )
  assert.not(await exists(dataDir))
})

test('refuses to start servers of its own in production', async () => {
  await refuses(
    start({ NODE_ENV: 'production' }),
    /^The settings need a change:\n( {2}(DATABASE_URL|TIGERBEETLE_ADDRESSES|SESSION_SECRETS) is not set.*\n){3}$/,
  )
  assert.not(await exists(dataDir))
})

test('tells that the port is busy', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  await refuses(
    start({ PORT: port }),
    `Port ${port} of 127.0.0.1 is in use. Stop what listens there, or set PORT to another.`,
  )
  server.close()
})

test('tells that the host is not of this machine', async () => {
  await refuses(start({ HOST: '192.0.2.1' }), /^Cannot listen on 192\.0\.2\.1 .*\n$/)
})

test('tells that the data folder cannot be written', async () => {
  await writeFile(join(folder, 'file'), '')
  dataDir = join(folder, 'file', 'data')
  await refuses(
    start(),
    `Cannot write to the data folder ${dataDir} (ENOTDIR). ` +
      'Make it writable, or choose another one with DATA_DIR.',
  )
})

test('tells that the data folder is half of one', async () => {
  await mkdir(join(dataDir, 'postgres/cluster'), { recursive: true })
  await refuses(
    start(),
    `${dataDir}/postgres is not a complete PostgreSQL folder (password is missing). Restore it ` +
      'from a backup, or move it away to start with an empty one.',
  )
})

test('makes again what an interrupted first start has left unfinished', async () => {
  await mkdir(join(dataDir, 'postgres.unfinished/cluster/base'), { recursive: true })
  await writeFile(join(dataDir, 'postgres.unfinished/password'), 'half')
  await ready(start())
  assert.not(await exists(join(dataDir, 'postgres.unfinished')))
})

test('tells that the data folder is in use', async () => {
  await ready(start())
  await refuses(start(), /^.* is in use by another PostgreSQL, process \d+\. .*DATA_DIR\.\n$/)
})

test('tells that nothing answers at a given address', async () => {
  await refuses(
    start({ DATABASE_URL: 'postgres://127.0.0.1:1/kassa' }),
    'Nothing answers at 127.0.0.1:1.',
  )
})

test('tells that TIGERBEETLE_BINARY is not a program', async () => {
  await refuses(
    start({ TIGERBEETLE_BINARY: join(folder, 'missing') }),
    `TIGERBEETLE_BINARY is ${join(folder, 'missing')}, which is not a program that can be run.`,
  )
})

test('npm run servers prints addresses that others can use', async () => {
  const servers = start({}, 'servers.ts')
  const [, databaseUrl, addresses] = await servers.writes(
    /^DATABASE_URL=(postgresql:\S+)\nTIGERBEETLE_ADDRESSES=(\S+)\n/,
  )
  const variables = { DATABASE_URL: databaseUrl, TIGERBEETLE_ADDRESSES: addresses }
  const migrated = start(variables, 'migrate.ts')
  assert.is(await migrated.ended, 0)
  assert.match(migrated.output(), /^Carried out /)
  dataDir = join(folder, 'not needed')
  const kassa = start(variables)
  await ready(kassa)
  kassa.process.kill('SIGTERM')
  assert.is(await kassa.ended, 0)
  assert.not(await exists(dataDir))
  dataDir = join(folder, 'data dir')
  servers.process.kill('SIGTERM')
  assert.is(await servers.ended, 0)
})

test.run()
