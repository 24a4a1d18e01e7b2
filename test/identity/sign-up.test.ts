import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('sign up')
let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

test('makes an account, signs in and opens a wallet in the default currency', async () => {
  const client = world.client()
  const input = {
    email: 'Ada@Example.com',
    password: 'lovelace 1843',
    username: 'ada',
    name: 'Ada',
  }
  const signedUp = await client.post('/v1/users', input)
  assert.is(signedUp.status, 201)
  const { id, created_at, ...user } = signedUp.body
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.ok(Math.abs(Date.parse(created_at) - Date.now()) < 60_000)
  assert.equal(user, { role: 'customer', email: 'Ada@Example.com', username: 'ada', name: 'Ada' })
  const wallets = await client.get('/v1/wallets')
  assert.equal(
    wallets.body.data.map(({ currency }: { currency: string }) => currency),
    ['USD'],
  )
})

test.run()
