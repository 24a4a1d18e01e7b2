/** Withdrawals where two meet at a chosen moment, or where a process dies and recovery comes. */
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { type Ledger, LedgerOutcomeUnknown } from '../../accounting/client.ts'
import { closeAccount } from '../../accounting/standing.ts'
import { mintId } from '../../db/ids.ts'
import { insertWalletClosing } from '../../db/wallet-closings.ts'
import { recover } from '../../server/flows/recovery.ts'
import { checkBooks } from '../lib/books.ts'
import { type Client, type Json, type Reply, sameSession } from '../lib/http.ts'
import { assertRefused, fund, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('withdrawals, the edges')

let world: World
let bank: Client
let operator: Client
let ada: Person
/** The bank and Ada at a Kassa whose ledger can be disturbed. */
let disturbedBank: Client
let disturbedAda: Client
/** Carried out one after the other, each before a submission of the disturbed Kassa. */
let beforeSubmissions: (() => Promise<unknown>)[] = []
/** What becomes of the next submission of the disturbed Kassa: it is lost, or its answer. */
let loses: 'submission' | 'answer' | undefined

test.before(async () => {
  world = await createWorld()
  const other = await world.startAnother({
    adapt: (deps) => ({ ...deps, ledger: disturb(deps.ledger) }),
  })
  const at = (client: Client) => {
    const same = world.client(other.url)
    sameSession(client, same)
    return same
  }
  ;[bank, operator, ada] = await Promise.all([
    world.paymentSystem(),
    world.operator(),
    world.signUp(),
  ])
  ;[disturbedBank, disturbedAda] = [at(bank), at(ada.client)]
  await fund(bank, ada.walletId, '1000.00')
})
test.before.each(() => {
  beforeSubmissions = []
  loses = undefined
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

function disturb(ledger: Ledger): Ledger {
  const changes: Partial<Ledger> = {
    async createTransfers(batch) {
      // The ledger is asked for its time by a transfer without an id.
      if (batch[0]?.id === 0n) return ledger.createTransfers(batch)
      const lost = loses
      loses = undefined
      if (lost === 'submission') throw new LedgerOutcomeUnknown('it was lost')
      await beforeSubmissions.shift()?.()
      const results = await ledger.createTransfers(batch)
      if (lost === 'answer') throw new LedgerOutcomeUnknown('the answer was lost')
      return results
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

function withdraw(key?: string, client = ada.client): Promise<Reply> {
  const input = { wallet_id: ada.walletId, amount: '10.00', payment_system: 'First payment system' }
  const headers = key ? { headers: { 'idempotency-key': key } } : undefined
  return client.post('/v1/withdrawals', { ...input, destination: 'DE89 3704' }, headers)
}

const requested = (): Promise<Json> => must(withdraw(), 201)
const taken = async (): Promise<Json> => must(take(await requested()), 200)

const step = (name: string, { id }: Json, client: Client, json?: Json) =>
  client.send('POST', `/v1/withdrawals/${id}/${name}`, json === undefined ? {} : { json })
const take = (it: Json, client = bank) => step('take', it, client)
const cancel = (it: Json, client = ada.client) => step('cancel', it, client)
const confirm = (it: Json, client = bank) => step('confirm', it, client, { reference: 'paid' })
const fail = (it: Json, client = bank) => step('fail', it, client, { reason: 'not paid' })

const operate = (name: 'freeze' | 'thaw') =>
  must(operator.post(`/v1/wallets/${ada.walletId}/${name}`, { reason: 'test' }), 200)

const wallet = (): Promise<Json> => must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)

async function posted(): Promise<number> {
  return Number((await wallet()).balance.posted)
}

/** Where everything that is under way counts as cut off. */
const later = () => ({ ...world.deps, nowMs: () => Date.now() + 120_000 })

/** Who is told what when one comes in between the other's reading and its step. */
const races: [
  name: string,
  late: typeof take,
  first: typeof take,
  client: () => Client,
  code: string,
][] = [
  ['take, overtaken by cancel', take, cancel, () => disturbedBank, 'withdrawal_cancelled'],
  ['take, overtaken by take', take, take, () => disturbedBank, 'withdrawal_taken'],
  ['cancel, overtaken by take', cancel, take, () => disturbedAda, 'withdrawal_taken'],
  ['confirm, overtaken by fail', confirm, fail, () => disturbedBank, 'withdrawal_failed'],
  ['fail, overtaken by confirm', fail, confirm, () => disturbedBank, 'withdrawal_confirmed'],
]
for (const [name, late, first, client, code] of races) {
  test(`${name}: a pending transfer is resolved once, and the first wins`, async () => {
    const withdrawal = late === confirm || late === fail ? await taken() : await requested()
    beforeSubmissions = [() => must(first(withdrawal), 200)]
    assertRefused(await late(withdrawal, client()), 409, code)
  })
}

for (const [name, late] of Object.entries({ confirm, fail, cancel })) {
  test(`${name}, overtaken by the same: both are told that it has happened`, async () => {
    const withdrawal = late === cancel ? await requested() : await taken()
    beforeSubmissions = [() => must(late(withdrawal), 200)]
    const reply = await late(withdrawal, late === cancel ? disturbedAda : disturbedBank)
    assert.is(reply.status, 200, reply.text)
    assert.is(reply.headers['idempotency-replayed'], 'true')
  })
}

test('freeze before a confirm: what was paid is booked through it, and the wallet stays frozen', async () => {
  const before = await posted()
  const withdrawal = await taken()
  beforeSubmissions = [() => operate('freeze')]
  await must(confirm(withdrawal, disturbedBank), 200)
  assert.is((await wallet()).state, 'frozen')
  assert.is(await posted(), before - 10)
  await operate('thaw')
  assert.is((await wallet()).state, 'active')
})

test('thaw before a confirm through the freeze: it is booked, and the wallet stays thawed', async () => {
  const before = await posted()
  const withdrawal = await taken()
  await operate('freeze')
  beforeSubmissions = [async () => {}, () => operate('thaw')]
  await must(confirm(withdrawal, disturbedBank), 200)
  assert.equal(beforeSubmissions, [])
  assert.is((await wallet()).state, 'active')
  assert.is(await posted(), before - 10)
})

test('thaw and freeze before a confirm through the first freeze: it is booked through the second', async () => {
  const before = await posted()
  const withdrawal = await taken()
  await operate('freeze')
  const again = () => operate('thaw').then(() => operate('freeze'))
  beforeSubmissions = [async () => {}, again]
  await must(confirm(withdrawal, disturbedBank), 200)
  assert.is((await wallet()).state, 'frozen')
  assert.is(await posted(), before - 10)
  await operate('thaw')
})

test('fail before a confirm through the freeze: the pending transfer is resolved once, and fail wins', async () => {
  const before = await posted()
  const withdrawal = await taken()
  await operate('freeze')
  beforeSubmissions = [async () => {}, () => must(fail(withdrawal), 200)]
  assertRefused(await confirm(withdrawal, disturbedBank), 409, 'withdrawal_failed')
  assert.is((await wallet()).state, 'frozen')
  assert.is(await posted(), before)
  await operate('thaw')
})

test('closing cut off half-way does not keep a confirm from being booked', async () => {
  const withdrawal = await taken()
  // As if the withdrawal had come between the look at the wallet and its tentative closing.
  const id = mintId()
  await insertWalletClosing(world.deps.db, { id, walletId: ada.walletId })
  const closable = { id: ada.walletId, asset: assetOf('USD') }
  await closeAccount(world.deps.ledger, closable, id, TransferCode.closing)
  assert.is((await wallet()).state, 'closing')
  await must(confirm(withdrawal), 200)
  assert.is((await wallet()).state, 'active')
  assert.equal(await recover(later()), { closings: 1 })
  assert.is((await wallet()).state, 'active')
})

test('a request that was cut off before the ledger is given up, for its key as well', async () => {
  const key = unique('lost')
  loses = 'submission'
  assertRefused(await withdraw(key, disturbedAda), 503, 'outcome_unknown')
  assert.equal(await recover(later()), { withdrawals: 1 })
  const late = await withdraw(key)
  assertRefused(late, 409, 'abandoned')
  assert.is(late.headers['idempotency-replayed'], 'true')
  const payment = { to_username: 'nobody', amount: '1' }
  const headers = { 'idempotency-key': key }
  const other = await world.signUp({ username: 'nobody' })
  const paid = await ada.client.post('/v1/transfers', payment, { headers })
  assertRefused(paid, 409, 'abandoned')
  assert.equal(await recover(later()), {})
  assert.is((await must(other.client.get('/v1/wallets'), 200)).data[0].balance.posted, '0.00')
})

test('a request that was cut off after the ledger is found, and its key answers it', async () => {
  const key = unique('found')
  loses = 'answer'
  const doubt = await withdraw(key, disturbedAda)
  assertRefused(doubt, 503, 'outcome_unknown')
  assert.equal(await recover(later()), { withdrawals: 1 })
  const reply = await withdraw(key)
  assert.equal([reply.status, reply.body.id], [201, doubt.body.operation_id])
  assert.is(reply.headers['idempotency-replayed'], 'true')
})

test('a step whose answer was lost is told as unknown; sent again it tells the truth', async () => {
  const [toTake, toCancel] = [await requested(), await requested()]
  const [toConfirm, toFail] = [await taken(), await taken()]
  const steps: [step: typeof take, it: Json, client: Client, again: string][] = [
    [take, toTake, disturbedBank, '409 withdrawal_taken'],
    [cancel, toCancel, disturbedAda, '200 cancelled'],
    [confirm, toConfirm, disturbedBank, '200 confirmed'],
    [fail, toFail, disturbedBank, '200 failed'],
  ]
  for (const [carryOut, it, client, expected] of steps) {
    loses = 'answer'
    const doubt = await carryOut(it, client)
    assertRefused(doubt, 503, 'outcome_unknown')
    assert.is(doubt.body.operation_id, it.id)
    const { status, body } = await carryOut(it, client)
    assert.is(`${status} ${body.state ?? body.code}`, expected)
  }
})

test.run()
