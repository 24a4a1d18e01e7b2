/** Makes a draft a request about the people and things that there are. */

import type { Currency } from './amounts.ts'
import {
  actor,
  at,
  type Cast,
  currencyOf,
  type DraftOf,
  isOpen,
  nameOf,
  nobody,
  ownWallet,
  pick,
  toKey,
  toReference,
} from './choose.ts'
import type { Draft } from './drafts.ts'
import type { ModelRequest, PayTerms } from './exchange.ts'
import { bearers, refundable } from './fees.ts'
import { findWallet, walletOf } from './state.ts'
import { toDepositStep, toHoldStep, toRequestStep, toWithdrawalStep } from './to-step.ts'

/** The request that a draft stands for; undefined when there is nothing that it could be about. */
export function toRequest(cast: Cast, draft: Draft): ModelRequest | undefined {
  const { model, users, requests, prefix } = cast
  switch (draft.kind) {
    case 'again':
      return requests.length === 0 ? undefined : at(requests.toReversed(), draft.request)
    case 'transfer':
    case 'hold':
      return toPay(cast, draft)
    case 'batch': {
      const { kind, atomic, items } = draft
      const userId = at(users, draft.user).id
      const payments = items.map((item) => toPayment(cast, userId, item))
      return { kind, userId, atomic, items: payments, key: toKey(cast, draft.key) }
    }
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
    case 'schedule': {
      const { operation, schedule } = draft
      const currency = at(cast.currencies, draft.currency)
      const bearer = bearers[operation] ?? schedule.bearer
      const refund = refundable.includes(operation) ? schedule.refund : ('none' as const)
      const key = toKey(cast, draft.key)
      const wanted = { ...schedule, bearer, refund }
      return { kind: draft.kind, operation, currency, schedule: wanted, key }
    }
    case 'adjustment':
      return toAdjustment(cast, draft)
    case 'limit': {
      const isSystem = draft.ofSystem === 0
      const userId = isSystem ? at(cast.systems, draft.whose) : at(users, draft.whose).id
      const limited = isSystem ? 'payment_system' : 'person'
      const { kind, window, amount } = draft
      const currency = at(cast.currencies, draft.currency)
      return { kind, userId, limited, currency, window, amount, key: cast.freshKey() }
    }
    case 'default limit': {
      const { kind, limited, window, amount } = draft
      const currency = at(cast.currencies, draft.currency)
      return { kind, limited, currency, window, amount, key: cast.freshKey() }
    }
    case 'rate': {
      const { mid, spreadBasisPoints, isReverse, seconds } = draft
      const [cents, pieces] = cast.currencies as [Currency, Currency]
      const [base, quote] = isReverse ? [pieces, cents] : [cents, pieces]
      const validUntil = Date.now() + seconds * 1_000
      return {
        kind: draft.kind,
        rate: { base, quote, mid, spreadBasisPoints, validUntil },
        key: cast.freshKey(),
      }
    }
    case 'quote': {
      const { amount, side, seconds, currency } = draft
      const userId = at(users, draft.user).id
      const [from, to] = [at(cast.currencies, currency), at(cast.currencies, currency + 1)]
      return { kind: draft.kind, userId, from, to, amount, side, seconds }
    }
    case 'exchange':
    case 'pay by quote':
      return toExchange(cast, draft)
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

function toPay(cast: Cast, draft: DraftOf<'transfer'> | DraftOf<'hold'>): ModelRequest {
  const { id: userId } = at(cast.users, draft.user)
  const terms = { userId, ...toPayment(cast, userId, draft), key: toKey(cast, draft.key) }
  if (draft.kind === 'transfer') return { kind: draft.kind, ...terms }
  return { kind: draft.kind, seconds: draft.seconds, ...terms }
}

type Drafted = Pick<DraftOf<'transfer'>, 'from' | 'to' | 'amount' | 'currency' | 'memo'>

function toPayment(cast: Cast, userId: string, { from, to, amount, currency, memo }: Drafted) {
  const paying = from && nameFrom(cast, userId, from)
  const payingIn = paying && findWallet(cast.model, paying)?.currency
  return {
    from: paying,
    to: toRecipient(cast, userId, to, payingIn),
    amount,
    currency: currencyOf(cast, currency),
    memo,
  }
}

/** Whom a draft names; when it is somebody else, mostly a wallet of this currency. */
function toRecipient(
  { model, users }: Cast,
  userId: string,
  to: DraftOf<'transfer'>['to'],
  currency: Currency | undefined,
): PayTerms['to'] {
  if ('nobody' in to) return { wallet: nobody }
  if ('wallet' in to) return { wallet: nameOf(at(model.wallets, to.wallet), to.byNumber) }
  if ('user' in to) {
    const { id, username } = at(users, to.user)
    return { username, userId: id }
  }
  const others = model.wallets.filter((it) => it.userId !== userId)
  const fitting = others.filter((it) => currency === undefined || it.currency === currency)
  return { wallet: nameOf(at(fitting.length > 0 ? fitting : others, to.other), to.byNumber) }
}

/** What is done by a quote, mostly one's own and by wallets that fit. */
function toExchange(
  cast: Cast,
  draft: DraftOf<'exchange'> | DraftOf<'pay by quote'>,
): ModelRequest | undefined {
  const found = pick(cast.model.quotes, draft.id, isOpen)
  if (!found) return undefined
  const { id: quoteId } = found
  const userId = actor(cast, draft.stranger, found.userId)
  const own = (of: Currency, named: { own: number; byNumber: boolean } | undefined) => {
    if (named) return ownWallet(cast, userId, named)
    const wallets = cast.model.wallets.filter(
      (it) => it.userId === userId && it.currency === of && it.state !== 'closed',
    )
    return wallets.length > 1 ? wallets[0]!.id : undefined
  }
  const from = own(found.from, draft.from)
  if (draft.kind === 'exchange') {
    return { kind: draft.kind, userId, quoteId, from, to: own(found.to, draft.to) }
  }
  return {
    kind: draft.kind,
    userId,
    quoteId,
    from,
    to: toRecipient(cast, userId, draft.to, found.to),
  }
}

/** What an adjustment concerns besides the house depends on its kind. */
function toAdjustment(cast: Cast, draft: DraftOf<'adjustment'>): ModelRequest | undefined {
  const { model, users, systems } = cast
  const { kind, adjustment, amount } = draft
  const currency = at(cast.currencies, draft.currency)
  const base = { kind, adjustment, currency, amount, key: toKey(cast, draft.key) }
  switch (adjustment) {
    case 'settlement':
    case 'prefunding':
    case 'payment_system_fee':
    case 'payment_system_income':
      return { ...base, system: at(systems, draft.system) }
    case 'write_off':
      return { ...base, userId: at(users, draft.wallet.wallet).id }
    case 'reward': {
      const wallet = at(model.wallets, draft.wallet.wallet)
      return { ...base, currency: wallet.currency, wallet: nameOf(wallet, draft.wallet.byNumber) }
    }
    case 'suspense_payout': {
      const found = pick(model.deposits, draft.id, ({ suspense }) => suspense === 'open')
      return found && { ...base, deposit: found.id }
    }
    default:
      return base
  }
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
    currency: currencyOf(cast, draft.currency) ?? wallet?.currency ?? at(cast.currencies, 0),
    reference: toReference(cast, draft.reference),
    isForSuspense,
  }
}
