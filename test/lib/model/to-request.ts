/** Makes a draft a request about the people and things that there are. */
import type { Draft } from './drafts.ts'
import type { ModelRequest } from './exchange.ts'
import {
  type Deadline,
  findWallet,
  isUnsettled,
  type Model,
  type ModelWallet,
  walletOf,
} from './state.ts'

/** Whom and what requests can be about, and names that nobody else uses. */
export interface Cast {
  model: Model
  users: readonly { id: string; username: string }[]
  systems: readonly string[]
  /** Requests so far. */
  requests: readonly ModelRequest[]
  /** Prefix of keys and references. */
  prefix: string
  /** Without a key nothing is promised for a retry. */
  alwaysKeyed: boolean
  freshKey(): string
}

/** An id that no wallet has. */
const nobody = '019363a0-0000-7000-8000-00000000000f'

const at = <T>(list: readonly T[], position: number): T => {
  const found = list[position % list.length]
  if (found === undefined) throw new Error('an empty list')
  return found
}

const nameOf = ({ id, number }: ModelWallet, byNumber: boolean) => (byNumber ? number : id)

/** Positions up to this choose among what is open, the others among all. */
const openMax = 24

function pick<T>(
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

const isOpen = ({ state, deadline }: { state: string; deadline: Deadline }): boolean =>
  state === 'open' && Date.now() < deadline.at + lateMs

type DraftOf<Kind extends Draft['kind']> = Extract<Draft, { kind: Kind }>

/** The request that a draft stands for; undefined when there is nothing that it could be about. */
export function toRequest(cast: Cast, draft: Draft): ModelRequest | undefined {
  const { model, users, requests, prefix } = cast
  switch (draft.kind) {
    case 'again':
      return requests.length === 0 ? undefined : at(requests.toReversed(), draft.request)
    case 'transfer':
    case 'hold':
      return toPay(cast, draft)
    case 'deposit':
      return toDeposit(cast, draft)
    case 'request': {
      const { amount, seconds } = draft
      const userId = at(users, draft.user).id
      const wallet = ownWallet(cast, userId, draft.to)
      const others = users.filter(({ id }) => id !== userId)
      const { payer: who } = draft
      const payer = 'other' in who ? at(others, who.other) : at(users, who.user)
      return {
        kind: draft.kind,
        userId,
        payer: payer.username,
        wallet,
        amount,
        seconds,
        key: toKey(cast, draft.key),
      }
    }
    case 'withdrawal': {
      const userId = at(users, draft.user).id
      const wallet = ownWallet(cast, userId, draft.from)
      const system = at(cast.systems, draft.system)
      return {
        kind: draft.kind,
        userId,
        wallet,
        system,
        amount: draft.amount,
        key: toKey(cast, draft.key),
      }
    }
    case 'block':
    case 'unblock': {
      const { username } = at(users, draft.other)
      return { kind: draft.kind, userId: at(users, draft.user).id, username }
    }
    case 'freeze':
      return { kind: draft.kind, wallet: at(model.wallets, draft.wallet).id }
    case 'thaw': {
      const frozen = model.wallets.filter(({ state }) => state === 'frozen')
      const wallets = frozen.length > 0 ? frozen : model.wallets
      return { kind: draft.kind, wallet: at(wallets, draft.wallet).id }
    }
    case 'close': {
      const { id, userId } = at(model.wallets, draft.wallet)
      return { kind: draft.kind, wallet: id, userId: actor(cast, draft.stranger, userId) }
    }
    case 'capture':
    case 'void':
      return toHoldStep(cast, draft)
    case 'reversal':
    case 'assign':
    case 'return':
      return toDepositStep(cast, draft)
    case 'refund': {
      const paid = pick(model.paid, draft.id, ({ minor, refunded }) => refunded < minor)
      if (!paid) return undefined
      const { userId: payee } = walletOf(model, paid.payeeId)
      const userId = draft.byOperator === 0 ? undefined : actor(cast, draft.stranger, payee)
      return {
        kind: draft.kind,
        id: paid.id,
        userId,
        amount: draft.amount,
        key: toKey(cast, draft.key),
      }
    }
    case 'accept':
    case 'decline':
    case 'cancel':
      return toRequestStep(cast, draft)
    case 'cancel withdrawal':
    case 'take':
    case 'confirm':
    case 'fail':
      return toWithdrawalStep(cast, draft, prefix)
    default:
      throw draft satisfies never
  }
}

const actor = ({ users }: Cast, stranger: number | undefined, entitled: string): string =>
  stranger === undefined ? entitled : at(users, stranger).id

function toKey(cast: Cast, key: DraftOf<'transfer'>['key']): string | undefined {
  if (typeof key === 'number') return `${cast.prefix} ${key}`
  return key === 'fresh' || cast.alwaysKeyed ? cast.freshKey() : undefined
}

function ownWallet(
  { model }: Cast,
  userId: string,
  { own, byNumber }: { own: number; byNumber: boolean },
): string {
  const wallets = model.wallets.filter((wallet) => wallet.userId === userId)
  return nameOf(at(wallets, own), byNumber)
}

function toPay(cast: Cast, draft: DraftOf<'transfer'> | DraftOf<'hold'>): ModelRequest {
  const { model, users } = cast
  const { from, to, amount, currency, memo } = draft
  const { id: userId } = at(users, draft.user)
  const payee = 'user' in to ? at(users, to.user) : undefined
  const paying = from && nameFrom(cast, userId, from)
  let wallet = nobody
  if ('wallet' in to) wallet = nameOf(at(model.wallets, to.wallet), to.byNumber)
  if ('other' in to) {
    const others = model.wallets.filter((it) => it.userId !== userId)
    const currency = paying && findWallet(model, paying)?.currency
    const fitting = others.filter((it) => currency === undefined || it.currency === currency)
    wallet = nameOf(at(fitting.length > 0 ? fitting : others, to.other), to.byNumber)
  }
  const terms = {
    userId,
    from: paying,
    to: payee ? { username: payee.username, userId: payee.id } : { wallet },
    amount,
    currency,
    memo,
    key: toKey(cast, draft.key),
  }
  if (draft.kind === 'transfer') return { kind: draft.kind, ...terms }
  return { kind: draft.kind, seconds: draft.seconds, ...terms }
}

function nameFrom(
  cast: Cast,
  userId: string,
  from: NonNullable<DraftOf<'transfer'>['from']>,
): string {
  if ('own' in from) return ownWallet(cast, userId, from)
  return nameOf(at(cast.model.wallets, from.wallet), from.byNumber)
}

function toDeposit(cast: Cast, draft: DraftOf<'deposit'>): ModelRequest {
  const { to, amount, isForSuspense } = draft
  const wallet = 'wallet' in to ? at(cast.model.wallets, to.wallet) : undefined
  return {
    kind: draft.kind,
    system: at(cast.systems, draft.system),
    wallet: wallet && 'wallet' in to ? nameOf(wallet, to.byNumber) : nobody,
    amount,
    currency: draft.currency ?? wallet?.currency ?? 'USD',
    reference: toReference(cast, draft.reference),
    isForSuspense,
  }
}

/** References below this are used again and again, the others once. */
const sharedMax = 12

const toReference = (cast: Cast, reference: number): string =>
  reference < sharedMax ? `${cast.prefix} ${reference}` : cast.freshKey()

function toDepositStep(
  cast: Cast,
  draft: DraftOf<'reversal'> | DraftOf<'assign'> | DraftOf<'return'>,
): ModelRequest | undefined {
  const { model, systems } = cast
  const isReversal = draft.kind === 'reversal'
  const found = pick(model.deposits, draft.id, ({ minor, reversed, suspense }) =>
    isReversal ? reversed < minor && suspense !== 'returned' : suspense === 'open',
  )
  if (!found) return undefined
  const { id } = found
  if (isReversal) {
    const system = draft.system === undefined ? found.system : at(systems, draft.system)
    const reference = toReference(cast, draft.reference)
    return { kind: draft.kind, id, system, amount: draft.amount, reference }
  }
  if (draft.kind === 'return') return { kind: draft.kind, id }
  const { to } = draft
  const wallet = 'wallet' in to ? nameOf(at(model.wallets, to.wallet), to.byNumber) : nobody
  return { kind: draft.kind, id, wallet }
}

function toHoldStep(
  cast: Cast,
  draft: DraftOf<'capture'> | DraftOf<'void'>,
): ModelRequest | undefined {
  const { model } = cast
  const found = pick(model.holds, draft.id, isOpen)
  if (!found) return undefined
  const { id, payeeId } = found
  const userId = actor(cast, draft.stranger, walletOf(model, payeeId).userId)
  if (draft.kind === 'void') return { kind: draft.kind, id, userId }
  const { amount, isFinal } = draft
  return { kind: draft.kind, id, userId, amount, isFinal, key: toKey(cast, draft.key) }
}

function toRequestStep(
  cast: Cast,
  draft: DraftOf<'accept'> | DraftOf<'decline'> | DraftOf<'cancel'>,
): ModelRequest | undefined {
  const { model } = cast
  const found = pick(model.requests, draft.id, isOpen)
  if (!found) return undefined
  const { id, payerId, requesterId } = found
  const entitled = draft.kind === 'cancel' ? requesterId : payerId
  const userId = actor(cast, draft.stranger, entitled)
  if (draft.kind !== 'accept') return { kind: draft.kind, id, userId }
  const from = draft.from && ownWallet(cast, userId, draft.from)
  return { kind: draft.kind, id, userId, from }
}

function toWithdrawalStep(
  cast: Cast,
  draft: DraftOf<'cancel withdrawal'> | DraftOf<'take'> | DraftOf<'confirm'> | DraftOf<'fail'>,
  prefix: string,
): ModelRequest | undefined {
  const { model, systems } = cast
  const found = pick(model.withdrawals, draft.id, isUnsettled)
  if (!found) return undefined
  const { id } = found
  if (draft.kind === 'cancel withdrawal') {
    const userId = actor(cast, draft.stranger, walletOf(model, found.walletId).userId)
    return { kind: draft.kind, id, userId }
  }
  const system = draft.system === undefined ? found.system : at(systems, draft.system)
  if (draft.kind === 'take')
    return { kind: draft.kind, id, system, key: `${prefix} take ${draft.key}` }
  return { kind: draft.kind, id, system, told: draft.told }
}
