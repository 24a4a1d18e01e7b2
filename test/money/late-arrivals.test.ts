/**
 * What is in doubt and is declined or refused when it is sent again does not happen when the first try
 * arrives after all.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { bankAccount } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'
import { recover as settle } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { createDoubtfulWorld, type DoubtfulWorld } from '../lib/doubt.ts'
import { type Client, isReplay, sameSession } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay, posted, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { addOperator, adjust, approvalOf, approve, debitBalance } from '../lib/treasury.ts'
import { must, type World } from '../lib/world.ts'

const test = suite('late arrivals')

let world: World
let bank: Client
let through: DoubtfulWorld['through']
let pair: DoubtfulWorld['pair']
let bringIntoDoubt: DoubtfulWorld['bringIntoDoubt']
let recover: DoubtfulWorld['recover']
let stop: DoubtfulWorld['stop']

test.before(async () => {
  ;({ world, bank, through, pair, bringIntoDoubt, recover, stop } = await createDoubtfulWorld())
})
test.after.each(() => recover())
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await stop()
})

/** What recovery does of itself in an hour from now. */
const settleCutOff = () => settle({ ...world.deps, nowMs: () => Date.now() + 3_600_000 })

test('an acceptance in doubt that was declined since does not happen when it arrives', async () => {
  const [paying, payee, third] = await Promise.all([
    world.signUp({ username: `payer${randomInt(1e9)}` }),
    world.signUp(),
    world.signUp(),
  ])
  const { username } = (await must(paying.client.get('/v1/session'), 200)).user
  await fund(bank, paying.walletId, '10.00')
  const ask = { from_username: username, to_wallet_id: payee.walletId, amount: '10.00' }
  const { id } = await must(payee.client.post('/v1/payment-requests', ask), 201)
  const accept = (client: Client) => client.post(`/v1/payment-requests/${id}/accept`, {})
  await bringIntoDoubt('requests', () => accept(through(paying.client)))
  await must(pay(paying.client, { to_wallet_id: third.walletId, amount: '10.00' }), 201)
  assertRefused(await accept(paying.client), 422, 'insufficient_funds')
  await fund(bank, paying.walletId, '10.00')
  await recover()
  assert.is(await posted(paying.client, paying.walletId), '10.00')
  await must(accept(paying.client), 201)
  assert.ok(isReplay(await accept(through(paying.client))))
  assert.is(await posted(payee.client, payee.walletId), '10.00')
})

test('an approval in doubt that was declined since does not happen when it arrives', async () => {
  const operator = await world.operator()
  const other = (await addOperator(world, operator)).client
  const usd = assetOf('USD')
  const inBank = () => debitBalance(world, bankAccount(usd))
  const ask = (kind: string, amount: string) => must(adjust(operator, { kind, amount }), 202)
  const contribute = async (amount: string) =>
    must(approve(await ask('equity_contribution', amount), other), 200)
  await contribute('10.00')
  const allMinor = await inBank()
  const all = formatAmount(allMinor, usd)
  const [late, first] = [await ask('equity_withdrawal', all), await ask('equity_withdrawal', all)]
  await bringIntoDoubt('requests', () => approve(late, through(other)))
  await must(approve(first, other), 200)
  assertRefused(await approve(late, other), 422, 'adjustment_exceeds_balance')
  await contribute(all)
  await recover()
  assert.is(await inBank(), allMinor)
  assert.is((await approvalOf(late, operator)).state, 'pending')
  await must(approve(late, through(other)), 200)
  assert.is((await approve(late, other)).status, 200)
  assert.is(await inBank(), 0n)
})

test('an assignment in doubt that was declined since does not happen when it arrives', async () => {
  const [person, another] = await Promise.all([world.signUp(), world.signUp()])
  const operator = await world.operator()
  const reason = 'a test'
  const input = { amount: '7', currency: 'USD', reference: unique('lost') }
  const unmatched = { ...input, wallet_id: randomUUID(), on_unmatched: 'suspense' }
  const { id } = await must(bank.post('/v1/deposits', unmatched), 201)
  const assign = (by: Client, wallet_id: string) =>
    by.post(`/v1/suspense/${id}/assign`, { wallet_id, reason })
  const turn = (way: string) =>
    must(operator.post(`/v1/wallets/${person.walletId}/${way}`, { reason }), 200)
  await bringIntoDoubt('requests', () => assign(through(operator), person.walletId))
  await turn('freeze')
  assertRefused(await assign(operator, person.walletId), 422, 'recipient_closed')
  await turn('thaw')
  await recover()
  assert.is((await must(operator.get(`/v1/suspense/${id}`), 200)).state, 'open')
  await must(assign(operator, another.walletId), 200)
  assertRefused(await assign(through(operator), person.walletId), 409, 'suspense_assigned')
  assert.is(await posted(person.client, person.walletId), '0.00')
  assert.is(await posted(another.client, another.walletId), '7.00')
})

test('a closing in doubt that was refused since does not close the wallet when it arrives', async () => {
  const { ada, ben } = await pair('0')
  const close = (client: Client) => client.send('POST', `/v1/wallets/${ada.walletId}/close`)
  await bringIntoDoubt('requests', () => close(through(ada.client)))
  await fund(bank, ada.walletId, '5.00')
  assertRefused(await close(ada.client), 409, 'wallet_not_empty')
  await must(pay(ada.client, { to_wallet_id: ben.walletId, amount: '5.00' }), 201)
  await recover()
  await settleCutOff()
  assert.is((await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)).state, 'active')
  await fund(bank, ada.walletId, '1.00')
})

test('a payment in doubt that was refused since does not happen when it arrives', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const key = unique('key')
  const input = { to_wallet_id: ben.walletId, amount: '3' }
  await bringIntoDoubt('requests', () => pay(payer, input, key))
  await openWallet(ada.client, 'USD')
  assertRefused(await pay(ada.client, input, key), 422, 'wallet_ambiguous')
  await recover()
  assert.is(await posted(ben.client, ben.walletId), '0.00')
  assertRefused(await pay(payer, input, key), 422, 'wallet_ambiguous')
})

test('an atomic batch in doubt that was refused since does not happen when it arrives', async () => {
  const { ada, ben, payer } = await pair('10.00')
  const headers = { 'idempotency-key': unique('key') }
  const transfers = ['3', '4'].map((amount) => ({ to_wallet_id: ben.walletId, amount }))
  const send = (client: Client) =>
    client.post('/v1/transfers/batch', { atomic: true, transfers }, { headers })
  await bringIntoDoubt('requests', () => send(payer))
  await openWallet(ada.client, 'USD')
  assertRefused(await send(ada.client), 422, 'wallet_ambiguous')
  await recover()
  assert.is(await posted(ben.client, ben.walletId), '0.00')
})

test('a clock that is fast does not refuse a capture that is in doubt and can still happen', async () => {
  const { ada, ben } = await pair('10.00')
  const early = await world.startAnother({
    adapt: (deps) => ({ ...deps, nowMs: () => Date.now() + 120_000 }),
  })
  const input = { to_wallet_id: ben.walletId, amount: '4', expires_in: 60 }
  const { id } = await must(ada.client.post('/v1/holds', input), 201)
  const headers = { 'idempotency-key': unique('key') }
  const capture = (client: Client) => client.post(`/v1/holds/${id}/capture`, {}, { headers })
  await bringIntoDoubt('requests', () => capture(through(ben.client)))
  const told = await capture(sameSession(ben.client, world.client(early.url)))
  await recover()
  assert.is(await posted(ben.client, ben.walletId), told.status === 201 ? '4.00' : '0.00')
})

test('a deposit in doubt that was refused since does not go to suspense when it arrives', async () => {
  const reference = unique('refused')
  const input = { wallet_id: randomUUID(), amount: '7', currency: 'USD', reference }
  const tell = (by: Client, on_unmatched: string) =>
    by.post('/v1/deposits', { ...input, on_unmatched })
  await bringIntoDoubt('requests', () => tell(through(bank), 'suspense'))
  assertRefused(await tell(bank, 'refuse'), 404, 'wallet_not_found')
  await recover()
  assertRefused(await tell(bank, 'refuse'), 404, 'wallet_not_found')
  const told = await must(tell(through(bank), 'suspense'), 201)
  const again = await tell(bank, 'refuse')
  assert.equal([again.status, again.body], [201, told])
})

test.run()
