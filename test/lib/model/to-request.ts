/** Makes a draft a request about the people and things that there are. */

import {
  actor,
  at,
  type Cast,
  currencyOf,
  type DraftOf,
  nameOf,
  nobody,
  ownWallet,
  pick,
  toKey,
  toReference,
} from './choose.ts'
import type { Draft } from './drafts.ts'
import type { ModelRequest } from './exchange.ts'
import { bearers } from './fees.ts'
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
      const key = toKey(cast, draft.key)
      return { kind: draft.kind, operation, currency, schedule: { ...schedule, bearer }, key }
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
    currency: currencyOf(cast, currency),
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
    currency: currencyOf(cast, draft.currency) ?? wallet?.currency ?? at(cast.currencies, 0),
    reference: toReference(cast, draft.reference),
    isForSuspense,
  }
}
