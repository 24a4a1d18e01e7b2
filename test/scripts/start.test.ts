import { access, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
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

/** Waits until it listens and has told where the servers are. */
async function ready(script: Script): Promise<string> {
  const [, url = ''] = await script.writes(/listens on (\S+).*TigerBeetle .*\n\n/s)
  return url
}

/** PostgreSQL removes it as the last thing. */
const lockFile = 'postgres/cluster/postmaster.pid'

/** Waits until no PostgreSQL runs on the data folder. */
async function serversEnd(): Promise<void> {
  for (;;) {
    const [pid] = (await readFile(join(dataDir, lockFile), 'utf8').catch(() => '')).split('\n')
    if (!pid || !isAlive(Number(pid))) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
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
  const readKey = () => readFile(join(dataDir, 'destination-key'), 'utf8')
  const destinationKey = await readKey()
  assert.match(destinationKey, /^[\w-]{43}\n$/)
  assert.match(await readFile(join(dataDir, 'evidence-key'), 'utf8'), /^[\w-]{43}\n$/)
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
  assert.is(await readKey(), destinationKey)
  third.process.kill('SIGINT')
  third.process.kill('SIGINT') // the terminal and npm both send it
  assert.is(await third.ended, 0)

  const fourth = start()
  await ready(fourth)
  const [postmaster] = (await readFile(join(dataDir, lockFile), 'utf8')).split('\n')
  process.kill(Number(postmaster), 'SIGKILL')
  assert.is(await fourth.ended, 1)
  assert.ok(/\nPostgreSQL has ended: .*\n/.test(fourth.output()), fourth.output())
  await ready(start()) // recovers, and takes no notice of the file that the killed one has left
})

test('redoes a first start that broke off; takes credentials from the settings', async () => {
  const gone = start({ PORT: 'x' })
  await gone.ended
  const unfinished = join(dataDir, `postgres.unfinished-${gone.process.pid}`)
  await mkdir(join(unfinished, 'cluster/base'), { recursive: true })
  await writeFile(join(unfinished, 'password'), 'half')
  const kassa = start({
    PAYMENT_SYSTEM_EMAIL: 'bank@example.com',
    PAYMENT_SYSTEM_PASSWORD: 'bank-password-1',
    OPERATOR_EMAIL: 'op@example.com',
    OPERATOR_PASSWORD: 'operator-password-1',
  })
  const url = await ready(kassa)
  assert.not(await exists(unfinished))
  assert.not.match(kassa.output(), /(bank|operator)-password/)
  for (const login of ['bank@example.com:bank-password-1', 'op@example.com:operator-password-1']) {
    const headers = { authorization: `Basic ${btoa(login)}` }
    const session = await request(`${url}/v1/session`, { headers })
    assert.is(session.statusCode, 200, await session.body.text())
  }
})

test('of two first starts in one folder one serves and the other tells why not', async () => {
  const both = [start(), start()]
  const [winner, loser] = await Promise.any(
    both.map(async (script, index) => {
      await ready(script)
      return [script, both[1 - index]] as const
    }),
  )
  assert.is(await loser?.ended, 1)
  assert.match(loser?.output() ?? '', /^.* in use by another .*\n$/)
  winner.process.kill('SIGTERM')
  assert.is(await winner.ended, 0)
})

test('npm run servers prints addresses that others can use, and commands find them', async () => {
  const servers = start({}, 'servers.ts')
  const [, databaseUrl, addresses] = await servers.writes(
    /^DATABASE_URL=(postgresql:\S+)\nTIGERBEETLE_ADDRESSES=(\S+)\n/,
  )
  const variables = { DATABASE_URL: databaseUrl, TIGERBEETLE_ADDRESSES: addresses }
  const migrated = start(variables, 'migrate.ts')
  assert.is(await migrated.ended, 0)
  assert.match(migrated.output(), /^Carried out /)
  const reconciled = start({}, 'reconcile.ts')
  assert.is(await reconciled.ended, 0, reconciled.output())
  dataDir = join(folder, 'not needed')
  const kassa = start(variables)
  await ready(kassa)
  kassa.process.kill('SIGTERM')
  assert.is(await kassa.ended, 0)
  assert.not(await exists(dataDir))
  dataDir = join(folder, 'data dir')
  assert.is((await stat(join(dataDir, 'addresses'))).mode & 0o077, 0)
  servers.process.kill('SIGTERM')
  assert.is(await servers.ended, 0)
  assert.not(await exists(join(dataDir, 'addresses')))
})

test.run()
