import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { basic } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('the process')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

const main = fileURLToPath(new URL('../../server/main.ts', import.meta.url))

interface Process {
  child: ChildProcess
  output: () => string
  errors: () => string
  ended: Promise<unknown[]>
}

/** Starts Kassa as a process of its own, with just these settings. */
function start(env: Record<string, string>): Process {
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  return { child, output: () => output, errors: () => errors, ended: once(child, 'close') }
}

const settings = () => ({
  DATABASE_URL: world.deps.config.databaseUrl,
  TIGERBEETLE_ADDRESSES: process.env.TIGERBEETLE_ADDRESSES ?? '',
  PORT: '0',
  BCRYPT_COST: '4',
})

test('logs one line a request, with nothing secret in it, and ends well on SIGTERM', async () => {
  const kassa = start(settings())
  await until(() => /listens on/.test(kassa.output()))
  const [url = ''] = /http:\/\/\S+/.exec(kassa.output()) ?? []
  const client = world.client(url)
  const secret = 'a password to look for'
  const email = 'logged@example.com'
  const signedUp = await client.post('/v1/users?note=query', { email, password: secret })
  const token = client.cookies.get('kassa') ?? ''
  await client.post(
    '/v1/wallets',
    { currency: 'EUR' },
    { headers: { 'idempotency-key': 'a key to look for', 'x-request-id': 'mine' } },
  )
  await world.client(url).get('/v1/session', { headers: basic(email, secret) })
  await client.get('/v1/nothing/logged@example.com')
  kassa.child.kill('SIGTERM')
  assert.equal(await kassa.ended, [0, null])

  const lines = kassa.output().split('\n')
  const requests = lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'request')
  const userId = signedUp.body.id
  assert.equal(
    requests.map(({ method, route, status, user_id }) => [method, route, status, user_id]),
    [
      ['POST', '/v1/users', 201, userId],
      ['POST', '/v1/wallets', 201, userId],
      ['GET', '/v1/session', 200, userId],
      ['GET', undefined, 404, undefined],
    ],
  )
  assert.is(requests[1].id, 'mine')
  assert.ok(requests.every(({ duration_ms }) => duration_ms >= 0))
  for (const hidden of [secret, token, email, 'a key to look for', 'note=query', 'EUR']) {
    assert.not.ok(kassa.output().includes(hidden), `the log has ${hidden}`)
  }
})

test('lets a request finish before it ends, and takes no other', async () => {
  const hashing = Promise.withResolvers<void>()
  const mayFinish = Promise.withResolvers<void>()
  const kassa = await world.startAnother({
    adapt: (deps) => ({
      ...deps,
      passwords: {
        ...deps.passwords,
        async hash(password) {
          hashing.resolve()
          await mayFinish.promise
          return deps.passwords.hash(password)
        },
      },
    }),
  })
  const client = world.client(kassa.url)
  const input = { email: 'late@example.com', password: 'correct horse battery' }
  const signingUp = client.post('/v1/users', input)
  await hashing.promise
  const stopped = kassa.stop()
  await assert.rejects(world.client(kassa.url).get('/livez'), /ECONNREFUSED/)
  mayFinish.resolve()
  assert.is((await signingUp).status, 201)
  await stopped
})

test('tells everything that is wrong with the settings, and ends', async () => {
  const { ended, errors } = start({ PORT: 'x', BCRYPT_COST: '40', NODE_ENV: 'production' })
  assert.equal(await ended, [1, null])
  const lines = errors().trim().split('\n').sort()
  assert.is(lines.length, 6)
  for (const [index, pattern] of [
    /^BCRYPT_COST must be a whole number from 4 to 16$/,
    /^DATABASE_URL is not set$/,
    /^DESTINATION_KEYS is not set/,
    /^PORT must be a whole number from 0 to 65535$/,
    /^SESSION_SECRETS is not set/,
    /^TIGERBEETLE_ADDRESSES is not set$/,
  ].entries()) {
    assert.match(lines[index] ?? '', pattern)
  }
})

test.run()
