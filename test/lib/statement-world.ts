/** A wallet in which much has happened, and its statements. */
import { type HistoryEntry, walkHistory } from '../../accounting/history.ts'
import { findWallet, type Wallet } from '../../db/wallets.ts'
import { readWalletBalanceAt, writeStatement } from '../../server/flows/statements.ts'
import type { StatementFormatName } from '../../server/statements/formats.ts'
import { addLiquidity, exchange, quoted, setRate } from './exchange.ts'
import { setFee } from './fees.ts'
import type { Client, Json } from './http.ts'
import { fund, openWallet, pay } from './money.ts'
import { until } from './until.ts'
import { createWorld, must, type Person, type World } from './world.ts'

/** Names and memos that mean something to a spreadsheet, XML, hledger, or a font. */
export const formulaName = '=SUM(1)\t漢字 <b>& 👍🏽'
export const longMemo = 'Zażółć\n漢字, "x"; 👍🏽 | <&> date:2026-13-01 '.padEnd(200, 'é')

export interface StatementWorld {
  world: World
  bank: Client
  operator: Client
  ada: Person
  grace: Person
  /** Ada's, in dollars. */
  wallet: Wallet
  /** All that happened to the wallet, oldest first. */
  history: readonly HistoryEntry[]
}

export async function createStatementWorld(): Promise<StatementWorld> {
  const world = await createWorld()
  const [bank, operator] = [await world.paymentSystem(), await world.operator()]
  const ada = await world.signUp({ username: 'ada', name: 'Ada Lovelace' })
  const grace = await world.signUp({ name: formulaName })
  const people = { world, bank, operator, ada, grace }
  await live(people)
  const wallet = (await findWallet(world.deps.db, ada.walletId))!
  const history: HistoryEntry[] = []
  const period = { from: 1n, to: await present(people) }
  for await (const page of walkHistory(world.deps.ledger, ada.walletId, period)) {
    history.push(...page)
  }
  return { ...people, wallet, history }
}

/** The ledger's time, ns. */
export async function present({
  world,
  ada,
}: Pick<StatementWorld, 'world' | 'ada'>): Promise<bigint> {
  return (await readWalletBalanceAt(world.deps, { id: ada.walletId }, undefined)).at
}

/** A wallet of many kinds of entries; in the end a hold has run out, and a withdrawal is under way. */
async function live({
  world,
  bank,
  operator,
  ada,
  grace,
}: Omit<StatementWorld, 'wallet' | 'history'>): Promise<void> {
  const { walletId: from_wallet_id } = ada
  const { walletId: to_wallet_id } = grace
  await fund(bank, ada.walletId, '1000.00')
  await must(pay(ada.client, { to_wallet_id, amount: '1.10', memo: '=1+1' }), 201)
  const paid = await must(pay(ada.client, { to_wallet_id, amount: '20.00', memo: longMemo }), 201)
  const refund = { amount: '0.50', reason: '@sorry' }
  await must(grace.client.post(`/v1/transfers/${paid.id}/refunds`, refund), 201)
  const place = async (amount: string, more: Json = {}): Promise<Json> =>
    must(ada.client.post('/v1/holds', { from_wallet_id, to_wallet_id, amount, ...more }), 201)
  await place('7.00', { expires_in: 1 })
  const captured = await place('10.00')
  const capture = `/v1/holds/${captured.id}/capture`
  await must(grace.client.post(capture, { amount: '4.00', final: false }), 201)
  await must(grace.client.post(capture, { amount: '1.00', final: false }), 201)
  const given = await place('3.00')
  await must(grace.client.send('POST', `/v1/holds/${given.id}/void`), 200)

  const { data } = await must(ada.client.get('/v1/payout-systems'), 200)
  const withdraw = (amount: string): Promise<Json> => {
    const input = { wallet_id: from_wallet_id, payment_system: data[0].id, destination: 'DE89' }
    return must(ada.client.post('/v1/withdrawals', { ...input, amount }), 201)
  }
  const confirmed = await withdraw('5.00')
  await must(bank.send('POST', `/v1/withdrawals/${confirmed.id}/take`), 200)
  const reference = '-payout '.padEnd(60, '7')
  await must(bank.post(`/v1/withdrawals/${confirmed.id}/confirm`, { reference }), 200)
  await withdraw('6.00')

  await setFee(operator, 'payment', { fixed: '0.25' })
  await must(pay(ada.client, { to_wallet_id, amount: '3.00' }), 201)
  await addLiquidity(world.deps.ledger, 'EUR', 1_000_000n)
  await must(setRate(operator, 'USD/EUR', '0.9'), 200)
  await openWallet(ada.client, 'EUR')
  const quote = await quoted(ada.client, { from: 'USD', to: 'EUR', amount: '10.00' })
  await must(exchange(ada.client, quote), 201)
  const held = () => must(ada.client.get(`/v1/wallets/${from_wallet_id}`), 200)
  await until(async () => (await held()).balance.held === '11.00')
}

/** A statement by the flow, for periods to the nanosecond. */
export async function stated(
  { world, wallet }: StatementWorld,
  from: bigint,
  to: bigint,
): Promise<Json> {
  const { content } = await writeStatement(world.deps, wallet, { from, to }, 'json')
  return JSON.parse((await content.toArray()).join(''))
}

/** A file of the whole history. */
export async function download(
  { world, wallet, history }: StatementWorld,
  format: StatementFormatName,
): Promise<Buffer> {
  const period = { from: 1n, to: history.at(-1)!.timestamp + 1n }
  const { content } = await writeStatement(world.deps, wallet, period, format)
  return Buffer.concat((await content.toArray()).map((part) => Buffer.from(part)))
}

export const cents = (amount: string) => BigInt(amount.replace('.', ''))
