import { writeFileSync } from 'node:fs'
import { request } from 'undici'
import { statementBody } from '../../server/routes/statements.ts'
import { checkBooks } from '../lib/books.ts'
import { addLiquidity, exchange, quoted, setRate } from '../lib/exchange.ts'
import { setFee } from '../lib/fees.ts'
import type { Client, Json } from '../lib/http.ts'
import { assertRefused, fund, openWallet, pay } from '../lib/money.ts'
import {
  checksumOf,
  type ReadStatement,
  readCamt,
  readCamtStatement,
  readCsv,
  readHledger,
  readJson,
  readPdfStatement,
} from '../lib/statements.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('statements')
let world: World
let bank: Client
let operator: Client
let ada: Person
let grace: Person

test.before(async () => {
  world = await createWorld()
  bank = await world.paymentSystem()
  operator = await world.operator()
  ada = await world.signUp({ username: 'ada', name: 'Ada Lovelace' })
  grace = await world.signUp({ name: '=SUM(1)\t漢字 <b>&' })
  await live()
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

/** Everything that a wallet can go through. */
async function live(): Promise<void> {
  await fund(bank, ada.walletId, '100.00')
  await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '1.10', memo: '=1+1' }), 201)
  const memo = 'Zażółć\n漢字, "x"; 👍🏽 | <&> date:2026-13-01 '.padEnd(200, 'é')
  const paid = await must(
    pay(ada.client, { to_wallet_id: grace.walletId, amount: '20.00', memo }),
    201,
  )
  await must(
    grace.client.post(`/v1/transfers/${paid.id}/refunds`, { amount: '0.50', reason: 'sorry' }),
    201,
  )
  const hold = { to_wallet_id: grace.walletId }
  const captured = await place({ ...hold, amount: '10.00' })
  await must(
    grace.client.post(`/v1/holds/${captured.id}/capture`, { amount: '4.00', final: false }),
    201,
  )
  const expiring = await place({ ...hold, amount: '7.00', expires_in: 1 })
  const systems = await must(ada.client.get('/v1/payout-systems'), 200)
  const withdrawal = {
    wallet_id: ada.walletId,
    payment_system: systems.data[0].id,
    destination: 'DE89370400440532013000',
  }
  const w = await must(ada.client.post('/v1/withdrawals', { ...withdrawal, amount: '5.00' }), 201)
  await must(ada.client.post('/v1/withdrawals', { ...withdrawal, amount: '6.00' }), 201)
  await must(bank.send('POST', `/v1/withdrawals/${w.id}/take`), 200)
  await must(bank.post(`/v1/withdrawals/${w.id}/confirm`, { reference: 'payout 1' }), 200)
  void expiring
  await setFee(operator, 'payment', { fixed: '0.25' })
  await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '3.00' }), 201)
}

async function place(input: Json): Promise<Json> {
  return must(ada.client.post('/v1/holds', { from_wallet_id: ada.walletId, ...input }), 201)
}

test('x', async () => {
  const from = '2026-11-01'
  const to = '2027-01-01'
  for (const [format, name] of [
    ['json', 'json'],
    ['csv', 'csv'],
    ['camt.053', 'xml'],
    ['pdf', 'pdf'],
    ['hledger', 'journal'],
  ]) {
    const { body, headers, statusCode } = await request(
      `${world.url}/v1/wallets/${ada.walletId}/statement?from=${from}&to=${to}&format=${format}`,
      {
        headers: { cookie: [...ada.client.cookies].map((pair) => pair.join('=')).join('; ') },
      },
    )
    console.log(statusCode, headers)
    writeFileSync(`/tmp/st.${name}`, Buffer.from(await body.arrayBuffer()))
  }
  console.log((await ada.client.get(`/v1/wallets/${ada.walletId}/balance`)).body)
})

test.run()
