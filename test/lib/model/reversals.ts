/** Charge-backs: a payment system takes a deposit back, and what the wallet lacks is owed. */
import { canonicalAmount, readMinor, showMinor } from './amounts.ts'
import { when } from './decide.ts'
import { leave } from './deposits.ts'
import type { Exchange, RequestOf, Step } from './exchange.ts'
import { addCapacity, addOwed, availableOf, book, capacityOf } from './money.ts'
import { type Model, type ModelDeposit, put, remember, walletOf } from './state.ts'

export const reversal: Step<'reversal'> = (model, exchange, { refunding }) => {
  const { system, id, amount, reference } = exchange.request
  const { code, body, isReplay } = exchange.answer
  const found = model.deposits.get(id)
  if (!found || found.system !== system) return when(code === 'deposit_not_found', model)
  const canonical = amount === undefined ? null : canonicalAmount(amount)
  if (canonical === undefined) return when(code === 'amount_malformed', model)

  const name = `${system} reversal ${reference}`
  const input = JSON.stringify([id, canonical])
  const known = model.remembered.get(name)
  if (known?.id !== undefined) {
    if (known.input !== input) return when(code === 'reference_reused', model)
    return when(code === undefined && body.id === known.id && isReplay, model)
  }
  const left = found.minor - found.reversed
  const minor = amount === undefined ? left : readMinor(amount, found.currency)
  if (typeof minor === 'string') return when(code === minor, model)
  const reasons = refuse(model, found, minor, refunding.has(id))
  if (reasons.length > 0) return when(code !== undefined && reasons.includes(code), model)
  if (code !== undefined || (isReplay && !exchange.isDoubtful)) return []
  return takeBack(remember(model, name, { input, id: body.id }), found, minor, exchange)
}

/** Why so much of a deposit cannot be taken back. */
function refuse(model: Model, found: ModelDeposit, minor: bigint, isRaced: boolean): string[] {
  if (found.suspense === 'returned' || found.suspense === 'paid_out') {
    // Another reversal may have taken it after it was seen to be there.
    return [`suspense_${found.suspense}`, ...(isRaced ? ['reversal_too_large'] : [])]
  }
  const left = found.minor - found.reversed
  if (found.suspense === 'open' && minor < found.minor) return ['deposit_in_suspense']
  const capacity = capacityOf(model, found.system, found.currency) ?? 0n
  return [
    ...(minor > left || minor === 0n ? ['reversal_too_large'] : []),
    ...(minor > capacity ? ['payout_capacity_exceeded'] : []),
  ]
}

function takeBack(
  model: Model,
  found: ModelDeposit,
  minor: bigint,
  { answer: { body } }: Exchange<RequestOf<'reversal'>>,
): Model[] {
  const { system, currency, walletId } = found
  const isTold = (from: bigint, owed: bigint) =>
    body.amount === showMinor(minor, currency) &&
    body.from_wallet === showMinor(from, currency) &&
    body.owed === showMinor(owed, currency)
  const reversed = { ...found, reversed: found.reversed + minor }
  if (walletId === undefined) return when(isTold(0n, 0n), leave(model, reversed))
  const wallet = walletOf(model, walletId)
  const available = availableOf(model, wallet)
  const given = available < minor ? available : minor
  const entry = { kind: 'chargeback_payment', direction: 'out', minor: given } as const
  const taken = addCapacity(put(model, 'deposits', reversed), system, currency, -minor)
  const owing = addOwed(taken, wallet.userId, currency, minor - given)
  return when(isTold(given, minor - given), book(owing, walletId, entry))
}
