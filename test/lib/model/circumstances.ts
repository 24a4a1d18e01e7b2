import { senderOf } from './api.ts'
import type { Circumstances, ModelRequest, Sent } from './exchange.ts'
import type { Settings } from './settings.ts'
import { type Model, walletOf } from './state.ts'

/** What else was on its way with the exchanges of a round; `model` is the one before, `settings` those after. */
export function readCircumstances(
  model: Model,
  exchanges: readonly Sent[],
  settings: Settings,
): Circumstances {
  const flickering = new Set<string>()
  const reversing = new Set<string>()
  const keys: string[] = []
  const refunded: string[] = []
  const returning = new Set<string>()
  const reverse = (walletId: string | undefined) => {
    if (walletId === undefined) return
    const { userId, currency } = walletOf(model, walletId)
    reversing.add(`${userId} ${currency}`)
  }
  for (const { request, isDoubtful } of exchanges) {
    const { kind } = request
    if (kind === 'close') flickering.add(request.wallet)
    if (isDoubtful && (kind === 'freeze' || kind === 'thaw')) flickering.add(request.wallet)
    const given = givesBack(model, request)
    if (given !== undefined) returning.add(walletOf(model, given).userId)
    if (kind === 'refund' || kind === 'reversal') refunded.push(request.id)
    if (kind === 'reversal') {
      reverse(model.deposits.get(request.id)?.walletId)
      for (const { request: other, answer } of exchanges) {
        const isAssigned = other.kind === 'assign' && other.id === request.id
        if (isAssigned && answer.code === undefined) reverse(answer.body.wallet_id)
      }
    }
    if ('key' in request && request.key !== undefined) {
      keys.push(`${senderOf(request)} ${request.key}`)
    }
  }
  return {
    flickering,
    reversing,
    refunding: repeated(refunded),
    shared: repeated(keys),
    returning,
    settings,
  }
}

/** The wallet to which a request may give back what was reserved. */
function givesBack(model: Model, request: ModelRequest): string | undefined {
  if (request.kind === 'void') return model.holds.get(request.id)?.payerId
  if (request.kind === 'cancel withdrawal' || request.kind === 'fail') {
    return model.withdrawals.get(request.id)?.walletId
  }
  return undefined
}

function repeated(names: readonly string[]): Set<string> {
  return new Set(names.filter((name, index) => names.indexOf(name) !== index))
}
