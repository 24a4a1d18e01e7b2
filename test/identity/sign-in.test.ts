import { basic } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, defaultPassword, type World } from '../lib/world.ts'

const test = suite('sign in')
let world: World

const accountAttempts = 5
const addressAttempts = 20

test.before(async () => {
  world = await createWorld({
    env: {
      ACCOUNT_ATTEMPTS: String(accountAttempts),
      ADDRESS_ATTEMPTS: String(addressAttempts),
      TRUST_PROXY_HOPS: '1',
    },
  })
})
test.after(() => world.stop())

/** As a proxy says it. */
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })

let addresses = 0
function newAddress(): string {
  addresses += 1
  return `192.0.2.${addresses}`
}

function tryToSignIn(email: string, password: string, address: string) {
  return world.client().post('/v1/sessions', { email, password }, from(address))
}

test('the same answer for an unknown e-mail, a wrong password and a deactivated user', async () => {
  const { email, password } = await world.signUp()
  const gone = await world.signUp()
  const operator = await world.operator()
  await operator.post(`/v1/users/${gone.userId}/deactivate`, { reason: 'left' })
  const address = newAddress()
  const replies = [
    await tryToSignIn('nobody@example.com', password, address),
    await tryToSignIn(email, `${password}!`, address),
    await tryToSignIn(gone.email, gone.password, address),
  ]
  for (const { status, body, headers } of replies) {
    assert.is(status, 401)
    assert.is(headers['set-cookie'], undefined)
    assert.equal({ ...body, request_id: '' }, { ...replies[0]?.body, request_id: '' })
    assert.is(body.code, 'wrong_credentials')
  }
})

test('an unknown e-mail costs a bcrypt as well', async () => {
  const compared: (string | undefined)[] = []
  const watched = await world.startAnother({
    adapt: (deps) => ({
      ...deps,
      passwords: {
        ...deps.passwords,
        matches(password, hash) {
          compared.push(hash)
          return deps.passwords.matches(password, hash)
        },
      },
    }),
  })
  const client = world.client(watched.url)
  const credentials = { email: 'nobody@example.com', password: 'whatever it is' }
  assert.is((await client.post('/v1/sessions', credentials, from(newAddress()))).status, 401)
  assert.equal(compared, [undefined])
  assert.is(await world.deps.passwords.matches('the password of nobody', undefined), false)
})

test('failures of an account are limited, in every process, also for the right password', async () => {
  const { email, password } = await world.signUp()
  for (let count = 0; count < accountAttempts; count += 1) {
    assert.is((await tryToSignIn(email, 'wrong password', newAddress())).status, 401)
  }
  const limited = await tryToSignIn(email.toUpperCase(), password, newAddress())
  assert.is(limited.status, 429)
  assert.is(limited.body.code, 'too_many_attempts')
  const seconds = Number(limited.headers['retry-after'])
  assert.ok(seconds > 0 && seconds <= 900)

  const other = await world.startAnother()
  const elsewhere = world.client(other.url)
  const credentials = { email, password }
  assert.is((await elsewhere.post('/v1/sessions', credentials, from(newAddress()))).status, 429)
  const byBasic = await elsewhere.get('/v1/session', { headers: basic(email, password) })
  assert.is(byBasic.status, 429)
})

test('no other way to write an e-mail has failures of its own', async () => {
  const { email } = await world.signUp({ email: 'writing.limits@example.com' })
  // In PostgreSQL lower('\u0130') is 'i', in JavaScript it is 'i' and a combining dot.
  const written = [...email].flatMap((letter, index) =>
    letter === 'i' ? [`${email.slice(0, index)}\u0130${email.slice(index + 1)}`] : [],
  )
  assert.is(written.length, 4)
  for (const other of written) {
    assert.is((await tryToSignIn(other, defaultPassword, newAddress())).status, 401)
  }
})

test('many guesses at once are not more than many one after the other', async () => {
  const { email } = await world.signUp()
  const address = newAddress()
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) => tryToSignIn(email, `guess ${index}`, address)),
  )
  assert.is(replies.filter(({ status }) => status === 401).length, accountAttempts)
  assert.is(replies.filter(({ status }) => status === 429).length, 20 - accountAttempts)
})

test('an unknown e-mail is limited as a known one is', async () => {
  const statuses: number[] = []
  for (let count = 0; count <= accountAttempts; count += 1) {
    statuses.push((await tryToSignIn('stranger@example.com', 'a password', newAddress())).status)
  }
  assert.equal(statuses, [...Array.from({ length: accountAttempts }, () => 401), 429])
})

test('failures of an address are limited over all accounts, of an IPv6 address by its /64', async () => {
  for (const [guesser, neighbour, stranger] of [
    ['198.51.100.7', '198.51.100.7', '198.51.100.8'],
    ['2001:db8:0:1::7', '2001:db8:0:1:ffff::9', '2001:db8:0:2::7'],
  ] as const) {
    const { email, password } = await world.signUp()
    for (let count = 0; count < addressAttempts; count += 1) {
      const guess = await tryToSignIn(`${guesser}-${count}@example.com`, 'a password', guesser)
      assert.is(guess.status, 401)
    }
    assert.is((await tryToSignIn(email, password, neighbour)).status, 429)
    assert.is((await tryToSignIn(email, password, stranger)).status, 201)
  }
})

test('signing in rightly is no failure', async () => {
  const { email, password } = await world.signUp()
  const address = newAddress()
  for (let count = 0; count < addressAttempts + 5; count += 1) {
    assert.is((await tryToSignIn(email, password, address)).status, 201)
  }
})

test('a right sign-in clears the failures of the account before it', async () => {
  const { email, password } = await world.signUp()
  for (let round = 0; round < 3; round += 1) {
    for (let count = 0; count < accountAttempts - 1; count += 1) {
      assert.is((await tryToSignIn(email, 'wrong password', newAddress())).status, 401)
    }
    assert.is((await tryToSignIn(email, password, newAddress())).status, 201)
  }
})

test('refuses what is no sign-in at all', async () => {
  for (const input of [{}, { email: 'a@b.co' }, { email: 5, password: 'x' }, [], 'text']) {
    const refused = await world.client().post('/v1/sessions', input)
    assert.is(refused.status, 422)
    assert.is(refused.body.code, 'invalid_request')
  }
})

test.run()
