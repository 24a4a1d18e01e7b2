/** People and things to choose from, and how a draft's numbers choose. */

import type { Currency } from './amounts.ts'
import type { Draft } from './drafts.ts'
import type { ModelRequest } from './exchange.ts'
import type { Deadline, Model, ModelWallet } from './state.ts'

/** Whom and what requests can be about, and names that nobody else uses. */
export interface Cast {
  model: Model
  users: readonly { id: string; username: string }[]
  systems: readonly string[]
  currencies: readonly Currency[]
  /** Requests so far. */
  requests: readonly ModelRequest[]
  /** Prefix of keys and references. */
  prefix: string
  /** Without a key nothing is promised for a retry. */
  alwaysKeyed: boolean
  freshKey(): string
}

/** An id that no wallet has. */
export const nobody = '019363a0-0000-7000-8000-00000000000f'

export const at = <T>(list: readonly T[], position: number): T => {
  const found = list[position % list.length]
  if (found === undefined) throw new Error('an empty list')
  return found
}

/** The currency that a draft names, if it names one. */
export const currencyOf = (
  { currencies }: Cast,
  drawn: number | undefined,
): Currency | undefined => (drawn === undefined ? undefined : at(currencies, drawn))

export const nameOf = ({ id, number }: ModelWallet, byNumber: boolean) => (byNumber ? number : id)

/** Positions up to this choose among what is open, the others among all. */
const openMax = 24

export function pick<T>(
  things: ReadonlyMap<string, T>,
  position: number,
  isOpen: (thing: T) => boolean,
): T | undefined {
  const all = [...things.values()].reverse()
  const open = position <= openMax ? all.filter(isOpen) : all
  return open.length === 0 ? undefined : at(open, position)
}

/** So long after its deadline something may still be tried. */
const lateMs = 200

export const isOpen = ({ state, deadline }: { state: string; deadline: Deadline }): boolean =>
  state === 'open' && Date.now() < deadline.at + lateMs

export type DraftOf<Kind extends Draft['kind']> = Extract<Draft, { kind: Kind }>

export const actor = ({ users }: Cast, stranger: number | undefined, entitled: string): string =>
  stranger === undefined ? entitled : at(users, stranger).id

export function toKey(cast: Cast, key: DraftOf<'transfer'>['key']): string | undefined {
  if (typeof key === 'number') return `${cast.prefix} ${key}`
  return key === 'fresh' || cast.alwaysKeyed ? cast.freshKey() : undefined
}

export function ownWallet(
  { model }: Cast,
  userId: string,
  { own, byNumber }: { own: number; byNumber: boolean },
): string {
  const wallets = model.wallets.filter((wallet) => wallet.userId === userId)
  return nameOf(at(wallets, own), byNumber)
}

/** References below this are used again and again, the others once. */
const sharedMax = 12

export const toReference = (cast: Cast, reference: number): string =>
  reference < sharedMax ? `${cast.prefix} ${reference}` : cast.freshKey()
