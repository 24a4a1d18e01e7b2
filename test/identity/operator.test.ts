import { allows } from '../../server/http/route.ts'
import { routes } from '../../server/routes/index.ts'
import { basic, type Client, type Json } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, operatorLogin, paymentSystemLogin, type World } from '../lib/world.ts'

const test = suite('operators')
let world: World
let operator: Client

test.before(async () => {
  world = await createWorld()
  operator = await world.operator()
})
test.after(() => world.stop())

let made = 0
async function addPaymentSystem(): Promise<Json> {
  made += 1
  const input = { name: `Bank ${made}`, email: `bank${made}@example.com` }
  return must(operator.post('/v1/payment-systems', input), 201)
}

/** The API's routes for those who are signed in; the session itself is everybody's. */
const guarded = routes
  .map(({ spec }) => spec)
  .filter(({ caller, path }) => caller !== 'anyone' && /^\/(v1|api)\//.test(path))
  .filter(({ path }) => path !== '/v1/session')

const nobody = '00000000-0000-7000-8000-000000000000'

test('the first payment system and the first operator are created once', async () => {
  const another = await world.startAnother({
    env: { PAYMENT_SYSTEM_PASSWORD: 'another password', OPERATOR_PASSWORD: 'another password' },
  })
  assert.equal(another.created, [])
  const client = world.client(another.url)
  assert.is((await client.post('/v1/sessions', operatorLogin)).status, 201)
  assert.is((await client.post('/v1/sessions', paymentSystemLogin)).status, 201)
})

test('a payment system has a number, a credential of its own, and only its own routes', async () => {
  const { payment_system, password } = await addPaymentSystem()
  const first = await must(operator.get('/v1/payment-systems'), 200)
  assert.is(payment_system.number, first.data[0].number + made)
  const client = world.client()
  const headers = basic(payment_system.email, password)
  const { user } = await must(client.get('/v1/session', { headers }), 200)
  assert.equal([user.id, user.role], [payment_system.id, 'payment_system'])
  assert.is((await client.get('/v1/wallets')).body.code, 'role_not_allowed')
})

test('each role reaches its routes and nothing else, an ended session none', async () => {
  const ended = world.client()
  const { client: gone } = await world.signUp()
  for (const [name, value] of gone.cookies) ended.cookies.set(name, value)
  await gone.delete('/v1/session')
  const callers = {
    customer: (await world.signUp()).client,
    payment_system: await world.paymentSystem(),
    operator,
  }
  for (const spec of guarded) {
    const path = spec.path.replace('{id}', nobody)
    for (const [role, client] of Object.entries(callers)) {
      if (allows(spec.caller, role as keyof typeof callers)) continue
      const refused = await client.send(spec.method, path, { json: {} })
      assert.is(refused.body?.code, 'role_not_allowed', `${role} ${spec.method} ${spec.path}`)
      assert.is(refused.status, 403)
    }
    for (const stranger of [world.client(), ended]) {
      const refused = await stranger.send(spec.method, path, { json: {} })
      assert.is(refused.status, 401, `${spec.method} ${spec.path} without a session`)
      assert.is(refused.body.code, 'not_signed_in')
    }
  }
})

test('payment systems are listed by number, page by page', async () => {
  for (let count = 0; count < 3; count += 1) await addPaymentSystem()
  const all = await must(operator.get('/v1/payment-systems'), 200)
  assert.is(all.next_cursor, null)
  const paged: Json[] = []
  let cursor = ''
  do {
    const page = await must(operator.get(`/v1/payment-systems?limit=2${cursor}`), 200)
    assert.ok(page.data.length <= 2)
    paged.push(...page.data)
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`
  } while (cursor !== '')
  assert.equal(paged, all.data)
  assert.ok(all.data.every((entry: Json) => !('password' in entry)))
})

test('a rotated credential replaces the old one and its sessions at once', async () => {
  const { payment_system, password } = await addPaymentSystem()
  const client = world.client()
  const old = basic(payment_system.email, password)
  assert.is((await client.get('/v1/session', { headers: old })).status, 200)
  const path = `/v1/payment-systems/${payment_system.id}/credential`
  const rotated = await must(operator.post(path, undefined), 201)
  assert.is.not(rotated.password, password)
  assert.is((await client.get('/v1/session')).status, 401)
  assert.is((await client.get('/v1/session', { headers: old })).status, 401)
  const fresh = basic(payment_system.email, rotated.password)
  assert.is((await client.get('/v1/session', { headers: fresh })).status, 200)
})

test('a deactivated user is out until reactivated; doing it twice changes nothing', async () => {
  const { client, userId, email, password } = await world.signUp()
  const deactivate = () =>
    must(operator.post(`/v1/users/${userId}/deactivate`, { reason: 'asked to' }), 200)
  const { deactivated_at } = await deactivate()
  assert.is.not(deactivated_at, null)
  assert.equal((await deactivate()).deactivated_at, deactivated_at)
  assert.is((await client.get('/v1/session')).status, 401)
  assert.is((await client.post('/v1/sessions', { email, password })).status, 401)
  const body = { email, password: 'correct horse battery' }
  assert.is((await world.client().post('/v1/users', body)).body.code, 'email_taken')
  const again = await must(
    operator.post(`/v1/users/${userId}/reactivate`, { reason: 'asked to' }),
    200,
  )
  assert.is(again.deactivated_at, null)
  assert.is((await client.get('/v1/session')).status, 401)
  assert.is((await client.post('/v1/sessions', { email, password })).status, 201)
})

test('a deactivated payment system is out too', async () => {
  const { payment_system, password } = await addPaymentSystem()
  const path = `/v1/users/${payment_system.id}/deactivate`
  await must(operator.post(path, { reason: 'contract ended' }), 200)
  const headers = basic(payment_system.email, password)
  assert.is((await world.client().get('/v1/session', { headers })).status, 401)
})

test('finds users by e-mail, username and id', async () => {
  const { userId, email } = await world.signUp({ username: 'findable' })
  const found = async (query: string) =>
    (await must(operator.get(`/v1/users?${query}`), 200)).data.map(({ id }: Json) => id)
  assert.equal(await found(`email=${email.toUpperCase()}`), [userId])
  assert.equal(await found('username=findable'), [userId])
  assert.equal(await found('username=nobody'), [])
  assert.is((await must(operator.get(`/v1/users/${userId}`), 200)).email, email)
})

/** A request that is refused, and why. */
const refusals: [method: string, path: string, json: unknown, code: string][] = [
  ['GET', `/v1/users/${nobody}`, undefined, 'user_not_found'],
  ['POST', `/v1/users/${nobody}/deactivate`, { reason: 'x' }, 'user_not_found'],
  ['POST', `/v1/users/${nobody}/reactivate`, { reason: 'x' }, 'user_not_found'],
  ['POST', `/v1/users/${nobody}/deactivate`, {}, 'invalid_request'],
  ['GET', '/v1/users/5', undefined, 'invalid_request'],
  ['GET', '/v1/users', undefined, 'invalid_request'],
  ['GET', '/v1/users?email=a@b.co&username=a', undefined, 'invalid_request'],
  ['POST', `/v1/payment-systems/${nobody}/credential`, undefined, 'payment_system_not_found'],
  ['POST', '/v1/payment-systems', { name: 'x', email: 'no' }, 'invalid_request'],
  ['POST', '/v1/payment-systems', { name: 'x', email: 'payments@kassa.localhost' }, 'email_taken'],
  ['GET', '/v1/payment-systems?cursor=x', undefined, 'invalid_cursor'],
  ['GET', '/v1/payment-systems?cursor=bjk5OTk5OTk5OTk5', undefined, 'invalid_cursor'],
  ['GET', '/v1/payment-systems?limit=0', undefined, 'invalid_request'],
  ['GET', '/v1/audit?cursor=dDEy', undefined, 'invalid_cursor'],
  ['GET', '/v1/audit?limit=201', undefined, 'invalid_request'],
]
for (const [method, path, json, code] of refusals) {
  test(`${method} ${path} ${JSON.stringify(json) ?? ''} is refused: ${code}`, async () => {
    assert.is((await operator.send(method, path, { json })).body.code, code)
  })
}

test('a name of a payment system is taken once', async () => {
  const { payment_system } = await addPaymentSystem()
  const input = { name: payment_system.name, email: 'unused@example.com' }
  assert.is((await operator.post('/v1/payment-systems', input)).body.code, 'name_taken')
  const found = await must(operator.get('/v1/users?email=unused@example.com'), 200)
  assert.equal(found.data, [])
})

test('an operator cannot deactivate the own account', async () => {
  const { user } = await must(operator.get('/v1/session'), 200)
  const path = `/v1/users/${user.id}/deactivate`
  assert.is((await operator.post(path, { reason: 'tired' })).body.code, 'own_account')
})

const newAccount = { name: 'x', email: paymentSystemLogin.email }
/** What a route takes, for those that take anything but a reason. */
const bodies: Readonly<Record<string, Json>> = {
  'POST /v1/reconciliations': undefined,
  'POST /v1/breaks/{id}/assign': { user_id: nobody },
  'POST /v1/breaks/{id}/explain': { text: 'audit' },
  'POST /v1/breaks/{id}/correct': { adjustment_id: nobody },
  'POST /v1/payment-systems': newAccount,
  'POST /v1/operators': newAccount,
  'POST /v1/currencies': { currency: 'AUDITED', name: 'x', scale: 2 },
  'PUT /v1/currencies/{currency}': { state: 'closed' },
  'PUT /v1/exchange-rates/{base}/{quote}': {
    mid: '1',
    spread_basis_points: 0,
    source: 'audit',
    valid_until: '2000-01-01T00:00:00Z',
  },
  'POST /v1/fee-schedules': {
    operation: 'payment',
    currency: 'XXX',
    fixed: '1',
    basis_points: 0,
    borne_by: 'sender',
  },
  'PUT /v1/users/{id}/limits': { currency: 'USD', window: 'day', amount: '1' },
  'PUT /v1/users/{id}/kind': { kind: 'person' },
  'PUT /v1/limit-defaults': { kind: 'person', currency: 'XXX', window: 'day', amount: '1' },
  'POST /v1/adjustments': { kind: 'suspense_payout', deposit_id: nobody, reason: 'audit' },
  'POST /v1/suspense/{id}/assign': { wallet_id: nobody, reason: 'audit' },
}

/** What a path can name besides ids. */
const names: Readonly<Record<string, string>> = {
  '{currency}': 'SEK',
  '{base}': 'SEK',
  '{quote}': 'EUR',
}

/** What routes want in their query. */
const queries: Readonly<Record<string, string>> = {
  '/v1/users': '?email=x',
  '/v1/wallets/{id}/statement': '?from=2026-10-01T00:00:00Z&to=2026-11-01T00:00:00Z',
}

test('every route that lets an operator in leaves an entry in the audit', async () => {
  const { user } = await must(operator.get('/v1/session'), 200)
  const audited = guarded.filter(
    (spec) => allows(spec.caller, 'operator') && spec.audited !== false,
  )
  for (const spec of audited) {
    const requestId = `audit-${spec.method}${spec.path.replace(/[^a-z]/g, '.')}`
    const named = spec.path.match(/{\w+}/g)?.map((name) => names[name] ?? nobody)
    const rest = named ? [...named] : []
    const filled = spec.path.replace(/{\w+}/g, () => rest.shift() ?? '')
    const path = filled + (queries[spec.path] ?? '')
    const name = `${spec.method} ${spec.path}`
    const json = name in bodies ? bodies[name] : { reason: 'audit' }
    await operator.send(spec.method, path, { json, headers: { 'x-request-id': requestId } })
    const { data } = await must(operator.get('/v1/audit?limit=2'), 200)
    const entry = data.find(({ request_id }: Json) => request_id === requestId)
    assert.ok(entry, `${spec.method} ${spec.path} is not in the audit`)
    assert.is(entry.action, `${spec.method} ${spec.path}`)
    assert.is(entry.operator_id, user.id)
    assert.is(entry.subject_id, named?.join('/') ?? null)
  }
})

test('the audit tells what was asked, newest first, page by page, and no secret', async () => {
  const { userId } = await world.signUp()
  await operator.post(`/v1/users/${userId}/deactivate`, { reason: 'to be found' })
  const { data } = await must(operator.get('/v1/audit?limit=2'), 200)
  assert.is(data[0].action, 'GET /v1/audit')
  assert.is(data[1].action, 'POST /v1/users/{id}/deactivate')
  assert.is(data[1].subject_id, userId)
  assert.is(data[1].details.body.reason, 'to be found')
  const first = await must(operator.get('/v1/audit?limit=5'), 200)
  const second = await must(operator.get(`/v1/audit?limit=5&cursor=${first.next_cursor}`), 200)
  const ids = [...first.data, ...second.data].map(({ id }: Json) => BigInt(id))
  assert.equal(
    ids,
    ids.map((_, index) => (ids[0] ?? 0n) - BigInt(index)),
  )
  const { password } = await addPaymentSystem()
  const all = await must(operator.get('/v1/audit?limit=200'), 200)
  assert.not.ok(JSON.stringify(all).includes(password))
})

test('the audit cannot be changed, also not by SQL', async () => {
  const { db } = world.deps
  await assert.rejects(db.deleteFrom('audit').execute(), /append-only/)
  await assert.rejects(
    db.updateTable('audit').set({ id: 1n }).execute(),
    /append-only|can only be updated to DEFAULT/,
  )
})

test('an operator looks at any wallet, and each look is in the audit', async () => {
  const person = await world.signUp()
  const { id: operatorId } = (await must(operator.get('/v1/session'), 200)).user
  const wallets = await must(operator.get(`/v1/users/${person.userId}/wallets`), 200)
  assert.equal(
    wallets.data.map(({ id }: Json) => id),
    [person.walletId],
  )
  const wallet = await must(operator.get(`/v1/wallets/${person.walletId}`), 200)
  const owner = { id: person.userId, username: null, name: null }
  assert.equal(wallet, { ...wallets.data[0], owner })
  await must(operator.get(`/v1/wallets/${person.walletId}/transactions`), 200)
  const audit = await must(operator.get('/v1/audit?limit=4'), 200)
  const looks = audit.data.filter((entry: Json) => entry.subject_id === person.walletId)
  assert.equal(
    looks.map((entry: Json) => [entry.operator_id, entry.action]),
    [
      [operatorId, 'GET /v1/wallets/{id}/transactions'],
      [operatorId, 'GET /v1/wallets/{id}'],
    ],
  )
  assert.is((await operator.get(`/v1/wallets/${nobody}`)).body.code, 'wallet_not_found')
  assert.is((await operator.post('/v1/wallets', { currency: 'USD' })).body.code, 'role_not_allowed')
})

test.run()
