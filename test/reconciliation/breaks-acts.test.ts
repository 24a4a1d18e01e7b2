/** What operators do with breaks, and that nobody else does. */
import { mintId } from '../../db/ids.ts'
import type { Client, Json } from '../lib/http.ts'
import { breaksOf, eventsOf, madeUp, passOf, record } from '../lib/recorded.ts'
import { assert, suite } from '../lib/suite.ts'
import { addOperator, adjust } from '../lib/treasury.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('what operators do with breaks')

let world: World
let operator: Client
let operatorId: string
let bank: Client
let person: Person

test.before(async () => {
  world = await createWorld({ env: { FOUR_EYES: 'off' } })
  operator = await world.operator()
  operatorId = (await must(operator.get('/v1/session'), 200)).user.id
  bank = await world.paymentSystem()
  person = await world.signUp()
})
test.after(() => world.stop())

test('operators assign, explain, correct and close a break, each once', async () => {
  const pass = passOf([madeUp('a cent', { currency: 'USD', expected: 0n, found: 1n })])
  await record(world, pass)
  const [found] = await breaksOf(operator, '&state=open')
  const path = `/v1/breaks/${found.id}`
  const second = await addOperator(world, operator)

  const refusals: [string, Json, number, string][] = [
    ['assign', { user_id: mintId() }, 404, 'user_not_found'],
    ['assign', { user_id: person.userId }, 409, 'not_an_operator'],
    ['assign', { user_id: 'ada' }, 422, 'invalid_request'],
    ['explain', { text: '' }, 422, 'invalid_request'],
    ['explain', { text: 'x'.repeat(2_001) }, 422, 'invalid_request'],
    ['correct', { adjustment_id: mintId() }, 404, 'adjustment_not_found'],
    ['close', {}, 422, 'invalid_request'],
  ]
  for (const [act, input, status, code] of refusals) {
    const reply = await operator.post(`${path}/${act}`, input)
    assert.equal([reply.status, reply.body.code], [status, code], reply.text)
  }
  assert.equal(await eventsOf(operator, found.id), ['found'])

  const assign = { user_id: second.id }
  const assigned = await must(operator.post(`${path}/assign`, assign), 200)
  assert.equal([assigned.state, assigned.assignee_id], ['assigned', second.id])
  // Several at once: one of them does it.
  const explain = { text: 'A test took it.' }
  const all = Array.from({ length: 5 }, () => second.client.post(`${path}/explain`, explain))
  for (const { status, body } of await Promise.all(all)) {
    assert.equal([status, body.state, body.explanation], [200, 'explained', explain.text])
  }
  const later = await record(world, pass)
  assert.equal([later?.verdict, later?.newCount], ['breaks', 0])
  const [explained] = await breaksOf(operator, '&state=explained')
  assert.equal([explained.id, explained.last_seen], [found.id, later?.id])

  const contribution = { kind: 'equity_contribution', amount: '1.00' }
  const other = await must(adjust(operator, { ...contribution, currency: 'EUR' }), 201)
  const wrong = await operator.post(`${path}/correct`, { adjustment_id: other.id })
  assert.is(wrong.body.code, 'currency_mismatch')
  const four = await world.startAnother({ env: { FOUR_EYES: 'on' } })
  const asking = world.client(four.url)
  for (const [name, value] of operator.cookies) asking.cookies.set(name, value)
  const pending = await must(adjust(asking, contribution), 202)
  const early = await operator.post(`${path}/correct`, { adjustment_id: pending.id })
  assert.equal([early.status, early.body.code], [409, 'adjustment_not_booked'])
  await must(second.client.send('POST', `/v1/approvals/${pending.id}/approve`), 200)
  const corrected = await must(operator.post(`${path}/correct`, { adjustment_id: pending.id }), 200)
  assert.equal([corrected.state, corrected.adjustment_id], ['corrected', pending.id])
  // What is said later does not take that back.
  assert.is(
    (await must(operator.post(`${path}/assign`, { user_id: operatorId }), 200)).state,
    'corrected',
  )

  const close = { reason: 'The test is over.' }
  const closed = await must(operator.post(`${path}/close`, close), 200)
  assert.equal([closed.state, closed.closed_by], ['closed', operatorId])
  assert.equal(await must(second.client.post(`${path}/close`, { reason: 'again' }), 200), closed)
  assert.is(
    (await operator.post(`${path}/explain`, { text: 'too late' })).body.code,
    'break_closed',
  )
  assert.is((await operator.post(`${path}/explain`, explain)).status, 200)
  const { events } = await must(operator.get(path), 200)
  assert.equal(
    events.map(({ kind, operator_id, details }: Json) => [
      kind,
      operator_id,
      Object.values(details)[0],
    ]),
    [
      ['found', null, 'made_up'],
      ['assigned', operatorId, second.id],
      ['explained', second.id, explain.text],
      ['corrected', operatorId, pending.id],
      ['assigned', operatorId, operatorId],
      ['closed', operatorId, close.reason],
    ],
  )

  // Closing by hand hides nothing.
  await record(world, pass)
  const [again] = await breaksOf(operator, '&state=open')
  assert.is(again.earlier_id, found.id)
})

test('nobody but operators sees or does anything of it', async () => {
  const id = mintId()
  const routes = [
    ['GET', '/v1/reconciliations'],
    ['GET', `/v1/reconciliations/${id}`],
    ['POST', '/v1/reconciliations'],
    ['GET', '/v1/breaks'],
    ['GET', `/v1/breaks/${id}`],
    ...['assign', 'explain', 'correct', 'close'].map((act) => ['POST', `/v1/breaks/${id}/${act}`]),
  ] as const
  for (const [method, path] of routes) {
    const json = method === 'POST' ? { json: {} } : {}
    for (const client of [person.client, bank]) {
      assert.is((await client.send(method!, path!, json)).body.code, 'role_not_allowed', path)
    }
    assert.is((await world.client().send(method!, path!, json)).status, 401, path)
  }
  const missing = [
    await operator.get(`/v1/reconciliations/${id}`),
    await operator.get(`/v1/breaks/${id}`),
    await operator.post(`/v1/breaks/${id}/close`, { reason: 'none' }),
  ]
  assert.equal(
    missing.map(({ status, body }) => `${status} ${body.code}`),
    ['404 reconciliation_not_found', '404 break_not_found', '404 break_not_found'],
  )
  assert.is((await operator.get('/v1/breaks?cursor=no')).body.code, 'invalid_cursor')
  assert.is((await operator.get('/v1/breaks?state=away')).body.code, 'invalid_request')
})

test.run()
