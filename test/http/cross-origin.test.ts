import { basic } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type Person, type World } from '../lib/world.ts'

const test = suite('requests of other origins')
let world: World
let person: Person
let host: string

test.before(async () => {
  world = await createWorld()
  person = await world.signUp()
  host = new URL(world.url).host
})
test.after(() => world.stop())

/** The headers a browser sends (HOST stands for Kassa's own), and whether the request is let in. */
const cases: [headers: Record<string, string>, isLetIn: boolean][] = [
  [{}, true],
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ 'sec-fetch-site': 'anything' }, false],
  [{ origin: 'http://HOST' }, true],
  [{ origin: 'https://HOST' }, true],
  [{ origin: 'http://HOST.evil.example' }, false],
  [{ origin: 'http://evil.example' }, false],
  [{ origin: 'http://127.0.0.1:1' }, false],
  [{ origin: 'null' }, false],
  [{ origin: 'nonsense' }, false],
  [{ origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }, true],
  [{ origin: 'http://HOST', 'sec-fetch-site': 'cross-site' }, false],
]

for (const [pattern, isLetIn] of cases) {
  const name = JSON.stringify(pattern)
  const headers = () =>
    Object.fromEntries(
      Object.entries(pattern).map(([key, value]) => [key, value.replace('HOST', host)]),
    )

  test(`${name} changes ${isLetIn ? 'something' : 'nothing'}`, async () => {
    const { client, email, password } = await world.signUp()
    const before = (await client.get('/v1/wallets')).body.data.length
    const attempts = [
      client.post('/v1/wallets', { currency: 'EUR' }, { headers: headers() }),
      world
        .client()
        .post(
          '/v1/wallets',
          { currency: 'EUR' },
          { headers: { ...headers(), ...basic(email, password) } },
        ),
      world.client().post('/v1/sessions', { email, password }, { headers: headers() }),
    ]
    for (const reply of await Promise.all(attempts)) {
      assert.is(reply.status, isLetIn ? 201 : 403)
      if (!isLetIn) assert.is(reply.body.code, 'cross_origin')
      if (!isLetIn) assert.is(reply.headers['set-cookie'], undefined)
    }
    const after = (await client.get('/v1/wallets')).body.data.length
    assert.is(after, isLetIn ? before + 2 : before)
  })

  test(`${name} may look`, async () => {
    const reply = await person.client.get('/v1/session', { headers: headers() })
    assert.is(reply.status, 200)
    assert.is(reply.headers['access-control-allow-origin'], undefined)
  })
}

test.run()
