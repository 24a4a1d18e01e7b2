import { randomUUID } from 'node:crypto'
import { routes } from '../../server/routes/index.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, fund, pay, posted } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('access to money')

type Role = 'customer' | 'payment_system' | 'operator'

const roles: ReadonlySet<Role> = new Set(['customer', 'payment_system', 'operator'])

/** Who reaches which route: written down here once more, so that a change is noticed. */
const access: Readonly<Record<string, readonly [Role, ...Role[]]>> = {
  'GET /v1/wallets': ['customer'],
  'POST /v1/wallets': ['customer'],
  'GET /v1/wallets/{id}': ['customer', 'operator'],
  'GET /v1/wallets/{id}/transactions': ['customer', 'operator'],
  'GET /v1/wallets/{id}/balance': ['customer', 'operator'],
  'GET /v1/wallets/{id}/statement': ['customer', 'operator'],
  'POST /v1/wallets/{id}/close': ['customer'],
  'POST /v1/wallets/{id}/freeze': ['operator'],
  'POST /v1/wallets/{id}/thaw': ['operator'],
  'POST /v1/transfers': ['customer'],
  'POST /v1/transfers/preview': ['customer'],
  'POST /v1/transfers/batch': ['customer'],
  'GET /v1/transfers/{id}': ['customer', 'operator'],
  'POST /v1/payrolls': ['customer'],
  'GET /v1/payrolls': ['customer'],
  'GET /v1/payrolls/{id}': ['customer'],
  'DELETE /v1/payrolls/{id}': ['customer'],
  'GET /v1/payrolls/{id}/results': ['customer'],
  'POST /v1/quotes': ['customer'],
  'GET /v1/quotes/{id}': ['customer'],
  'POST /v1/exchanges': ['customer'],
  'GET /v1/exchanges/{id}': ['customer'],
  'GET /v1/exchange-rates': ['customer', 'payment_system', 'operator'],
  'PUT /v1/exchange-rates/{base}/{quote}': ['operator'],
  'GET /v1/exchange-rates/{base}/{quote}/history': ['operator'],
  'POST /v1/currencies': ['operator'],
  'PUT /v1/currencies/{currency}': ['operator'],
  'GET /v1/fee-schedules': ['operator'],
  'POST /v1/fee-schedules': ['operator'],
  'GET /v1/limits': ['customer', 'payment_system'],
  'GET /v1/users/{id}/limits': ['operator'],
  'PUT /v1/users/{id}/limits': ['operator'],
  'PUT /v1/users/{id}/kind': ['operator'],
  'GET /v1/limit-defaults': ['operator'],
  'PUT /v1/limit-defaults': ['operator'],
  'POST /v1/adjustments': ['operator'],
  'GET /v1/adjustments': ['operator'],
  'GET /v1/adjustments/{id}': ['operator'],
  'GET /v1/approvals': ['operator'],
  'GET /v1/approvals/{id}': ['operator'],
  'POST /v1/approvals/{id}/approve': ['operator'],
  'POST /v1/approvals/{id}/reject': ['operator'],
  'POST /v1/approvals/{id}/withdraw': ['operator'],
  'GET /v1/house': ['operator'],
  'GET /v1/reconciliations': ['operator'],
  'POST /v1/reconciliations': ['operator'],
  'GET /v1/reconciliations/{id}': ['operator'],
  'GET /v1/breaks': ['operator'],
  'GET /v1/breaks/{id}': ['operator'],
  'POST /v1/breaks/{id}/assign': ['operator'],
  'POST /v1/breaks/{id}/explain': ['operator'],
  'POST /v1/breaks/{id}/correct': ['operator'],
  'POST /v1/breaks/{id}/close': ['operator'],
  'POST /v1/deposits': ['payment_system'],
  'GET /v1/deposits': ['payment_system'],
  'GET /v1/deposits/{id}': ['payment_system', 'operator'],
  'POST /v1/deposits/{id}/reversals': ['payment_system'],
  'GET /v1/deposits/{id}/reversals': ['payment_system'],
  'GET /v1/suspense': ['operator'],
  'GET /v1/suspense/{id}': ['operator'],
  'POST /v1/suspense/{id}/assign': ['operator'],
  'POST /v1/suspense/{id}/return': ['operator'],
  'POST /v1/holds': ['customer'],
  'GET /v1/holds': ['customer'],
  'GET /v1/holds/{id}': ['customer', 'operator'],
  'POST /v1/holds/{id}/capture': ['customer'],
  'POST /v1/holds/{id}/void': ['customer'],
  'POST /v1/payment-requests': ['customer'],
  'GET /v1/payment-requests': ['customer'],
  'GET /v1/payment-requests/{id}': ['customer'],
  'POST /v1/payment-requests/{id}/accept': ['customer'],
  'POST /v1/payment-requests/{id}/decline': ['customer'],
  'POST /v1/payment-requests/{id}/cancel': ['customer'],
  'GET /v1/blocks': ['customer'],
  'PUT /v1/blocks/{username}': ['customer'],
  'DELETE /v1/blocks/{username}': ['customer'],
  'POST /v1/transfers/{id}/refunds': ['customer', 'operator'],
  'GET /v1/transfers/{id}/refunds': ['customer', 'operator'],
  'GET /v1/refunds': ['customer'],
  'GET /v1/refunds/{id}': ['customer', 'operator'],
  'GET /v1/payout-systems': ['customer'],
  'POST /v1/withdrawals': ['customer'],
  'GET /v1/withdrawals': ['customer', 'payment_system', 'operator'],
  'GET /v1/withdrawals/{id}': ['customer', 'payment_system', 'operator'],
  'POST /v1/withdrawals/{id}/cancel': ['customer'],
  'POST /v1/withdrawals/{id}/take': ['payment_system'],
  'POST /v1/withdrawals/{id}/confirm': ['payment_system'],
  'POST /v1/withdrawals/{id}/fail': ['payment_system'],
}

let world: World
let ada: Person
let mallory: Person
/** Signs in again and again. */
let dora: Person
let bank: Client
const signedIn = new Map<Role, Client>()

test.before(async () => {
  world = await createWorld()
  ada = await world.signUp()
  mallory = await world.signUp({ username: 'mallory' })
  dora = await world.signUp()
  bank = await world.paymentSystem()
  signedIn.set('customer', ada.client)
  signedIn.set('payment_system', bank)
  signedIn.set('operator', await world.operator())
  await fund(bank, ada.walletId, '100.00')
  await fund(bank, mallory.walletId, '100.00')
})

test.after(() => world.stop())

/** Sends a request to a route as the table names it, with a body that would be right. */
function call(client: Client, route: string) {
  const [method = '', template = ''] = route.split(' ')
  const path = template.replace('{id}', randomUUID()).replace('{username}', 'mallory')
  const bodies: Record<string, Json> = {
    'POST /v1/wallets': { currency: 'EUR' },
    'POST /v1/transfers': { to_wallet_id: mallory.walletId, amount: '1' },
    'POST /v1/deposits': {
      wallet_id: mallory.walletId,
      amount: '1',
      currency: 'USD',
      reference: randomUUID(),
    },
    'POST /v1/deposits/{id}/reversals': { reason: 'x', reference: randomUUID() },
    'POST /v1/suspense/{id}/assign': { wallet_id: mallory.walletId, reason: 'x' },
    'POST /v1/suspense/{id}/return': { reason: 'x' },
    'POST /v1/wallets/{id}/freeze': { reason: 'x' },
    'POST /v1/wallets/{id}/thaw': { reason: 'x' },
    'POST /v1/holds': { to_wallet_id: mallory.walletId, amount: '1' },
    'POST /v1/holds/{id}/capture': {},
    'POST /v1/payment-requests': {
      from_username: 'mallory',
      to_wallet_id: ada.walletId,
      amount: '1',
    },
    'POST /v1/payment-requests/{id}/accept': {},
    'POST /v1/transfers/{id}/refunds': {},
    'POST /v1/withdrawals': {
      wallet_id: ada.walletId,
      amount: '1',
      payment_system: 'First payment system',
      destination: 'an account at a bank',
    },
    'POST /v1/withdrawals/{id}/confirm': { reference: 'x' },
    'POST /v1/withdrawals/{id}/fail': { reason: 'x' },
  }
  const json = bodies[route]
  return client.send(method, path, json === undefined ? {} : { json })
}

test('the table has every route about money', () => {
  const others =
    /^\/v1\/(users(?!\/{id}\/(limits|kind))|sessions?|password|payment-systems|operators|audit|account|transfer)(\/|$)/
  const found = routes
    .filter(({ spec }) => spec.path.startsWith('/v1/') && !others.test(spec.path))
    .filter(({ spec }) => Array.isArray(spec.caller) || roles.has(spec.caller as Role))
    .map(({ spec }) => `${spec.method} ${spec.path}`)
  assert.equal(found.sort(), Object.keys(access).sort())
})

test('without a session every route asks to sign in', async () => {
  for (const route of Object.keys(access)) {
    const reply = await call(world.client(), route)
    assertRefused(reply, 401, 'not_signed_in', route)
    assert.match(String(reply.headers['www-authenticate']), /^Basic /)
  }
})

test('a role reaches its own routes and no others', async () => {
  for (const [route, allowed] of Object.entries(access)) {
    for (const [role, client] of signedIn) {
      const reply = await call(client, route)
      if (!allowed.includes(role))
        assertRefused(reply, 403, 'role_not_allowed', `${role}: ${route}`)
      else
        assert.ok(
          ![401, 403].includes(reply.status) && reply.status < 500,
          `${role}: ${route} ${reply.text}`,
        )
    }
  }
})

/** A client of the role with a session of its own. */
async function freshSession(role: Role): Promise<Client> {
  if (role === 'payment_system') return world.paymentSystem()
  if (role === 'operator') return world.operator()
  const client = world.client()
  const { email, password } = dora
  await must(client.post('/v1/sessions', { email, password }), 201)
  return client
}

test('a session that was signed out opens nothing, wherever its cookie is kept', async () => {
  for (const [route, [role]] of Object.entries(access)) {
    const client = await freshSession(role)
    await must(client.get('/v1/session'), 200)
    const cookies = [...client.cookies]
    await must(client.delete('/v1/session'), 204)
    for (const [name, value] of cookies) client.cookies.set(name, value)
    assertRefused(await call(client, route), 401, 'not_signed_in', route)
  }
})

/** Makes the newest session one that has run out. It was not looked at yet and so is not cached. */
async function makeOld(): Promise<void> {
  const seen_at = new Date(Date.now() - 15 * 86_400_000)
  await world.deps.db
    .updateTable('sessions')
    .set({ seen_at })
    .where('id', '=', (eb) => eb.selectFrom('sessions').select('id').orderBy('id', 'desc').limit(1))
    .execute()
}

test('a session that has run out opens nothing', async () => {
  for (const [route, [role]] of Object.entries(access)) {
    const client = await freshSession(role)
    await makeOld()
    assertRefused(await call(client, route), 401, 'not_signed_in', route)
  }
})

test('a cookie that was changed opens nothing', async () => {
  const client = await freshSession('customer')
  for (const [name, value] of [...client.cookies]) {
    const last = value.at(-1) === 'A' ? 'B' : 'A'
    client.cookies.set(name, `${value.slice(0, -1)}${last}`)
  }
  for (const [route, [role]] of Object.entries(access)) {
    if (role === 'customer') assertRefused(await call(client, route), 401, 'not_signed_in', route)
  }
})

test("another person's wallet and transfers are as if they did not exist", async () => {
  const owner = await world.signUp()
  const payee = await world.signUp()
  await fund(bank, owner.walletId, '10.00')
  const input = { to_wallet_id: payee.walletId, amount: '1' }
  const { id } = await must(pay(owner.client, input), 201)
  const stranger = (await world.signUp()).client
  const { walletId, walletNumber } = owner
  assertRefused(await stranger.get(`/v1/wallets/${walletId}`), 404, 'wallet_not_found')
  const history = `/v1/wallets/${walletId}/transactions`
  assertRefused(await stranger.get(history), 404, 'wallet_not_found')
  assertRefused(await stranger.get(`/v1/transfers/${id}`), 404, 'transfer_not_found')
  for (const from_wallet_id of [walletId, walletId.toUpperCase(), walletNumber, +walletNumber]) {
    const reply = await pay(stranger, { ...input, from_wallet_id })
    assertRefused(reply, 404, 'wallet_not_found')
  }
  const unknown = randomUUID()
  const strip = ({ body }: { body: Json }) => ({ ...body, request_id: '' })
  const [theirs, nobodys] = [
    await stranger.get(`/v1/wallets/${walletId}`),
    await stranger.get(`/v1/wallets/${unknown}`),
  ]
  assert.equal(strip(theirs), strip(nobodys), 'the answer does not tell which ids exist')
  assert.is(await posted(owner.client, walletId), '9.00')
})

test('the counterparty learns nothing of the other balance', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  await fund(bank, payer.walletId, '77.77')
  await must(pay(payer.client, { to_wallet_id: payee.walletId, amount: '1' }), 201)
  const told = await payee.client.get(`/v1/wallets/${payee.walletId}/transactions`)
  assert.not.match(told.text, /76\.77|77\.77/)
  assert.not.match(told.text, new RegExp(payer.email))
})

test.run()
