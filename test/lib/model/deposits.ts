/** Money that payment systems bring in: into a wallet, where it pays first what is owed, or suspense. */
import { readMinor } from './amounts.ts'
import { type Spending, spend, unlimited } from './budgets.ts'
import { standingOf, when } from './decide.ts'
import type { Circumstances, Exchange, RequestOf, Step } from './exchange.ts'
import { feesOf, takeFee } from './fees.ts'
import { addCapacity, addOwed, book, capacityOf, owedOf } from './money.ts'
import {
  findWallet,
  type Model,
  type ModelDeposit,
  type ModelFee,
  type ModelWallet,
  put,
  remember,
} from './state.ts'

export const deposit: Step<'deposit'> = (model, exchange, circumstances) => {
  const { system, wallet: named, amount, currency, reference } = exchange.request
  const { code, body, isReplay } = exchange.answer
  const minor = readMinor(amount, currency)
  const wallet = findWallet(model, named)
  const name = `${system} deposit ${reference}`
  const input = [wallet?.id ?? named, currency, minor].join()
  const before = model.remembered.get(name)
  if (before?.id !== undefined) {
    if (before.input !== input) return when(code === 'reference_reused', model)
    return when(code === undefined && body.id === before.id && isReplay, model)
  }
  if (typeof minor === 'string') return when(code === minor, model)
  if (isReplay && !exchange.isDoubtful) return []
  const spender = { userId: system, kind: 'payment_system', currency, minor } as const
  const isFitting = wallet?.currency === currency
  const spendings = isFitting ? spend(model, exchange, circumstances, spender) : [unlimited(model)]
  const known = { name, input, id: body.id }
  return spendings.flatMap((spending) => {
    return enter(exchange, circumstances, wallet, minor, spending, known)
  })
}

/** A deposit goes into the wallet, or into suspense: always when it is more than may be brought in. */
function enter(
  exchange: Exchange<RequestOf<'deposit'>>,
  circumstances: Circumstances,
  wallet: ModelWallet | undefined,
  minor: bigint,
  { model, declines, perhaps, use }: Spending,
  { name, input, id }: { name: string; input: string; id: string },
): Model[] {
  const { system, currency, isForSuspense } = exchange.request
  const { code, body } = exchange.answer
  const isTooMuch = declines.length > 0
  const mayBeTooMuch = isTooMuch || perhaps.length > 0
  const { reasons, isPossible } = judge(wallet, currency, circumstances)
  if (code !== undefined) {
    return when(!isForSuspense && !isTooMuch && reasons.includes(code), model)
  }
  const entered = remember(addCapacity(model, system, currency, minor), name, { input, id })
  const made: ModelDeposit = { id, system, currency, minor, reversed: 0n, fee: undefined }
  if (body.suspense !== undefined) {
    const isRight = mayBeTooMuch || (isForSuspense && reasons.length > 0)
    return when(isRight, put(entered, 'deposits', { ...made, suspense: 'open' }))
  }
  if (!wallet || !isPossible || isTooMuch) return []
  const charged = { operation: 'deposit', currency, minor } as const
  return feesOf(exchange, circumstances, charged).flatMap((fee) => {
    const placed = put(use(entered, id), 'deposits', { ...made, walletId: wallet.id, fee })
    return credit(placed, wallet, { kind: 'deposit', minor, fee }, circumstances)
  })
}

/** Why a wallet cannot be credited, and whether it can. */
function judge(
  wallet: ModelWallet | undefined,
  currency: string,
  circumstances: Circumstances,
): { reasons: readonly string[]; isPossible: boolean } {
  if (!wallet) return { reasons: ['wallet_not_found'], isPossible: false }
  if (wallet.currency !== currency) return { reasons: ['currency_mismatch'], isPossible: false }
  const { declines = [], perhaps = [] } = standingOf(wallet, circumstances, 'recipient_closed')
  return { reasons: [...declines, ...perhaps], isPossible: declines.length === 0 }
}

/**
 * Credits a wallet, which pays the fee, and then what its owner owes. What comes to be owed while the
 * money is coming in is paid by the next money.
 */
function credit(
  model: Model,
  { id, userId, currency }: ModelWallet,
  { kind, minor, fee }: { kind: string; minor: bigint; fee?: ModelFee | undefined },
  { reversing }: Circumstances,
): Model[] {
  const entered = book(model, id, { kind, direction: 'in', minor })
  const credited = takeFee(entered, fee, { recipient: id })
  const owed = owedOf(model, userId, currency)
  const left = minor - (fee?.minor ?? 0n)
  const part = owed < left ? owed : left
  if (part === 0n) return [credited]
  const entry = { kind: 'chargeback_payment', direction: 'out', minor: part } as const
  const paid = addOwed(book(credited, id, entry), userId, currency, -part)
  return reversing.has(`${userId} ${currency}`) ? [paid, credited] : [paid]
}

/** An operator has found out whose money in suspense is. */
export const assign: Step<'assign'> = (model, exchange, circumstances) => {
  const { id, wallet: named } = exchange.request
  const { code } = exchange.answer
  const wallet = findWallet(model, named)
  if (!wallet) return when(code === 'wallet_not_found', model)
  const found = model.deposits.get(id)
  const answered = answerSettled(model, found, exchange, ({ walletId }) => walletId === wallet.id)
  if (answered || !found) return answered ?? []
  const { reasons, isPossible } = judge(wallet, found.currency, circumstances)
  if (code !== undefined) return when(reasons.includes(code), model)
  if (!isPossible) return []
  const assigned = { ...found, walletId: wallet.id, suspense: 'assigned' as const }
  const placed = put(model, 'deposits', assigned)
  const assignment = { kind: 'suspense_assignment', minor: found.minor }
  return credit(placed, wallet, assignment, circumstances)
}

/** An operator sends money in suspense back to where it came from. */
export const giveBack: Step<'return'> = (model, exchange) => {
  const { code } = exchange.answer
  const found = model.deposits.get(exchange.request.id)
  const answered = answerSettled(model, found, exchange, (it) => it.suspense === 'returned')
  if (answered || !found) return answered ?? []
  const { system, currency, minor } = found
  const capacity = capacityOf(model, system, currency) ?? 0n
  if (minor > capacity) return when(code === 'payout_capacity_exceeded', model)
  return when(code === undefined, leave(model, found))
}

/** Money in suspense has gone back. */
export function leave(model: Model, found: ModelDeposit): Model {
  const returned = put(model, 'deposits', { ...found, suspense: 'returned' })
  return addCapacity(returned, found.system, found.currency, -found.minor)
}

/** The answer for what is not in suspense, or not any more; undefined while it is. */
function answerSettled(
  model: Model,
  found: ModelDeposit | undefined,
  { answer: { code } }: Exchange,
  isWanted: (found: ModelDeposit) => boolean,
): Model[] | undefined {
  if (!found?.suspense) return when(code === 'suspense_not_found', model)
  if (found.suspense === 'open') return undefined
  return when(code === (isWanted(found) ? undefined : `suspense_${found.suspense}`), model)
}
