/** The money of the model: what is booked, held, owed and brought in; minor units. */
import type { Currency } from './amounts.ts'
import {
  changeWallet,
  type Entry,
  type Model,
  type ModelWallet,
  type ModelWithdrawal,
  walletOf,
} from './state.ts'

/** Books an entry of a wallet; one of nothing is not seen. */
export function book(model: Model, walletId: string, entry: Entry): Model {
  if (entry.minor === 0n) return model
  const change = entry.direction === 'in' ? entry.minor : -entry.minor
  return changeWallet(model, walletId, ({ minor, entries }) => ({
    minor: minor + change,
    entries: [...entries, entry],
  }))
}

/** Books a movement between two wallets. */
export function move(model: Model, kind: string, from: string, to: string, minor: bigint): Model {
  const out = book(model, from, { kind, direction: 'out', minor })
  return book(out, to, { kind, direction: 'in', minor })
}

/** What of a wallet is reserved: by open holds, and by withdrawals that are not settled. */
export function heldOf({ holds, withdrawals }: Model, walletId: string): bigint {
  let held = 0n
  for (const hold of holds.values()) {
    if (hold.payerId === walletId && hold.state === 'open') held += hold.held
  }
  for (const withdrawal of withdrawals.values()) {
    if (withdrawal.walletId === walletId && isUnsettled(withdrawal)) {
      held += withdrawal.minor + (withdrawal.fee?.minor ?? 0n)
    }
  }
  return held
}

export const isUnsettled = ({ state }: ModelWithdrawal): boolean =>
  state === 'requested' || state === 'taken'

export function availableOf(model: Model, wallet: ModelWallet): bigint {
  return wallet.minor - heldOf(model, wallet.id)
}

export function owedOf({ owed }: Model, userId: string, currency: Currency): bigint {
  return owed.get(`${userId} ${currency}`) ?? 0n
}

export function addOwed(model: Model, userId: string, currency: Currency, minor: bigint): Model {
  const total = owedOf(model, userId, currency) + minor
  return { ...model, owed: new Map(model.owed).set(`${userId} ${currency}`, total) }
}

/** Accounts of the house, as `GET /v1/house` calls them. */
export type HouseAccount =
  | 'bank'
  | 'liquidity'
  | 'equity'
  | 'fees'
  | 'spread'
  | 'payment_systems'
  | 'rewards'
  | 'payment_system_fees'
  | 'write_offs'

export const houseOf = ({ house }: Model, account: HouseAccount, currency: Currency): bigint =>
  house.get(`${account} ${currency}`) ?? 0n

export function addHouse(
  model: Model,
  account: HouseAccount,
  currency: Currency,
  minor: bigint,
): Model {
  const total = houseOf(model, account, currency) + minor
  return { ...model, house: new Map(model.house).set(`${account} ${currency}`, total) }
}

/** What a payment system can still pay out: undefined when it has never brought anything in. */
export function capacityOf(model: Model, system: string, currency: Currency): bigint | undefined {
  const total = model.capacity.get(`${system} ${currency}`)
  if (total === undefined) return undefined
  let reserved = 0n
  for (const withdrawal of model.withdrawals.values()) {
    const isMeant = withdrawal.system === system && isUnsettled(withdrawal)
    if (isMeant && walletOf(model, withdrawal.walletId).currency === currency) {
      reserved += withdrawal.minor
    }
  }
  return total - reserved
}

export function addCapacity(
  model: Model,
  system: string,
  currency: Currency,
  minor: bigint,
): Model {
  const name = `${system} ${currency}`
  const total = (model.capacity.get(name) ?? 0n) + minor
  return { ...model, capacity: new Map(model.capacity).set(name, total) }
}
