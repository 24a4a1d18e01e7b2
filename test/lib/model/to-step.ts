/** Requests about things that there are: holds, deposits, payment requests, withdrawals. */
import {
  actor,
  at,
  type Cast,
  type DraftOf,
  isOpen,
  nameOf,
  nobody,
  ownWallet,
  pick,
  toKey,
  toReference,
} from './choose.ts'
import type { ModelRequest } from './exchange.ts'
import { isUnsettled } from './money.ts'
import { walletOf } from './state.ts'

export function toDepositStep(
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

export function toHoldStep(
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

export function toRequestStep(
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

export function toWithdrawalStep(
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
