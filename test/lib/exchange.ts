/** What tests about exchange do again and again. */
import { randomInt, randomUUID } from 'node:crypto'
import {
  bankAccount,
  createAccounts,
  liquidityAccount,
  spreadIncomeAccount,
} from '../../accounting/accounts.ts'
import { type Asset, addOwnAsset, assetOf, TransferCode } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { computeUuid, toLedgerId } from '../../accounting/ids.ts'
import { submitOnce } from '../../accounting/transfers.ts'
import type { Client, Json, Reply } from './http.ts'
import { must, type World } from './world.ts'

/**
 * An asset of the house's own that no other test has: what the house's accounts of it hold is this test's
 * alone. It is enabled in the world's database.
 */
export async function freshAsset(world: World, scale: number): Promise<Asset> {
  const asset = await storeFreshAsset(world, scale)
  addOwnAsset(asset)
  world.deps.settings.forget()
  return asset
}

/** The same as another process does it: this one does not know the asset yet. */
export async function storeFreshAsset({ deps }: World, scale: number): Promise<Asset> {
  const letters = Array.from({ length: 6 }, () => String.fromCharCode(65 + randomInt(26)))
  const currency = `X${letters.join('')}`
  const asset = { currency, ledger: randomInt(1_000_000, 1_000_000_000), scale }
  await deps.db
    .insertInto('currencies')
    .values({ ...asset, name: currency, is_own: true })
    .execute()
  return asset
}

/** The house sets money aside for exchange: debit bank, credit liquidity. */
export async function addLiquidity(
  ledger: Ledger,
  currency: string,
  amountMinor: bigint,
): Promise<void> {
  const asset = assetOf(currency)
  const [bank, liquidity] = [bankAccount(asset), liquidityAccount(asset)]
  await createAccounts(ledger, [bank, liquidity])
  const leg = {
    debitAccountId: bank.id,
    creditAccountId: liquidity.id,
    amountMinor,
    asset,
    code: TransferCode.liquidity_funding,
  }
  const operationId = computeUuid('test liquidity', randomUUID())
  const { kind } = await submitOnce(ledger, { operationId, inputHash: 1, legs: [leg] })
  if (kind !== 'done') throw new Error(`no liquidity: ${kind}`)
}

/** What the house has for exchange in a currency, and what its spread has brought in; minor units. */
export async function readHouse(
  ledger: Ledger,
  { currency }: { currency: string },
): Promise<{ liquidity: bigint; spread: bigint }> {
  const asset = assetOf(currency)
  const ids = [liquidityAccount(asset).id, spreadIncomeAccount(asset).id].map(toLedgerId)
  const accounts = await ledger.lookupAccounts(ids)
  const [liquidity = 0n, spread = 0n] = ids.map((id) => {
    const account = accounts.find((it) => it.id === id)
    return account ? account.credits_posted - account.debits_posted : 0n
  })
  return { liquidity, spread }
}

const anHourMs = 3_600_000

/** Sets a rate for an hour, at half a percent, unless told otherwise. */
export function setRate(
  operator: Client,
  pair: string,
  mid: string,
  more: Json = {},
  key?: string,
): Promise<Reply> {
  const valid_until = new Date(Date.now() + anHourMs).toISOString()
  const json = { mid, spread_basis_points: 50, source: 'test', valid_until, ...more }
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return operator.send('PUT', `/v1/exchange-rates/${pair}`, { json, headers })
}

/** A quote that is given. */
export function quoted(client: Client, input: Json): Promise<Json> {
  return must(client.post('/v1/quotes', { side: 'sell', ...input }), 201)
}

export function exchange(client: Client, { id }: Json, more: Json = {}): Promise<Reply> {
  return client.post('/v1/exchanges', { quote_id: id, ...more })
}
