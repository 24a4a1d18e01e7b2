/** Payment requests where two people want different things at once, or where something goes wrong. */
import { type Ledger, LedgerOutcomeUnknown, LedgerUnavailable } from '../../accounting/client.ts'
import { recover } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { addPaymentSystem, assertRefused, fund, openWallet, posted, unique } from '../lib/money.ts'
import {
  accept,
  ask,
  asked,
  end,
  type NamedPerson,
  seen,
  signUpNamed,
} from '../lib/payment-requests.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('payment requests, the edges')

let world: World
/** Asks. */
let emma: NamedPerson
/** Is asked, and has two wallets. */
let finn: NamedPerson
let second: string
/** Both at a Kassa whose ledger can be disturbed. */
let url: string
let emmaDisturbed: Client
let finnDisturbed: Client
/** What the clock of the disturbed Kassa is ahead of the ledger's. */
let aheadMs = 0

type Submit = Ledger['createTransfers']
/** Carried out once, in place of the next submission of the disturbed Kassa. */
let disturbance: ((submit: Submit, batch: Parameters<Submit>[0]) => ReturnType<Submit>) | undefined

test.before(async () => {
  world = await createWorld()
  const other = await world.startAnother({
    nowMs: () => Date.now() + aheadMs,
    adapt: (deps) => ({ ...deps, ledger: disturb(deps.ledger) }),
  })
  ;[emma, finn] = await Promise.all([signUpNamed(world, 'emma'), signUpNamed(world, 'finn')])
  second = (await openWallet(finn.client, 'USD')).id
  const bank = await addPaymentSystem(world)
  for (const wallet of [finn.walletId, second]) await fund(bank, wallet, '1000.00')
  url = other.url
  const at = ({ client }: Person) => {
    const same = world.client(url)
    sameSession(client, same)
    return same
  }
  ;[emmaDisturbed, finnDisturbed] = [at(emma), at(finn)]
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

function disturb(ledger: Ledger): Ledger {
  const createTransfers: Submit = async (batch) => {
    const once = disturbance
    // A transfer without an id is how what follows the ledger asks for the time.
    if (!once || batch[0]?.id === 0n) return ledger.createTransfers(batch)
    disturbance = undefined
    return once(ledger.createTransfers, batch)
  }
  return Object.assign(Object.create(ledger), { createTransfers })
}

/** Has something happen right before the next submission of the disturbed Kassa. */
function before(work: () => Promise<unknown>): void {
  disturbance = async (submit, batch) => {
    await work()
    return submit(batch)
  }
}

/** Emma's balance, and what Finn has in both wallets. */
async function money(): Promise<number[]> {
  const [hers, first, other] = await Promise.all([
    posted(emma.client, emma.walletId),
    posted(finn.client, finn.walletId),
    posted(finn.client, second),
  ])
  return [Number(hers), Number(first) + Number(other)]
}

async function assertMoved(from: number[], amount: number): Promise<void> {
  const [hers = 0, his = 0] = from
  assert.equal(await money(), [hers + amount, his - amount])
}

/** What both sides see. */
async function state(request: Json): Promise<string> {
  const [hers, his] = await Promise.all([seen(request, emma.client), seen(request, finn.client)])
  assert.equal(hers, his)
  return hers.state
}

/** Waits until it has run out; right then the one may see that and the other not yet. */
async function expired(request: Json): Promise<void> {
  await until(async () => (await seen(request, emma.client)).state === 'expired')
  assert.is(await state(request), 'expired')
}

test('accept against accept, twenty from two wallets: the right is posted once, all answer it', async () => {
  const start = await money()
  const request = await asked(emma, finn, { amount: '3.00' })
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      accept(request, finn.client, index % 2 ? second : finn.walletId),
    ),
  )
  assert.is(new Set(replies.map(({ status, text }) => `${status} ${text}`)).size, 1)
  const replays = replies.filter(({ headers }) => headers['idempotency-replayed'] === 'true')
  assert.is(replays.length, 19)
  await assertMoved(start, 3)
})

test('accept against an accept from another wallet: whose chain is first pays', async () => {
  const start = await money()
  const request = await asked(emma, finn, { memo: 'first' })
  let first: Json
  before(async () => {
    first = await must(accept(request, finn.client, second), 201)
  })
  const late = await accept(request, finnDisturbed, finn.walletId)
  assert.equal([late.status, late.body], [201, first])
  assert.equal([late.body.from_wallet_id, late.body.memo], [second, 'first'])
  assert.is(late.headers['idempotency-replayed'], 'true')
  await assertMoved(start, 1)
})

/** What comes first, what comes a moment later at the disturbed Kassa, and how that is refused. */
const races: [
  name: string,
  first: (request: Json) => Promise<Reply>,
  late: (request: Json) => Promise<Reply>,
  state: string,
][] = [
  [
    'accept against an earlier cancel',
    (request) => end(request, 'cancel', emma.client),
    (request) => accept(request, finnDisturbed, second),
    'cancelled',
  ],
  [
    'accept against an earlier decline',
    (request) => end(request, 'decline', finn.client),
    (request) => accept(request, finnDisturbed, second),
    'declined',
  ],
  [
    'cancel against an earlier accept',
    (request) => accept(request, finn.client, second),
    (request) => end(request, 'cancel', emmaDisturbed),
    'accepted',
  ],
  [
    'decline against an earlier accept',
    (request) => accept(request, finn.client, second),
    (request) => end(request, 'decline', finnDisturbed),
    'accepted',
  ],
  [
    'cancel against an earlier decline',
    (request) => end(request, 'decline', finn.client),
    (request) => end(request, 'cancel', emmaDisturbed),
    'declined',
  ],
]
for (const [name, first, late, winner] of races) {
  test(`${name}: the right is resolved once, and the late one is told ${winner}`, async () => {
    const start = await money()
    const request = await asked(emma, finn)
    before(async () => assert.ok((await first(request)).status < 300))
    assertRefused(await late(request), 409, `payment_request_${winner}`)
    assert.is(await state(request), winner)
    await assertMoved(start, winner === 'accepted' ? 1 : 0)
  })
}

test('accept, decline and cancel at once: one wins, and everybody is told the same', async () => {
  for (let round = 0; round < 10; round += 1) {
    const start = await money()
    const request = await asked(emma, finn)
    const replies = await Promise.all([
      accept(request, finn.client, second),
      end(request, 'decline', finn.client),
      end(request, 'cancel', emma.client),
    ])
    const winner = await state(request)
    const winners = { accepted: 0, declined: 1, cancelled: 2 }
    for (const [index, reply] of replies.entries()) {
      if (index === winners[winner as keyof typeof winners]) assert.ok(reply.status < 300)
      else assertRefused(reply, 409, `payment_request_${winner}`)
    }
    await assertMoved(start, winner === 'accepted' ? 1 : 0)
  }
})

test('accept against the deadline: what has run out by the ledger is not paid any more', async () => {
  const start = await money()
  const request = await asked(emma, finn, { expires_in: 1 })
  before(() => expired(request))
  const late = await accept(request, finnDisturbed, second)
  assertRefused(late, 409, 'payment_request_expired')
  await assertMoved(start, 0)
})

test("what has run out is decided by the ledger, not by a process's clock", async () => {
  const start = await money()
  const open = await asked(emma, finn, { expires_in: 60 })
  const over = await asked(emma, finn, { expires_in: 1 })
  await expired(over)
  try {
    aheadMs = -60_000
    assertRefused(await accept(over, finnDisturbed, second), 409, 'payment_request_expired')
    assertRefused(await end(over, 'decline', finnDisturbed), 409, 'payment_request_expired')
    assertRefused(await end(over, 'cancel', emmaDisturbed), 409, 'payment_request_expired')
    aheadMs = 60_000
    assert.is((await seen(open, finnDisturbed)).state, 'expired')
    await must(accept(open, finnDisturbed, second), 201)
  } finally {
    aheadMs = 0
  }
  await assertMoved(start, 1)
})

test('a top-up that comes right before the payment lets it happen', async () => {
  const poor = await signUpNamed(world, 'poor')
  const request = await asked(emma, poor)
  assertRefused(await accept(request, poor.client), 422, 'insufficient_funds')
  const client = world.client(url)
  sameSession(poor.client, client)
  before(async () => {
    const gift = { from_wallet_id: second, to_wallet_id: poor.walletId, amount: '1.00' }
    await must(finn.client.post('/v1/transfers', gift), 201)
  })
  await must(accept(request, client), 201)
})

/** Takes the next submission to the ledger, and does not answer. */
function loseAnswer(): void {
  disturbance = async (submit, batch) => {
    await submit(batch)
    throw new LedgerOutcomeUnknown('no answer')
  }
}

test('a step whose answer is lost leaves doubt; the same again tells the truth', async () => {
  const start = await money()
  const [paid, declined, cancelled] = [
    await asked(emma, finn),
    await asked(emma, finn),
    await asked(emma, finn),
  ]
  const key = unique('doubt')
  const steps: [() => Promise<Reply>, state: string | undefined][] = [
    [() => ask(emma, finn, {}, { key, by: emmaDisturbed }), 'open'],
    [() => accept(paid, finnDisturbed, second), undefined],
    [() => end(declined, 'decline', finnDisturbed), 'declined'],
    [() => end(cancelled, 'cancel', emmaDisturbed), 'cancelled'],
  ]
  for (const [step, after] of steps) {
    loseAnswer()
    const doubt = await step()
    assertRefused(doubt, 503, 'outcome_unknown')
    assert.match(doubt.body.operation_id, /^[0-9a-f-]{36}$/)
    const truth = await step()
    assert.ok(truth.status < 300, truth.text)
    assert.is(truth.body.state, after)
  }
  assert.is(await state(paid), 'accepted')
  await assertMoved(start, 1)
})

/** Recovery as it is two minutes from now. */
const recoverLater = () =>
  recover({ ...world.deps, nowMs: () => Date.now() + 120_000 }).then(({ requests = 0 }) => requests)

test('a request that was cut off before its right is given up, and its key says so', async () => {
  await recoverLater()
  const key = unique('cut off')
  const asks = () => ask(emma, finn, { memo: 'lost' }, { key, by: emmaDisturbed })
  disturbance = () => Promise.reject(new LedgerUnavailable('it went away'))
  assertRefused(await asks(), 503, 'ledger_unavailable')
  assert.is(await recoverLater(), 1)
  assert.is(await recoverLater(), 0)
  for (let time = 0; time < 2; time += 1) {
    const reply = await asks()
    assertRefused(reply, 409, 'abandoned')
    assert.is(reply.headers['idempotency-replayed'], 'true')
  }
  await must(ask(emma, finn, { memo: 'lost' }, { key: unique('again') }), 201)
})

test('a request that was cut off after its right is found by recovery, and stays open', async () => {
  await recoverLater()
  const key = unique('made')
  loseAnswer()
  const doubt = await ask(emma, finn, {}, { key, by: emmaDisturbed })
  assertRefused(doubt, 503, 'outcome_unknown')
  assert.is(await recoverLater(), 1)
  assert.is(await recoverLater(), 0)
  const reply = await ask(emma, finn, {}, { key })
  assert.equal([reply.status, reply.body.state], [201, 'open'])
  assert.is(reply.headers['idempotency-replayed'], 'true')
})

test('recovery against a slow request: what it has burnt can never be made', async () => {
  await recoverLater()
  const key = unique('slow')
  const asks = () => ask(emma, finn, {}, { key, by: emmaDisturbed })
  before(async () => assert.is(await recoverLater(), 1))
  assertRefused(await asks(), 409, 'abandoned')
  assertRefused(await asks(), 409, 'abandoned')
})

test('twenty first requests to somebody at once make one allowance, and none is lost', async () => {
  const zoe = await signUpNamed(world, 'zoe')
  const replies = await Promise.all(Array.from({ length: 20 }, () => ask(emma, zoe)))
  assert.equal(
    replies.map(({ status }) => status),
    Array(20).fill(201),
  )
  assertRefused(await ask(emma, zoe), 409, 'too_many_requests_open')
})

test.run()
