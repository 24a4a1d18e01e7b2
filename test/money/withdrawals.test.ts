import { forget } from '../../server/flows/follow.ts'
import { readModel } from '../../server/flows/read-model.ts'
import { warnOfStuckWithdrawals } from '../../server/flows/withdrawals.ts'
import { checkBooks } from '../lib/books.ts'
import { catchUp } from '../lib/catch-up.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { addPaymentSystem, assertRefused, fund, openWallet, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('withdrawals')

const iban = 'DE89 3704 0044 0532 0130 00'

let world: World
let bank: Client
let bankId: string
let operator: Client
let ada: Person

test.before(async () => {
  world = await createWorld()
  ;[bank, operator, ada] = await Promise.all([
    world.paymentSystem(),
    world.operator(),
    world.signUp({ username: 'ada' }),
  ])
  bankId = (await must(bank.get('/v1/session'), 200)).user.id
  await fund(bank, ada.walletId, '100000.00')
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const keyed = (key?: string) => (key ? { headers: { 'idempotency-key': key } } : undefined)

/** Ada withdraws through the first payment system, unless told otherwise. */
function withdraw(input: Json = {}, key?: string, client = ada.client): Promise<Reply> {
  const usual = { wallet_id: ada.walletId, amount: '10.00', payment_system: bankId }
  return client.post('/v1/withdrawals', { ...usual, destination: iban, ...input }, keyed(key))
}

const requested = (input: Json = {}): Promise<Json> => must(withdraw(input), 201)

async function taken(input: Json = {}): Promise<Json> {
  return must(take(await requested(input)), 200)
}

function step(name: string, { id }: Json, client: Client, json?: Json, key?: string) {
  const options = json === undefined ? keyed(key) : { json, ...keyed(key) }
  return client.send('POST', `/v1/withdrawals/${id}/${name}`, options)
}
const take = (it: Json, key?: string, client = bank) => step('take', it, client, undefined, key)
const cancel = (it: Json, client = ada.client) => step('cancel', it, client)
const confirm = (it: Json, reference = 'paid 1', client = bank) =>
  step('confirm', it, client, { reference })
const fail = (it: Json, reason = 'no such account', client = bank) =>
  step('fail', it, client, { reason })

const read = ({ id }: Json, client = ada.client): Promise<Json> =>
  must(client.get(`/v1/withdrawals/${id}`), 200)

async function balance(person = ada): Promise<Json> {
  return (await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)).balance
}

const cents = (amount: string) => BigInt(amount.replace('.', ''))

/** By how many cents each number of two balances differs. */
function change(before: Json, after: Json): Record<string, bigint> {
  const names = ['posted', 'held', 'available']
  return Object.fromEntries(names.map((name) => [name, cents(after[name]) - cents(before[name])]))
}

const freeze = (person: Person) =>
  must(operator.post(`/v1/wallets/${person.walletId}/freeze`, { reason: 'test' }), 200)
const thaw = (person: Person) =>
  must(operator.post(`/v1/wallets/${person.walletId}/thaw`, { reason: 'test' }), 200)

const outcome = ({ status, body }: Reply) => `${status} ${body.state ?? body.code}`

/** How often each outcome was told. */
function count(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const reply of replies) counts[outcome(reply)] = (counts[outcome(reply)] ?? 0) + 1
  return counts
}

const twenty = <T>(send: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => send(index)))

test('money is reserved when it is asked for, and posted when the payment system has paid it', async () => {
  const before = await balance()
  const { id, ...withdrawal } = await requested({ amount: 12.5 })
  assert.equal(change(before, await balance()), { posted: 0n, held: 1250n, available: -1250n })
  const { created_at, changed_at } = withdrawal
  assert.equal(withdrawal, {
    state: 'requested',
    wallet_id: ada.walletId,
    payment_system: { id: bankId, name: 'First payment system' },
    amount: '12.50',
    currency: 'USD',
    destination_hint: '…3000',
    destination: null,
    reference: null,
    reason: null,
    created_at,
    changed_at: created_at,
  })
  const mine = await must(take({ id }), 200)
  assert.equal([mine.state, mine.destination], ['taken', iban])
  assert.ok(mine.changed_at > changed_at)
  const paid = await must(confirm({ id }, 'SEPA 4711'), 200)
  assert.equal(
    [paid.state, paid.reference, paid.reason, paid.destination],
    ['confirmed', 'SEPA 4711', null, iban],
  )
  assert.equal(change(before, await balance()), { posted: -1250n, held: 0n, available: -1250n })
})

test('money of one that failed, or was cancelled, is there again', async () => {
  const before = await balance()
  const failed = await taken()
  const told = await must(fail(failed, 'The account is closed'), 200)
  assert.equal([told.state, told.reason, told.reference], ['failed', 'The account is closed', null])
  const cancelled = await requested()
  assert.is((await must(cancel(cancelled), 200)).state, 'cancelled')
  assert.is((await must(cancel(cancelled), 200)).state, 'cancelled')
  assert.equal(await balance(), before)
})

test('a destination is told in full to the payment system that has taken it, and to nobody else', async () => {
  const withdrawal = await requested()
  const destinations = async () =>
    Promise.all(
      [ada.client, bank, operator].map(
        async (client) => (await read(withdrawal, client)).destination,
      ),
    )
  assert.equal(await destinations(), [null, null, null])
  await must(take(withdrawal), 200)
  assert.equal(await destinations(), [null, iban, null])
  await must(fail(withdrawal), 200)
  assert.equal(await destinations(), [null, iban, null])
  const cancelled = await requested()
  await must(cancel(cancelled), 200)
  assert.is((await read(cancelled, bank)).destination, null)
  const { destination } = await world.deps.db
    .selectFrom('withdrawals')
    .select('destination')
    .where('id', '=', withdrawal.id)
    .executeTakeFirstOrThrow()
  assert.not.ok(destination.includes('3704'))
})

test('each step is refused in each state but its own, and tells why', async () => {
  const steps = { take, cancel, confirm, fail }
  const made: Record<string, () => Promise<Json>> = {
    requested,
    taken,
    confirmed: async () => must(confirm(await taken(), 'another'), 200),
    failed: async () => must(fail(await taken(), 'another'), 200),
    cancelled: async () => must(cancel(await requested()), 200),
  }
  const allowed = new Set(['take requested', 'cancel requested', 'cancel cancelled'])
  for (const [state, make] of Object.entries(made)) {
    const withdrawal = await make()
    for (const [name, carryOut] of Object.entries(steps)) {
      if (state === 'taken' && (name === 'confirm' || name === 'fail')) continue
      if (allowed.has(`${name} ${state}`)) continue
      const code = state === 'requested' ? 'withdrawal_not_taken' : `withdrawal_${state}`
      assertRefused(await carryOut(withdrawal), 409, code, `${name} when ${state}`)
    }
    assert.is((await read(withdrawal)).state, state)
  }
})

test('confirming and failing can be repeated, with the same words', async () => {
  for (const [again, other] of [
    [confirm, fail],
    [fail, confirm],
  ] as const) {
    const withdrawal = await taken()
    const first = await again(withdrawal, 'words')
    const second = await again(withdrawal, 'words')
    assert.equal(second.body, first.body)
    assert.is(first.headers['idempotency-replayed'], undefined)
    assert.is(second.headers['idempotency-replayed'], 'true')
    const code = `withdrawal_${first.body.state}`
    assertRefused(await again(withdrawal, 'other words'), 409, code)
    assertRefused(await other(withdrawal, 'words'), 409, code)
    const { reference, reason } = await read(withdrawal)
    assert.equal([reference, reason].filter(Boolean), ['words'])
  }
})

test('nobody else sees or moves a withdrawal', async () => {
  const [mallory, otherBank] = [await world.signUp(), await addPaymentSystem(world)]
  const withdrawal = await requested()
  const strange: (() => Promise<Reply>)[] = [
    () => mallory.client.get(`/v1/withdrawals/${withdrawal.id}`),
    () => otherBank.get(`/v1/withdrawals/${withdrawal.id}`),
    () => cancel(withdrawal, mallory.client),
    () => take(withdrawal, undefined, otherBank),
    () => confirm(withdrawal, 'mine', otherBank),
    () => fail(withdrawal, 'mine', otherBank),
    () => cancel({ id: ada.walletId }),
    () => cancel({ id: '00000000-0000-0000-0000-000000000000' }),
  ]
  for (const send of strange) assertRefused(await send(), 404, 'withdrawal_not_found')
  const theirs = await withdraw({}, undefined, mallory.client)
  assertRefused(theirs, 404, 'wallet_not_found')
  for (const client of [mallory.client, otherBank]) {
    assert.equal((await must(client.get('/v1/withdrawals'), 200)).data, [])
  }
})

/** A request that is refused, and why. */
const refusals: [input: Json, status: number, code: string][] = [
  [{ amount: '0' }, 422, 'amount_not_positive'],
  [{ amount: '-5' }, 422, 'amount_not_positive'],
  [{ amount: '1.001' }, 422, 'amount_too_precise'],
  [{ amount: 'NaN' }, 422, 'amount_malformed'],
  [{ amount: '9'.repeat(60) }, 422, 'amount_too_large'],
  [{ amount: '100000000.00' }, 422, 'insufficient_funds'],
  [{ currency: 'EUR' }, 422, 'currency_mismatch'],
  [{ currency: 'XYZ' }, 422, 'currency_not_supported'],
  [{ wallet_id: '1234567890' }, 422, 'wallet_number_mistyped'],
  [{ payment_system: 'Nobody' }, 404, 'payment_system_not_found'],
  [{ payment_system: '01a1fab2-9783-7787-959d-51bb11b55bfd' }, 404, 'payment_system_not_found'],
  [{ payment_system: '' }, 422, 'invalid_request'],
  [{ destination: '' }, 422, 'invalid_request'],
  [{ destination: '   ' }, 422, 'invalid_request'],
  [{ destination: 'x'.repeat(501) }, 422, 'invalid_request'],
  [{ destination: 'a\nb' }, 422, 'invalid_request'],
  [{ destination: 'a\u202eb' }, 422, 'invalid_request'],
  [{ destination: undefined }, 422, 'invalid_request'],
  [{ wallet_id: undefined }, 422, 'invalid_request'],
]
for (const [input, status, code] of refusals) {
  test(`${JSON.stringify(input).slice(0, 60)} is refused: ${code}`, async () => {
    assertRefused(await withdraw(input), status, code)
  })
}

test('a key asks once, also twenty at a time, whatever has become of it', async () => {
  const before = await balance()
  const key = unique('withdrawal')
  const replies = await twenty(() => withdraw({}, key))
  assert.is(new Set(replies.map(({ status, body }) => `${status} ${body.id}`)).size, 1)
  const replays = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  assert.equal(change(before, await balance()), { posted: 0n, held: 1000n, available: -1000n })
  for (const other of [{ destination: 'DE00' }, { amount: '10.01' }, { currency: 'USD' }]) {
    assertRefused(await withdraw(other, key), 409, 'idempotency_key_reused')
  }
  const [{ body: withdrawal }] = replies as [Reply]
  const rows = await world.deps.db
    .selectFrom('withdrawals')
    .select('settled_at')
    .where('id', '=', withdrawal.id)
    .execute()
  assert.is(rows.length, 4)
  assert.ok(rows.every(({ settled_at }) => settled_at !== null))
  await must(take(withdrawal), 200)
  assert.equal((await read(withdrawal, bank)).destination, iban)
  const late = await withdraw({}, key)
  assert.equal([late.status, late.body.id, late.body.state], [201, withdrawal.id, 'taken'])
})

test('a decline is final for its key, and tells the owner what is available', async () => {
  const person = await world.signUp()
  const input = { wallet_id: person.walletNumber }
  const key = unique('declined')
  const declined = await withdraw(input, key, person.client)
  assertRefused(declined, 422, 'insufficient_funds')
  assert.equal([declined.body.available, declined.body.required], ['0.00', '10.00'])
  await fund(bank, person.walletId, '10.00')
  const again = await withdraw(input, key, person.client)
  assertRefused(again, 422, 'insufficient_funds')
  assert.is(again.headers['idempotency-replayed'], 'true')
  const reused = await withdraw({ ...input, amount: '1' }, key, person.client)
  assertRefused(reused, 409, 'idempotency_key_reused')
  await must(withdraw(input, unique('fresh'), person.client), 201)
})

test('no more goes out through a payment system than it has brought in, also when twenty race', async () => {
  const small = await addPaymentSystem(world)
  const { id, name } = (await must(small.get('/v1/session'), 200)).user
  assertRefused(await withdraw({ payment_system: id }), 422, 'payout_capacity_exceeded')
  await fund(small, (await world.signUp()).walletId, '59.99')
  const replies = await twenty(() => withdraw({ payment_system: name ?? id }))
  assert.equal(count(replies), { '201 requested': 5, '422 payout_capacity_exceeded': 15 })
  const [won] = replies.filter(({ status }) => status === 201)
  await must(cancel(won!.body), 200)
  await requested({ payment_system: id })
  assertRefused(await withdraw({ payment_system: id }), 422, 'payout_capacity_exceeded')
})

test('of twenty workers that take a withdrawal one has it', async () => {
  const withdrawal = await requested()
  const replies = await twenty(() => take(withdrawal))
  assert.equal(count(replies), { '200 taken': 1, '409 withdrawal_taken': 19 })
})

test('a worker that takes by key is answered again, and nobody else', async () => {
  const [withdrawal, other] = [await requested(), await requested()]
  const key = unique('take')
  const replies = await twenty(() => take(withdrawal, key))
  assert.equal(count(replies), { '200 taken': 20 })
  assert.ok(replies.every(({ body }) => body.destination === iban))
  const replays = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  assertRefused(await take(withdrawal, unique('take')), 409, 'withdrawal_taken')
  assertRefused(await take(withdrawal), 409, 'withdrawal_taken')
  assertRefused(await take(other, key), 409, 'idempotency_key_reused')
  await must(confirm(withdrawal), 200)
  // A worker that was started again must not believe that it is still to be paid.
  assertRefused(await take(withdrawal, key), 409, 'withdrawal_confirmed')
})

test('take and cancel race: one wins, and both are told the same', async () => {
  for (let round = 0; round < 10; round += 1) {
    const withdrawal = await requested()
    const [took, undone] = await Promise.all([take(withdrawal), cancel(withdrawal)])
    const { state } = await read(withdrawal)
    const expected =
      state === 'taken'
        ? ['200 taken', '409 withdrawal_taken']
        : ['409 withdrawal_cancelled', '200 cancelled']
    assert.equal([outcome(took), outcome(undone)], expected)
  }
})

test('confirm and fail race: one wins, and both are told the same', async () => {
  for (let round = 0; round < 10; round += 1) {
    const before = await balance()
    const withdrawal = await taken()
    const [paid, failed] = await Promise.all([confirm(withdrawal), fail(withdrawal)])
    const { state } = await read(withdrawal)
    const expected =
      state === 'confirmed'
        ? ['200 confirmed', '409 withdrawal_confirmed']
        : ['409 withdrawal_failed', '200 failed']
    assert.equal([outcome(paid), outcome(failed)], expected)
    const posted = state === 'confirmed' ? -1000n : 0n
    assert.equal(change(before, await balance()), { posted, held: 0n, available: posted })
  }
})

test('twenty that confirm at once book it once; those with another reference are refused', async () => {
  const before = await balance()
  const withdrawal = await taken()
  const same = await twenty(() => confirm(withdrawal, 'one'))
  assert.equal(count(same), { '200 confirmed': 20 })
  const another = await taken()
  const replies = await twenty((index) => confirm(another, `reference ${index}`))
  assert.equal(count(replies), { '200 confirmed': 1, '409 withdrawal_confirmed': 19 })
  const { reference } = await read(another)
  assert.is(replies.find(({ status }) => status === 200)?.body.reference, reference)
  assert.equal(change(before, await balance()), { posted: -2000n, held: 0n, available: -2000n })
})

test('what was taken before the wallet was frozen is still booked, and nothing new goes out', async () => {
  const person = await world.signUp()
  await fund(bank, person.walletId, '100.00')
  const own = (input: Json = {}) =>
    withdraw({ wallet_id: person.walletId, ...input }, undefined, person.client)
  const all = await Promise.all(Array.from({ length: 8 }, () => must(own(), 201)))
  const [toCancel, toFail, later, ...paid] = all as [Json, Json, Json, ...Json[]]
  for (const it of [toFail, ...paid]) await must(take(it), 200)
  await freeze(person)
  assertRefused(await own(), 422, 'wallet_closed')
  assertRefused(await take(later), 422, 'wallet_closed')
  // By key the refusal is final: a copy of the take that is still on its way cannot come after it.
  const key = unique('refused')
  assertRefused(await take(later, key), 422, 'wallet_closed')
  const replies = await Promise.all(paid.map((it) => confirm(it)))
  assert.equal(count(replies), { '200 confirmed': paid.length })
  await must(fail(toFail), 200)
  await must(cancel(toCancel, person.client), 200)
  const wallet = await must(person.client.get(`/v1/wallets/${person.walletId}`), 200)
  assert.equal(
    [wallet.state, wallet.balance],
    ['frozen', { posted: '50.00', held: '10.00', available: '40.00' }],
  )
  await thaw(person)
  assertRefused(await take(later, key), 422, 'declined')
  await must(take(later), 200)
})

test('a wallet with a withdrawal under way cannot be closed', async () => {
  const person = await world.signUp()
  await fund(bank, person.walletId, '10.00')
  const withdrawal = await must(
    withdraw({ wallet_id: person.walletId }, undefined, person.client),
    201,
  )
  const close = () => person.client.send('POST', `/v1/wallets/${person.walletId}/close`)
  assertRefused(await close(), 409, 'wallet_not_empty')
  await must(take(withdrawal), 200)
  assertRefused(await close(), 409, 'wallet_not_empty')
  await must(confirm(withdrawal), 200)
  await must(close(), 200)
  const again = await withdraw({ wallet_id: person.walletId }, undefined, person.client)
  assertRefused(again, 422, 'wallet_closed')
})

test('lists follow the ledger: own ones, the work of a payment system, all for an operator', async () => {
  const person = await world.signUp()
  const system = await addPaymentSystem(world)
  const { id: systemId } = (await must(system.get('/v1/session'), 200)).user
  await fund(system, person.walletId, '100.00')
  const input = { wallet_id: person.walletId, payment_system: systemId }
  const ids: string[] = []
  for (let i = 0; i < 5; i += 1) {
    ids.unshift((await must(withdraw(input, undefined, person.client), 201)).id)
  }
  const [first, second, third, fourth] = ids.map((id) => ({ id })) as [Json, Json, Json, Json]
  for (const it of [first, second, third]) await must(take(it, undefined, system), 200)
  await must(confirm(first, 'paid', system), 200)
  await must(fail(second, 'refused', system), 200)
  await must(cancel(fourth, person.client), 200)

  const list = async (query = '', client = person.client) => {
    const found = await must(client.get(`/v1/withdrawals${query}`), 200)
    return { ...found, ids: found.data.map(({ id }: Json) => id) }
  }
  const byState = { confirmed: 0, failed: 1, taken: 2, cancelled: 3, requested: 4 }
  for (const made of ['followed', 'made again']) {
    if (made === 'made again') await forget(world.deps, readModel)
    await until(async () => (await list('?status=cancelled')).ids.length === 1)
    assert.ok(Date.parse((await list()).as_of) > 0)
    for (const client of [person.client, system]) {
      assert.equal((await list('', client)).ids, ids, made)
      for (const [state, index] of Object.entries(byState)) {
        assert.equal((await list(`?status=${state}`, client)).ids, [ids[index]], `${made} ${state}`)
      }
    }
    const everything = (await list('?limit=200', operator)).ids
    assert.ok(ids.every((id) => everything.includes(id)))
    const page = await list('?limit=2')
    const next = await list(`?limit=2&cursor=${page.next_cursor}`)
    assert.equal([...page.ids, ...next.ids], ids.slice(0, 4), made)
  }
  const [mine] = (await list('?status=taken', system)).data
  assert.is(mine.destination, iban)
  const since = (time: string) => list(`?status=taken&changed_before=${time}`, system)
  assert.equal((await since(mine.changed_at)).ids, [])
  assert.equal((await since('9999-12-31T00:00:00Z')).ids, [third.id])
  assertRefused(await system.get('/v1/withdrawals?changed_before=now'), 422, 'invalid_request')
})

test('what was taken more than a day ago and is not settled is warned of', async () => {
  const { changed_at } = await taken()
  await catchUp(world.deps)
  const warnings: unknown[] = []
  const log = Object.create(world.deps.log, {
    warn: { value: (what: unknown) => warnings.push(what) },
  })
  const dayMs = 86_400_000
  const waiting = await must(operator.get('/v1/withdrawals?status=taken&limit=200'), 200)
  await warnOfStuckWithdrawals({ ...world.deps, log })
  assert.equal(warnings, [])
  const nowMs = () => Date.parse(changed_at) + dayMs + 1_000
  await warnOfStuckWithdrawals({ ...world.deps, log, nowMs })
  assert.equal(warnings, [{ count: waiting.data.length }])
})

test('customers can look up where to withdraw to; a payment system that is gone is no longer there', async () => {
  const name = unique('bank')
  const added = { name, email: `${name}@example.com` }
  const { payment_system } = await must(operator.post('/v1/payment-systems', added), 201)
  const names = async () =>
    (await must(ada.client.get('/v1/payout-systems?limit=200'), 200)).data as Json[]
  assert.equal(
    (await names()).filter(({ id }) => id === payment_system.id),
    [{ id: payment_system.id, name }],
  )
  assertRefused(await withdraw({ payment_system: name }), 422, 'payout_capacity_exceeded')
  const path = `/v1/users/${payment_system.id}/deactivate`
  await must(operator.post(path, { reason: 'The contract has ended' }), 200)
  assert.not.ok((await names()).some(({ id }) => id === payment_system.id))
  for (const named of [name, payment_system.id]) {
    assertRefused(await withdraw({ payment_system: named }), 404, 'payment_system_not_found')
  }
  const page = await must(ada.client.get('/v1/payout-systems?limit=1'), 200)
  assert.is(page.data[0].id, bankId)
  assert.ok(page.next_cursor)
  assertRefused(await ada.client.get('/v1/payout-systems?cursor=x'), 422, 'invalid_cursor')
})

test('a replay is answered although what was written means nothing any more', async () => {
  const name = unique('bank')
  const added = { name, email: `${name}@example.com` }
  const { payment_system, password } = await must(operator.post('/v1/payment-systems', added), 201)
  const system = world.client()
  await must(system.post('/v1/sessions', { email: added.email, password }), 201)
  await fund(system, ada.walletId, '10.00')
  const key = unique('gone')
  const { id } = await must(withdraw({ payment_system: name }, key), 201)
  const path = `/v1/users/${payment_system.id}/deactivate`
  await must(operator.post(path, { reason: 'The contract has ended' }), 200)
  assert.is((await must(withdraw({ payment_system: name }, key), 201)).id, id)
  const other = { payment_system: name, destination: 'elsewhere' }
  assertRefused(await withdraw(other, key), 409, 'idempotency_key_reused')
  await must(cancel({ id }), 200)
})

test('transactions tell reserving, paying and giving back apart, and who pays', async () => {
  const person = await world.signUp()
  const yen = await openWallet(person.client, 'JPY')
  await fund(bank, yen.id, '100', 'JPY')
  const input = { wallet_id: yen.number, amount: 10, payment_system: 'First payment system' }
  const own = () => must(withdraw(input, undefined, person.client), 201)
  const [paid, failed, cancelled] = [await own(), await own(), await own()]
  await must(cancel(cancelled, person.client), 200)
  for (const it of [failed, paid]) await must(take(it), 200)
  await must(fail(failed, 'refused'), 200)
  await must(confirm(paid, 'Z 1'), 200)
  const { data } = await must(
    person.client.get(`/v1/wallets/${yen.id}/transactions?kind=withdrawal`),
    200,
  )
  const told = data.map((entry: Json) => [
    entry.phase,
    entry.withdrawal_id,
    entry.balance,
    entry.memo,
    entry.reference,
  ])
  assert.equal(told, [
    ['post', paid.id, '90', null, 'Z 1'],
    ['void', failed.id, '100', 'refused', null],
    ['void', cancelled.id, '100', null, null],
    ['pending', cancelled.id, '100', null, null],
    ['pending', failed.id, '100', null, null],
    ['pending', paid.id, '100', null, null],
  ])
  const named = { wallet_id: null, number: null, username: null, name: 'First payment system' }
  assert.ok(data.every((entry: Json) => entry.direction === 'out' && entry.amount === '10'))
  for (const entry of data) assert.equal(entry.counterparty, named)
})

test('as sentences they tell what was reserved, paid and given back', async () => {
  const person = await world.signUp()
  await fund(bank, person.walletId, '20.00')
  const own = () => must(withdraw({ wallet_id: person.walletId }, undefined, person.client), 201)
  const [failed, paid] = [await own(), await own()]
  for (const it of [failed, paid]) await must(take(it), 200)
  await must(fail(failed, 'no such account'), 200)
  await must(confirm(paid), 200)
  const account = await must(person.client.get('/v1/account'), 200)
  const sentences = account['Last transactions'].map((text: string) => text.replace(/^\S+ /, ''))
  assert.equal(sentences.slice(0, 3), [
    'paid 10.00 USD to First payment system',
    'got back 10.00 USD held for First payment system: no such account',
    'held 10.00 USD for First payment system',
  ])
  const page = await person.client.get('/')
  assert.match(page.text, /withdrawal, given back/)
  assert.match(page.text, /withdrawal, reserved/)
})

test.run()
