/**
 * Random refunds of several payments by the payee and an operator at once, while the payee spends,
 * compared with a plain model as in model.test.ts, which tells how to run it longer.
 */
import fc from 'fast-check'
import { checkBooks } from '../lib/books.ts'
import type { Client, Json, Reply } from '../lib/http.ts'
import { linearize } from '../lib/linearize.ts'
import { showMinor } from '../lib/model/amounts.ts'
import { fund, pay, posted, unique } from '../lib/money.ts'
import {
  emptyRefundModel,
  type RefundAnswer,
  type RefundModel,
  type RefundRequest,
  stepRefund,
} from '../lib/refund-model.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('model of refunds')

const seconds = Number(process.env.MODEL_SECONDS ?? 8)
const seed = process.env.MODEL_SEED === undefined ? {} : { seed: Number(process.env.MODEL_SEED) }
const runsMax = 1_000_000

let world: World
let payer: Person
let operator: Client

test.before(async () => {
  world = await createWorld()
  payer = await world.signUp()
  operator = await world.operator()
  await fund(await world.paymentSystem(), payer.walletId, '1000000000.00')
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const good = fc.integer({ min: 1, max: 300 }).map((minor) => showMinor(BigInt(minor), 'USD'))
const amount = fc.oneof(
  { weight: 6, arbitrary: good },
  { weight: 1, arbitrary: fc.constantFrom('0.01', '1', '1.0', '01', '1000000') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('0', '-1', '0.001', '1e2', '1,5', 'NaN', '', '9'.repeat(45)),
  },
)
const oneIn = <T>(count: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: count - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const draft = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pay' as const), amount: good }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('spend' as const), amount: good }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('refund' as const),
      by: fc.constantFrom('payee', 'payee', 'operator'),
      payment: fc.nat({ max: 20 }),
      amount: fc.option(amount, { nil: undefined, freq: 3 }),
      reason: oneIn(3, fc.constantFrom('a', 'b')),
      key: oneIn(2, fc.nat({ max: 6 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), at: fc.nat() }) },
)
const rounds = fc.array(fc.array(draft, { minLength: 1, maxLength: 5 }), {
  minLength: 3,
  maxLength: 15,
  size: 'max',
})
type Draft = typeof draft extends fc.Arbitrary<infer D> ? D : never

/** One run: a new payee, what the model says, and names that no other run uses. */
interface Run {
  payee: Person
  model: RefundModel
  requests: RefundRequest[]
  prefix: string
}

function toRequest({ model, requests, prefix }: Run, wanted: Draft): RefundRequest | undefined {
  if (wanted.kind === 'again') return requests[wanted.at % (requests.length || 1)]
  if (wanted.kind !== 'refund') return wanted
  const { payment, key, ...rest } = wanted
  const paymentId = [...model.left.keys()][payment % (model.left.size || 1)]
  if (paymentId === undefined) return undefined
  return { ...rest, paymentId, key: key === undefined ? undefined : `${prefix} ${key}` }
}

function submit({ payee }: Run, request: RefundRequest): Promise<Reply> {
  const { amount } = request
  if (request.kind === 'pay') return pay(payer.client, { to_wallet_id: payee.walletId, amount })
  if (request.kind === 'spend') return pay(payee.client, { to_wallet_id: payer.walletId, amount })
  const { by, paymentId, reason, key } = request
  const client = by === 'payee' ? payee.client : operator
  const headers = key === undefined ? undefined : { headers: { 'idempotency-key': key } }
  return client.post(`/v1/transfers/${paymentId}/refunds`, { amount, reason }, headers)
}

const toMinor = (amount: string) => BigInt(amount.replace('.', ''))

async function perform(run: Run, drafts: readonly Draft[]): Promise<void> {
  const requests = drafts.map((it) => toRequest(run, it)).filter((it) => it !== undefined)
  const exchanges = await Promise.all(
    requests.map(async (request) => {
      const { status, body, headers } = await submit(run, request)
      const answer: RefundAnswer = {
        id: status === 201 ? body.id : undefined,
        minor: status === 201 ? toMinor(body.amount) : undefined,
        code: body.code,
        isReplay: headers['idempotency-replayed'] === 'true',
        isAmongOthers: requests.length > 1,
      }
      return [request, answer] as const
    }),
  )
  const next = linearize(run.model, exchanges, (model, exchange) => stepRefund(model, ...exchange))
  if (!next) {
    const parts = [run.model.minor, [...run.model.left], ...exchanges]
    const told = parts.map((part) =>
      JSON.stringify(part, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
    )
    throw new Error(`no order of these requests gives these answers:\n${told.join('\n')}`)
  }
  run.model = next
  run.requests.push(...requests)
  assert.is(toMinor(await posted(run.payee.client, run.payee.walletId)), run.model.minor)
}

/** What each payment tells of its refunds is what the model has left of it. */
async function compareRefunds({ payee, model }: Run): Promise<void> {
  for (const [id, left] of model.left) {
    const payment = await must(payee.client.get(`/v1/transfers/${id}`), 200)
    const list = await must(payee.client.get(`/v1/transfers/${id}/refunds?limit=200`), 200)
    const amounts: bigint[] = list.data.map((refund: Json) => toMinor(refund.amount))
    const refunded = amounts.reduce((sum, minor) => sum + minor, 0n)
    assert.is(toMinor(list.refundable), left)
    assert.is(toMinor(payment.amount) - refunded, left)
    assert.is(toMinor(payment.refunded ?? '0.00'), refunded)
  }
}

test('whatever a payee and an operator refund at once, Kassa answers as the model does', async () => {
  const property = fc.asyncProperty(rounds, async (steps) => {
    const payee = await world.signUp()
    const run: Run = { payee, model: emptyRefundModel, requests: [], prefix: unique('model') }
    await perform(run, [{ kind: 'pay', amount: '3.00' }])
    for (const step of steps) await perform(run, step)
    await compareRefunds(run)
  })
  const limits = { numRuns: runsMax, interruptAfterTimeLimit: seconds * 1_000 }
  await fc.assert(property, { ...limits, ...seed, includeErrorInReport: true })
})

test.run()
