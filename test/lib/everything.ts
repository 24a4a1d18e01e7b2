/** Every kind of operation that there is, made over HTTP: a world with something of everything in it. */
import { itemKey } from '../../server/flows/batch.ts'
import { exchange, quoted, setRate } from './exchange.ts'
import { setFee } from './fees.ts'
import type { Client, Json, Reply } from './http.ts'
import { setLimit } from './limits.ts'
import { fund, openWallet, pay, unique } from './money.ts'
import { accept, asked, end, type NamedPerson, signUpNamed } from './payment-requests.ts'
import { addOperator, adjust, approve, reject, withdraw as withdrawApproval } from './treasury.ts'
import { until } from './until.ts'
import { must, operatorLogin, type Person, type World } from './world.ts'

export interface Everything {
  ada: NamedPerson
  ben: NamedPerson
  /** In euros, of Ada. */
  euros: string
  operator: Client
  bank: Client
  bankId: string
  /** Of some operations, by what they are. */
  ids: Record<string, string>
}

const unknownWallet = '019363a0-0000-7000-8000-000000000001'

/** Makes everything; the world has no four eyes, and grace is a second operator at one that has (`four`). */
export async function makeEverything(world: World, four: string): Promise<Everything> {
  const [bank, operator] = await Promise.all([world.paymentSystem(), world.operator()])
  const bankId = (await done(bank.get('/v1/session'))).user.id
  const [ada, ben] = [await signUpNamed(world, 'ada'), await signUpNamed(world, 'ben')]
  const euros = (await openWallet(ada.client, 'EUR')).id
  const all: Everything = { ada, ben, euros, operator, bank, bankId, ids: {} }
  await setPrices(all)
  await deposit(world, all)
  await keepHouse(world, all)
  await payAndRefund(all)
  await sendMany(all)
  await holdMoney(all)
  await askForMoney(all)
  await withdrawMoney(all)
  await exchangeMoney(all)
  await takeBack(world, all)
  await changeStanding(world, all)
  await decideTogether(world, all, four)
  return all
}

/** The body of a reply that says that it was done. */
async function done(sent: Promise<Reply>): Promise<Json> {
  const { status, text, body } = await sent
  if (status >= 300) throw new Error(`${status}: ${text}`)
  return body
}

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } })

async function setPrices({ operator, ada, ben, bankId }: Everything): Promise<void> {
  const price = { fixed: '0.30', basis_points: 290, refund: 'proportional' }
  await setFee(operator, 'payment', price)
  await setFee(operator, 'withdrawal', { fixed: '0.50' })
  await setFee(operator, 'capture', { basis_points: 100, borne_by: 'recipient' })
  await setFee(operator, 'deposit', { basis_points: 50, borne_by: 'recipient' })
  await setFee(operator, 'exchange', { basis_points: 10 })
  await setLimit(operator, ada.userId, '5000.00')
  await setLimit(operator, ben.userId, '4000.00', { window: 'month' })
  await setLimit(operator, ben.userId, '300.00', { window: 'month' })
  await setLimit(operator, bankId, '100000.00')
}

async function deposit(world: World, { ada, ben, bank, operator, ids }: Everything): Promise<void> {
  ids.deposit = (await fund(bank, ada.walletId, '1000.00')).id
  await fund(bank, ben.walletNumber, '500.00')
  const late = await world.signUp()
  const told = {
    amount: '7.00',
    currency: 'USD',
    wallet_id: late.walletId,
    reference: unique('late'),
  }
  const freeze = (step: string) =>
    done(operator.post(`/v1/wallets/${late.walletId}/${step}`, { reason: 'test' }))
  await freeze('freeze')
  await must(bank.post('/v1/deposits', told), 422)
  await freeze('thaw')
  ids.retried = (await done(bank.post('/v1/deposits', told))).id
  const suspended = async (wallet_id: string) => {
    const more = { wallet_id, reference: unique('lost'), on_unmatched: 'suspense' }
    return (await done(bank.post('/v1/deposits', { ...told, ...more }))).id
  }
  ids.suspended = await suspended(unknownWallet)
  const assignment = { wallet_id: ada.walletId, reason: 'test' }
  const assigned = await suspended('79927398713')
  await done(operator.post(`/v1/suspense/${assigned}/assign`, assignment))
  const returned = await suspended(unknownWallet)
  await done(operator.post(`/v1/suspense/${returned}/return`, { reason: 'test' }))
  const reversed = await suspended(unknownWallet)
  await done(reverse(bank, reversed))
  ids.paidOut = await suspended(unknownWallet)
}

const reverse = (bank: Client, id: string, more: Json = {}): Promise<Reply> =>
  bank.post(`/v1/deposits/${id}/reversals`, {
    reason: 'stolen',
    reference: unique('back'),
    ...more,
  })

async function keepHouse(world: World, all: Everything): Promise<void> {
  const { operator, bankId, ada, bank, ids } = all
  const book = (input: Json) => done(adjust(operator, input))
  await book({ kind: 'equity_contribution', amount: '900.00' })
  await book({ kind: 'equity_contribution', amount: '900.00', currency: 'EUR' })
  await book({ kind: 'equity_withdrawal', amount: '0.01' })
  for (const currency of ['USD', 'EUR']) {
    await book({ kind: 'liquidity_funding', amount: '500.00', currency })
  }
  await book({ kind: 'liquidity_draining', amount: '10.00' })
  ids.settlement = (await book({ kind: 'settlement', amount: '20.00', payment_system: bankId })).id
  await book({ kind: 'prefunding', amount: '5.00', payment_system: bankId })
  await book({ kind: 'payment_system_fee', amount: '1.50', payment_system: bankId })
  await book({ kind: 'payment_system_income', amount: '0.25', payment_system: bankId })
  await book({ kind: 'reward', amount: '3.00', wallet_id: ada.walletId })
  const paidOut = { kind: 'suspense_payout', deposit_id: ids.paidOut, currency: undefined }
  ids.payout = (await book(paidOut)).id
  const [debtor, shop] = [await world.signUp(), await world.signUp()]
  const { id } = await fund(bank, debtor.walletId, '40.00')
  await done(pay(debtor.client, { to_wallet_id: shop.walletId, amount: '38.00' }))
  await done(reverse(bank, id))
  await book({ kind: 'write_off', amount: '1.00', user_id: debtor.userId })
  await fund(bank, debtor.walletId, '5.00')
  await must(
    adjust(operator, { kind: 'settlement', amount: '99999.00', payment_system: bankId }),
    422,
  )
}

async function payAndRefund({ ada, ben, ids }: Everything): Promise<void> {
  const to = { to_wallet_id: ben.walletId }
  const payment = await done(pay(ada.client, { ...to, amount: '20.00', memo: 'lunch' }))
  ids.payment = payment.id
  const refund = (amount: string) =>
    done(ben.client.post(`/v1/transfers/${payment.id}/refunds`, { amount, reason: 'cold' }))
  ids.refund = (await refund('5.00')).id
  await refund('1.00')
  const key = unique('too much')
  const declined = await pay(ada.client, { ...to, amount: '3000.00' }, key)
  await must(Promise.resolve(declined), 422)
  await must(pay(ada.client, { ...to, amount: '9999.00' }, unique('over the limit')), 422)
}

async function sendMany({ ada, ben, ids }: Everything): Promise<void> {
  const one = { to_wallet_id: ben.walletId, amount: '1.00' }
  const send = (atomic: boolean, transfers: Json[]) =>
    ada.client.post('/v1/transfers/batch', { atomic, transfers }, keyed(unique('batch')))
  await done(send(true, [one, { ...one, amount: '2.00', memo: 'two' }]))
  await must(send(true, [one, { ...one, amount: '4000.00' }]), 422)
  await done(
    send(false, [one, { ...one, amount: '4000.00' }, { ...one, to_wallet_id: unknownWallet }]),
  )
  const text = `to,amount,memo\n${ben.username},1.50,pay\n${ben.walletId},4000.00,\nnobody_at_all,2.00,\n`
  const headers = { 'content-type': 'text/csv', 'idempotency-key': unique('payroll') }
  const payroll = await done(
    ada.client.send('POST', `/v1/payrolls?from_wallet_id=${ada.walletId}`, { text, headers }),
  )
  ids.payroll = payroll.id
  const rows = [0, 1].map((place) => itemKey({ operationId: payroll.id, inputHash: 0 }, place))
  const [paid, unpaid] = rows.map(({ operationId }) => operationId) as [string, string]
  Object.assign(ids, { paid, unpaid })
  const stateOf = async () => (await done(ada.client.get(`/v1/payrolls/${payroll.id}`))).state
  await until(async () => (await stateOf()) === 'finished')
}

async function holdMoney({ ada, ben, ids }: Everything): Promise<void> {
  const hold = async (amount: string, more: Json = {}) =>
    (await done(ada.client.post('/v1/holds', { to_wallet_id: ben.walletId, amount, ...more }))).id
  const capture = (id: string, input: Json) =>
    done(ben.client.post(`/v1/holds/${id}/capture`, input))
  ids.openHold = await hold('3.00')
  const captured = await hold('10.00')
  const part = await capture(captured, { amount: '4.00', final: false })
  await capture(captured, { amount: '2.00' })
  ids.hold = captured
  await done(ben.client.post(`/v1/transfers/${part.id}/refunds`, { amount: '1.00' }))
  const partly = await hold('10.00')
  await capture(partly, { amount: '4.00', final: false })
  const voided = await hold('5.00')
  await done(ben.client.send('POST', `/v1/holds/${voided}/void`, {}))
  ids.expired = await hold('1.00', { expires_in: 1 })
}

async function askForMoney({ ada, ben, ids }: Everything): Promise<void> {
  ids.request = (await asked(ada, ben, { amount: '4.00', memo: 'tea' })).id
  const paid = await done(accept({ id: ids.request }, ben.client))
  ids.accepted = paid.transfer_id ?? paid.payment_id ?? ''
  await done(end(await asked(ada, ben), 'decline', ben.client))
  await done(end(await asked(ada, ben), 'cancel', ada.client))
  ids.openRequest = (await asked(ben, ada)).id
}

async function withdrawMoney({ ada, bank, bankId, operator, ids }: Everything): Promise<void> {
  const ask = async () => {
    const input = { wallet_id: ada.walletId, amount: '12.00', payment_system: bankId }
    const where = { destination: 'DE89 3704 0044 0532 0130 00' }
    return (await done(ada.client.post('/v1/withdrawals', { ...input, ...where }))).id
  }
  const step = (id: string, name: string, by: Client, json?: Json) =>
    done(by.send('POST', `/v1/withdrawals/${id}/${name}`, json ? { json } : {}))
  ids.requested = await ask()
  await step(await ask(), 'cancel', ada.client)
  const [confirmed, failed, frozen] = [await ask(), await ask(), await ask()]
  Object.assign(ids, { confirmed, failed })
  await step(confirmed, 'take', bank)
  await step(confirmed, 'confirm', bank, { reference: 'paid 1' })
  await step(failed, 'take', bank)
  await step(failed, 'fail', bank, { reason: 'no such account' })
  await step(frozen, 'take', bank)
  await done(operator.post(`/v1/wallets/${ada.walletId}/freeze`, { reason: 'test' }))
  await step(frozen, 'confirm', bank, { reference: 'paid 2' })
  await done(operator.post(`/v1/wallets/${ada.walletId}/thaw`, { reason: 'test' }))
}

async function exchangeMoney({ ada, ben, operator, ids }: Everything): Promise<void> {
  await done(setRate(operator, 'EUR/USD', '1.0843'))
  const sale = { from: 'USD', to: 'EUR', amount: '20.00' }
  ids.unused = (await quoted(ada.client, sale)).id
  const quote = await quoted(ada.client, sale)
  ids.quote = quote.id
  ids.exchange = (await done(exchange(ada.client, quote))).id
  const theirs = (await openWallet(ben.client, 'EUR')).id
  const input = {
    quote_id: (await quoted(ada.client, sale)).id,
    to_wallet_id: theirs,
    memo: 'trip',
  }
  ids.paidByQuote = (await done(pay(ada.client, input))).id
}

async function takeBack(world: World, { bank, operator, ada, ids }: Everything): Promise<void> {
  ids.reversal = (await done(reverse(bank, ids.deposit!, { amount: '10.00' }))).id
  await must(reverse(bank, ids.deposit!, { amount: '5000.00' }), 422)
  const person = await world.signUp()
  const { id } = await fund(bank, person.walletId, '9.00')
  const spent = { to_wallet_id: ada.walletId, amount: '5.00' }
  await done(pay(person.client, spent))
  await done(operator.post(`/v1/wallets/${person.walletId}/freeze`, { reason: 'test' }))
  await done(reverse(bank, id))
}

async function changeStanding(world: World, { ids }: Everything): Promise<void> {
  const close = ({ client, walletId }: Person) =>
    client.send('POST', `/v1/wallets/${walletId}/close`)
  const person = await world.signUp()
  await done(close(person))
  ids.closed = person.walletId
}

async function decideTogether(world: World, all: Everything, four: string): Promise<void> {
  const { operator, bankId, ids } = all
  const grace = await addOperator(world, operator)
  const atFour = world.client(four)
  await done(atFour.post('/v1/sessions', operatorLogin))
  const ask = () =>
    done(adjust(atFour, { kind: 'settlement', amount: '1.00', payment_system: bankId }))
  ids.approved = (await ask()).id
  await done(approve({ id: ids.approved }, grace.client))
  await done(reject(await ask(), grace.client))
  await done(withdrawApproval(await ask(), operator))
  ids.pending = (await ask()).id
  const addSystem = async () => {
    const name = unique('system')
    const added = { name, email: `${name}@bank.example.com` }
    return done(atFour.post('/v1/payment-systems', added))
  }
  ids.system = (await addSystem()).id
  const effected = await addSystem()
  await done(approve(effected, grace.client))
  ids.effected = effected.id
}
