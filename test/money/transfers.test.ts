import { randomUUID } from 'node:crypto'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json } from '../lib/http.ts'
import {
  assertRefused,
  closeAccount,
  fund,
  openWallet,
  pair,
  pay,
  posted,
  postText,
  unique,
} from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('transfers')

let world: World
let bank: Client
let ada: Person
let ben: Person

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  ada = await world.signUp({ username: unique('ada').slice(0, 30).replaceAll('-', '_') })
  ben = await world.signUp({ username: unique('ben').slice(0, 30).replaceAll('-', '_') })
})

test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const usernameOf = async (client: Client): Promise<string> =>
  (await must(client.get('/v1/session'), 200)).user.username

test('a payment debits the payer and credits the payee, and says so', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '115.60')
  const startedAt = Date.now()
  const reply = await pay(payer, { to_wallet_id: to, amount: '11.10' })
  assert.is(reply.status, 201)
  const { id, created_at, ...rest } = reply.body
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.ok(Math.abs(Date.parse(created_at) - startedAt) < 60_000)
  const told = { from_wallet_id: from, to_wallet_id: to, amount: '11.10', currency: 'USD' }
  assert.equal(rest, { kind: 'payment', ...told, memo: null })
  assert.is(reply.headers.location, `/v1/transfers/${id}`)
  assert.is(reply.headers['idempotency-replayed'], undefined)
  assert.equal(await must(payer.get(`/v1/transfers/${id}`), 200), reply.body)
  assert.equal(await must(payee.get(`/v1/transfers/${id}`), 200), reply.body)
  assert.is(await posted(payer, from), '104.50')
  assert.is(await posted(payee, to), '11.10')
})

test('a recipient can be named by id, number and username in every form', async () => {
  await fund(bank, ada.walletId, '100.00')
  const username = await usernameOf(ben.client)
  const names: Json[] = [
    { to_wallet_id: ben.walletId },
    { to_wallet_id: ben.walletId.toUpperCase() },
    { to_wallet_id: ben.walletNumber },
    { to_wallet_id: Number(ben.walletNumber) },
    { to_username: username },
    { to_username: username.toUpperCase() },
  ]
  for (const name of names) {
    const { status, body, text } = await pay(ada.client, { ...name, amount: '1' })
    assert.is(status, 201, `${JSON.stringify(name)}: ${text}`)
    assert.is(body.to_wallet_id, ben.walletId)
  }
})

/** The number with its last digit changed: the check digit is wrong then. */
const mistyped = (number: string) => `${number.slice(0, -1)}${(Number(number.at(-1)) + 1) % 10}`

test('a name that no wallet has is refused before the ledger, or by it', async () => {
  const { payer, from } = await pair(world, bank, '5.00')
  const rows: [name: Json, status: number, code: string][] = [
    [{ to_wallet_id: mistyped(ben.walletNumber) }, 422, 'wallet_number_mistyped'],
    [{ to_wallet_id: Number(mistyped(ben.walletNumber)) }, 422, 'wallet_number_mistyped'],
    [{ to_wallet_id: '0' }, 422, 'recipient_not_found'],
    [{ to_wallet_id: '1000000008' }, 422, 'recipient_not_found'],
    [{ to_wallet_id: crypto.randomUUID() }, 422, 'recipient_not_found'],
    [{ to_wallet_id: '00000000-0000-0000-0000-000000000000' }, 422, 'recipient_not_found'],
    [{ to_wallet_id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }, 422, 'recipient_not_found'],
    [{ to_wallet_id: '019363a0-0000-7000-8000-000000000001' }, 422, 'recipient_not_found'],
    [{ to_wallet_id: ben.userId }, 422, 'recipient_not_found'],
    [{ to_username: 'nobody.has.this' }, 422, 'recipient_not_found'],
    [{ to_username: ben.email }, 422, 'recipient_not_found'],
    [{ to_wallet_id: from }, 422, 'same_wallet'],
    [{ to_wallet_id: '-1' }, 422, 'invalid_request'],
    [{ to_wallet_id: -1 }, 422, 'invalid_request'],
    [{ to_wallet_id: 0 }, 422, 'invalid_request'],
    [{ to_wallet_id: 1.5 }, 422, 'invalid_request'],
    [{ to_wallet_id: '1234567890123456789' }, 422, 'invalid_request'],
    [{ to_wallet_id: `{${ben.walletId}}` }, 422, 'invalid_request'],
    [{ to_wallet_id: ben.walletId.replaceAll('-', '') }, 422, 'invalid_request'],
    [{ to_wallet_id: '' }, 422, 'invalid_request'],
    [{ to_wallet_id: null }, 422, 'invalid_request'],
    [{ to_username: '' }, 422, 'invalid_request'],
    [{}, 422, 'invalid_request'],
    [{ to_wallet_id: ben.walletId, to_username: 'ben' }, 422, 'invalid_request'],
  ]
  for (const [name, status, code] of rows) {
    assertRefused(await pay(payer, { ...name, amount: '1' }), status, code, JSON.stringify(name))
  }
  assert.is(await posted(payer, from), '5.00')
})

test('system accounts cannot be paid: their ids are of version 8', async () => {
  const { payer, from, to } = await pair(world, bank, '5.00')
  const deposits = await must(bank.get('/v1/deposits?limit=1'), 200)
  const accounts = await checkBooks(world.deps.ledger)
  const clearing = accounts.filter(({ code }) => code === 10)
  assert.ok(clearing.length > 0)
  const ids = clearing.map(({ id }) => {
    const hex = id.toString(16).padStart(32, '0')
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  })
  for (const id of [...ids, deposits.data[0].id]) {
    assert.is(id[14], '8')
    assertRefused(await pay(payer, { to_wallet_id: id, amount: '1' }), 422, 'recipient_not_found')
    const fromIt = { from_wallet_id: id, to_wallet_id: to, amount: '1' }
    assertRefused(await pay(payer, fromIt), 404, 'wallet_not_found')
  }
  assert.is(await posted(payer, from), '5.00')
})

test('the paying wallet may be left out only when just one fits', async () => {
  const [payer, payee] = [await world.signUp(), await world.signUp()]
  const dollars = payer.walletId
  const euros = (await openWallet(payer.client, 'EUR')).id
  const payeeEuros = (await openWallet(payee.client, 'EUR')).id
  const payeeYen = (await openWallet(payee.client, 'JPY')).id
  await fund(bank, dollars, '100.00')
  await fund(bank, euros, '100.00', 'EUR')

  const attempt = async (input: Json): Promise<string> => {
    const { status, body } = await pay(payer.client, { amount: '1', ...input })
    return status === 201 ? body.from_wallet_id : body.code
  }
  assert.is(await attempt({ to_wallet_id: payeeEuros }), euros, 'by the currency of the payee')
  assert.is(await attempt({ to_wallet_id: payee.walletId }), dollars)
  assert.is(await attempt({ to_wallet_id: payeeYen }), 'currency_mismatch')
  assert.is(await attempt({ to_wallet_id: payeeEuros, currency: 'EUR' }), euros)
  assert.is(await attempt({ to_wallet_id: payeeEuros, currency: 'USD' }), 'currency_mismatch')
  assert.is(await attempt({ to_wallet_id: euros }), 'currency_mismatch', 'the other is in USD')
  assert.is(await attempt({ to_wallet_id: euros, currency: 'EUR' }), 'same_wallet')
  assert.is(await attempt({ to_wallet_id: payeeEuros, currency: 'XXX' }), 'currency_not_supported')
  assert.is(await attempt({ to_wallet_id: payeeEuros, currency: 'eur' }), 'invalid_request')
  assert.is(await attempt({ to_wallet_id: payeeEuros, currency: 'GBP' }), 'currency_mismatch')

  const secondDollars = (await openWallet(payer.client, 'USD')).id
  assert.is(await attempt({ to_wallet_id: payee.walletId }), 'wallet_ambiguous')
  assert.is(await attempt({ to_wallet_id: payee.walletId, currency: 'USD' }), 'wallet_ambiguous')
  assert.is(await attempt({ to_wallet_id: secondDollars }), dollars, 'between own wallets')
  assert.is(
    await attempt({ to_wallet_id: secondDollars, from_wallet_id: secondDollars }),
    'same_wallet',
  )
  const named = { to_wallet_id: payee.walletId, from_wallet_id: dollars }
  assert.is(await attempt(named), dollars)
  assert.is(await attempt({ ...named, from_wallet_id: dollars.toUpperCase() }), dollars)
  assert.is(await attempt({ ...named, from_wallet_id: payer.walletNumber }), dollars)
  assert.is(await attempt({ ...named, from_wallet_id: Number(payer.walletNumber) }), dollars)
  assert.is(await attempt({ ...named, currency: 'EUR' }), 'currency_mismatch')
  assert.is(await attempt({ ...named, to_wallet_id: payeeEuros }), 'currency_mismatch')
  assert.is(await attempt({ ...named, from_wallet_id: payee.walletId }), 'wallet_not_found')
  assert.is(await attempt({ ...named, from_wallet_id: payee.walletNumber }), 'wallet_not_found')
  assert.is(await attempt({ ...named, from_wallet_id: randomUUID() }), 'wallet_not_found')
})

test('a person is paid by username into the oldest wallet of the currency', async () => {
  const payer = await world.signUp()
  const payee = await world.signUp({ username: `payee_${randomUUID().slice(0, 8)}` })
  const to_username = await usernameOf(payee.client)
  const olderEuros = (await openWallet(payee.client, 'EUR')).id
  await openWallet(payee.client, 'EUR')
  const euros = (await openWallet(payer.client, 'EUR')).id
  await openWallet(payer.client, 'JPY')
  await fund(bank, euros, '10.00', 'EUR')
  const input = { to_username, amount: '1', currency: 'EUR' }
  assert.is((await must(pay(payer.client, input), 201)).to_wallet_id, olderEuros)
  assertRefused(await pay(payer.client, { to_username, amount: '1' }), 422, 'wallet_ambiguous')
  const yen = { to_username, amount: '1', currency: 'JPY' }
  assertRefused(await pay(payer.client, yen), 422, 'currency_mismatch')
})

test('a payer without enough money is told what is there; nobody else is', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '5.00')
  const reply = await pay(payer, { to_wallet_id: to, amount: '5.01' })
  assertRefused(reply, 422, 'insufficient_funds')
  const { available, required, currency } = reply.body
  assert.equal({ available, required, currency }, { available: '5.00', required: '5.01', currency })
  assert.is(await posted(payer, from), '5.00')
  const history = await must(payee.get(`/v1/wallets/${to}/transactions`), 200)
  assert.equal(history.data, [])
  assert.is((await pay(payer, { to_wallet_id: to, amount: '5.00' })).status, 201)
})

test('a closed wallet neither pays nor is paid, until it is open again', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '5.00')
  const { ledger } = world.deps
  const input = { to_wallet_id: to, amount: '1' }
  const openPayer = await closeAccount(ledger, { id: from, currency: 'USD' }, to)
  assertRefused(await pay(payer, input), 422, 'wallet_closed')
  await openPayer()
  const openPayee = await closeAccount(ledger, { id: to, currency: 'USD' }, from)
  assertRefused(await pay(payer, input), 422, 'recipient_closed')
  await openPayee()
  assert.is((await pay(payer, input)).status, 201)
  assert.is(await posted(payee, to), '1.00')
})

test('both sides see the memo, word for word', async () => {
  const { payer, payee, from, to } = await pair(world, bank, '5.00')
  const memos = [
    'Dinner',
    'за обед 🍜',
    ' spaces kept ',
    "'; DROP TABLE memos; --",
    'x'.repeat(200),
  ]
  for (const memo of memos) {
    const paid = await must(pay(payer, { to_wallet_id: to, amount: '0.01', memo }), 201)
    assert.is(paid.memo, memo)
    for (const [client, wallet] of [
      [payer, from],
      [payee, to],
    ] as const) {
      assert.is((await must(client.get(`/v1/transfers/${paid.id}`), 200)).memo, memo)
      const page = await must(client.get(`/v1/wallets/${wallet}/transactions?limit=1`), 200)
      assert.is(page.data[0].memo, memo)
    }
  }
})

/** Whole bodies as they are sent. */
const bodies: readonly [text: string, status: number, code: string, pointer?: string][] = [
  ['', 422, 'invalid_request'],
  ['{', 400, 'malformed_body'],
  ['null', 422, 'invalid_request'],
  ['[]', 422, 'invalid_request'],
  ['"text"', 422, 'invalid_request'],
  ['{}', 422, 'invalid_request', '/amount'],
  ['{"to_username":"ben"}', 422, 'invalid_request', '/amount'],
  ['{"to_username":"ben","amount":"1","x":1}', 422, 'invalid_request', '/x'],
  ['{"to_username":"ben","amount":"1","Memo":"a"}', 422, 'invalid_request', '/Memo'],
  ['{"to_username":"ben","amount":"1","__proto__":{}}', 422, 'invalid_request', '/__proto__'],
  ['{"to_username":"ben","amount":"1","memo":""}', 422, 'invalid_request', '/memo'],
  ['{"to_username":"ben","amount":"1","memo":7}', 422, 'invalid_request', '/memo'],
  ['{"to_username":"ben","amount":"1","memo":null}', 422, 'invalid_request', '/memo'],
  ['{"to_username":"ben","amount":"1","memo":"a\\u0000"}', 400, 'malformed_body'],
  ['{"to_username":"ben","amount":"1","memo":"\\ud800"}', 400, 'malformed_body'],
  ['{"to_username":"ben","amount":"1","currency":840}', 422, 'invalid_request', '/currency'],
  ['{"to_username":"ben","amount":"1","from_wallet_id":[]}', 422, 'invalid_request'],
]

test('a body is exactly what the route knows, or is refused', async () => {
  const { payer, from } = await pair(world, bank, '5.00')
  const tooLong = `{"to_username":"ben","amount":"1","memo":"${'x'.repeat(201)}"}`
  for (const [text, status, code, pointer] of [
    ...bodies,
    [tooLong, 422, 'invalid_request', '/memo'] as const,
  ]) {
    const reply = await postText(payer, '/v1/transfers', text)
    assertRefused(reply, status, code, text)
    if (pointer === undefined) continue
    const pointers = reply.body.errors.map((error: Json) => error.pointer)
    assert.ok(pointers.includes(pointer), `${text}: ${pointers}`)
  }
  assert.is(await posted(payer, from), '5.00')
})

test('a transfer is found by its parties only, and by no other id', async () => {
  const { payer, to } = await pair(world, bank, '5.00')
  const { id } = await must(pay(payer, { to_wallet_id: to, amount: '1' }), 201)
  const stranger = await world.signUp()
  assertRefused(await stranger.client.get(`/v1/transfers/${id}`), 404, 'transfer_not_found')
  const deposit = (await must(bank.get('/v1/deposits?limit=1'), 200)).data[0].id
  const nothing = '00000000-0000-0000-0000-000000000000'
  for (const other of [deposit, nothing, nothing.replaceAll('0', 'f'), randomUUID(), to]) {
    assertRefused(await payer.get(`/v1/transfers/${other}`), 404, 'transfer_not_found', other)
  }
  assertRefused(await payer.get('/v1/transfers/1'), 422, 'invalid_request')
  assert.is((await payer.get(`/v1/transfers/${id.toUpperCase()}`)).status, 200)
})

test.run()
