/** The house's books of a market, held against the model's: they balance, and every total is the model's. */
import { deepStrictEqual } from 'node:assert/strict'
import type { Json } from '../http.ts'
import { type Currency, readShown, showMinor } from './amounts.ts'
import { type Account, type Place, read } from './cast.ts'
import type { Market } from './market.ts'
import { addHouse, type HouseAccount } from './money.ts'
import type { Run } from './run.ts'
import { emptyModel, type Model } from './state.ts'

/** Accounts of which there are many, added up. */
type Sum = 'clearing' | 'receivables' | 'wallets' | 'suspense'

/** What a market's books were before a run: of other people's accounts the sums. */
export interface Opening {
  house: Model['house']
  sums: ReadonlyMap<string, bigint>
}

const paths: Readonly<Record<HouseAccount | Exclude<Sum, 'clearing'>, readonly string[]>> = {
  bank: ['assets', 'bank'],
  receivables: ['assets', 'receivables'],
  wallets: ['liabilities', 'wallets'],
  suspense: ['liabilities', 'suspense'],
  liquidity: ['liabilities', 'liquidity'],
  equity: ['equity'],
  fees: ['income', 'fees'],
  spread: ['income', 'spread'],
  payment_systems: ['income', 'payment_systems'],
  rewards: ['expenses', 'rewards'],
  payment_system_fees: ['expenses', 'payment_system_fees'],
  write_offs: ['expenses', 'write_offs'],
}

const accounts = Object.keys(paths) as (keyof typeof paths)[]
const sumNames: readonly Sum[] = ['clearing', 'receivables', 'wallets', 'suspense']
const isSum = (name: string): name is Sum => (sumNames as readonly string[]).includes(name)

/** Each total of a currency in minor units; nothing of a currency in which nobody has an account. */
async function readTotals(
  place: Place,
  operator: Account,
  currency: Currency,
): Promise<Record<string, bigint>> {
  const { data } = await read(place, operator, `/v1/house?currency=${currency}`)
  const statement: Json | undefined = data[0]
  const minorOf = (shown: string | undefined) => readShown(shown ?? '0', currency)
  const clearing: { amount: string }[] = statement?.assets.clearing ?? []
  const totals = accounts.map((name) => {
    const shown = paths[name].reduce<Json>((part, step) => part?.[step], statement)
    return [name, minorOf(shown)] as const
  })
  return {
    ...Object.fromEntries(totals),
    clearing: clearing.reduce((sum, { amount }) => sum + minorOf(amount), 0n),
    difference: minorOf(statement?.difference),
  }
}

/** The books before a run. */
export async function readOpening(
  place: Place,
  operator: Account,
  { currencies }: Market,
): Promise<Opening> {
  let model = emptyModel
  const sums = new Map<string, bigint>()
  for (const currency of currencies) {
    const totals = await readTotals(place, operator, currency)
    for (const [name, minor] of Object.entries(totals)) {
      if (isSum(name)) sums.set(`${name} ${currency}`, minor)
      else if (name !== 'difference') model = addHouse(model, name as HouseAccount, currency, minor)
    }
  }
  return { house: model.house, sums }
}

/** Compares every total of both currencies. Throws where they part. */
export async function compareHouse({
  place,
  operator,
  market,
  opening,
  search,
}: Run): Promise<void> {
  const { model } = search
  for (const currency of market.currencies) {
    const totals = await readTotals(place, operator, currency)
    const show = (name: string, minor: bigint) => `${name} ${showMinor(minor, currency)}`
    const actual = Object.entries(totals).map(([name, minor]) => show(name, minor))
    const expected = Object.keys(totals).map((name) => {
      if (name === 'difference') return show(name, 0n)
      const key = `${name} ${currency}`
      if (!isSum(name)) return show(name, model.house.get(key) ?? 0n)
      return show(name, (opening.sums.get(key) ?? 0n) + sumOf(model, name, currency))
    })
    deepStrictEqual(
      actual,
      expected,
      `the house in ${currency}: ${actual}, in the model ${expected}`,
    )
  }
}

/** What the people of a run have together. */
function sumOf(model: Model, sum: Sum, currency: Currency): bigint {
  const add = (minors: Iterable<bigint>) => [...minors].reduce((total, it) => total + it, 0n)
  const ofCurrency = (amounts: ReadonlyMap<string, bigint>) =>
    [...amounts].filter(([name]) => name.endsWith(` ${currency}`)).map(([, minor]) => minor)
  if (sum === 'clearing') return add(ofCurrency(model.capacity))
  if (sum === 'receivables') return add(ofCurrency(model.owed))
  if (sum === 'wallets') {
    return add(model.wallets.filter((it) => it.currency === currency).map(({ minor }) => minor))
  }
  const suspended = [...model.deposits.values()].filter(
    (it) => it.currency === currency && it.suspense === 'open',
  )
  return add(suspended.map(({ minor }) => minor))
}
