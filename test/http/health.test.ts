import { assert, suite } from '../lib/suite.ts'
import { startTcpProxy, type TcpProxy } from '../lib/tcp-proxy.ts'
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
  await toDatabase.close()
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
})

test('it is ready again when they are', async () => {
  while ((await read('/readyz')).status !== 'ok');
})

test.run()
