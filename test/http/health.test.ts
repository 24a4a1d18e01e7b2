import { assert, suite } from '../lib/suite.ts'
import { startTcpProxy, type TcpProxy } from '../lib/tcp-proxy.ts'
import { until } from '../lib/until.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('health')
let world: World
let toLedger: TcpProxy
let toDatabase: TcpProxy
let url: string

test.before(async () => {
  world = await createWorld()
  const databaseUrl = new URL(world.deps.config.databaseUrl)
  toDatabase = await startTcpProxy({ target: databaseUrl.host })
  toLedger = await startTcpProxy({ target: process.env.TIGERBEETLE_ADDRESSES ?? '' })
  databaseUrl.host = toDatabase.address
  const kassa = await world.startAnother({
    env: { DATABASE_URL: databaseUrl.href, TIGERBEETLE_ADDRESSES: toLedger.address },
  })
  url = kassa.url
})
test.after(async () => {
  await world.stop()
  await toLedger.close()
})

const read = async (path: string) => (await world.client(url).get(path)).body

test('both servers answer', async () => {
  assert.equal(await read('/livez'), { status: 'ok' })
  assert.equal(await read('/readyz'), { status: 'ok', postgresql: 'ok', tigerbeetle: 'ok' })
})

test('a ledger that does not answer makes it unready and not dead', async () => {
  toLedger.hold('requests', 'answers')
  assert.equal(await read('/readyz'), { status: 'down', postgresql: 'ok', tigerbeetle: 'down' })
  assert.equal(await read('/livez'), { status: 'ok' })
  toLedger.release()
})

test('a PostgreSQL that does not answer makes it unready and not dead', async () => {
  toDatabase.hold('requests', 'answers')
  const { status, postgresql } = await read('/readyz')
  assert.equal([status, postgresql], ['down', 'down'])
  assert.equal(await read('/livez'), { status: 'ok' })
  toDatabase.release()
  await until(async () => (await read('/readyz')).status === 'ok')
})

test('without PostgreSQL what needs it is refused for now, and nothing else breaks', async () => {
  await toDatabase.close()
  const refused = await world.client(url).post('/v1/sessions', { email: 'a@b.co', password: 'x' })
  assert.is(refused.status, 503)
  assert.is(refused.body.code, 'database_unavailable')
  assert.is(refused.headers['retry-after'], '1')
  assert.equal(await read('/livez'), { status: 'ok' })
})

test.run()
