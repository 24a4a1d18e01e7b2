/** Holds: authorised by the payer, captured or given back by the payee, until they run out. */

import { canonicalAmount, readMinor, showMinor } from './amounts.ts'
import { giveBack } from './budgets.ts'
import { decide, decideAny, keyOf, standingOf, together, when } from './decide.ts'
import type { Step } from './exchange.ts'
import { feesOf, takeFee } from './fees.ts'
import { move } from './money.ts'
import { pay } from './payments.ts'
import { type Model, type ModelHold, type ModelPaid, put, walletOf } from './state.ts'
import { isPerhapsOver, readDeadline, told } from './time.ts'

const capturesMax = 100n

export const hold: Step<'hold'> = (model, exchange, circumstances) =>
  pay(model, exchange, circumstances, ({ payer, payee, minor, model: used }) => {
    const deadline = readDeadline(exchange, exchange.request.seconds)
    if (!deadline) return []
    const { id } = exchange.answer.body
    const placed: ModelHold = {
      id,
      payerId: payer.id,
      payeeId: payee.id,
      minor,
      captured: 0n,
      held: minor,
      state: 'open',
      deadline,
    }
    return [put(used, 'holds', placed)]
  })

/** Why somebody may not take from a hold. */
function refuseParty(model: Model, found: ModelHold | undefined, userId: string): string[] {
  if (!found) return ['hold_not_found']
  if (walletOf(model, found.payeeId).userId === userId) return []
  const isPayer = walletOf(model, found.payerId).userId === userId
  return [isPayer ? 'not_the_payee' : 'hold_not_found']
}

/** What is told of a hold that has run out: after a last capture in part it may just be captured. */
const overCodes = ({ deadline, captured }: ModelHold) =>
  deadline.isSplit && captured > 0n ? ['hold_expired', 'hold_captured'] : ['hold_expired']

const endCodes = (found: ModelHold): string[] =>
  ({
    open: [],
    captured: ['hold_captured'],
    voided: ['hold_voided'],
    expired: overCodes(found),
  })[found.state]

export const capture: Step<'capture'> = (model, exchange, circumstances) => {
  const { userId, id, amount, isFinal, key } = exchange.request
  const { answer, answeredAt } = exchange
  const found = model.holds.get(id)
  const canonical = amount === undefined ? null : canonicalAmount(amount)
  if (canonical === undefined) {
    return when(answer.code === 'amount_malformed', model)
  }
  const keyed = keyOf(userId, key, 'capture', id, canonical, isFinal)
  const refused = refuseParty(model, found, userId)
  if (refused.length > 0 || !found) return when(refused.includes(answer.code ?? ''), model)

  const known = keyed && model.remembered.get(keyed.name)
  const mayBeOver = found.state === 'open' && isPerhapsOver(found.deadline, answeredAt)
  if (known?.id === undefined && mayBeOver && overCodes(found).includes(answer.code ?? '')) {
    return [put(model, 'holds', { ...found, deadline: told(found.deadline) })]
  }
  const minor =
    amount === undefined ? found.held : readMinor(amount, walletOf(model, found.payerId).currency)
  const isOpen = found.state === 'open'
  const ended = isOpen && found.deadline.isTold ? ['hold_expired'] : endCodes(found)
  const ofAmount = isOpen ? refuseAmount(found, minor, isFinal) : []
  // The ledger has told that it is over, a process by its own clock may look at the amount first.
  const refusals = [...ended, ...ofAmount]
  const why = together(
    standingOf(walletOf(model, found.payerId), circumstances, 'payer_closed'),
    standingOf(walletOf(model, found.payeeId), circumstances, 'wallet_closed'),
  )
  const { currency } = walletOf(model, found.payerId)
  const captured = typeof minor === 'bigint' ? minor : 0n
  const charged = { operation: 'capture', currency, minor: captured } as const
  const decisions = feesOf(exchange, circumstances, charged).map((fee) => ({
    ...why,
    refusals,
    happens() {
      const isRight = answer.body.amount === showMinor(captured, currency)
      return when(
        isRight,
        take(model, found, { id: answer.body.id, minor: captured, isFinal, fee }),
      )
    },
  }))
  return decideAny(model, exchange, circumstances, keyed, decisions)
}

function take(
  model: Model,
  found: ModelHold,
  { id, minor, isFinal, fee }: Pick<ModelPaid, 'id' | 'minor' | 'fee'> & { isFinal: boolean },
): Model {
  const { payerId, payeeId } = found
  const rest = isFinal ? 0n : found.held - minor
  const left: ModelHold = {
    ...found,
    captured: found.captured + minor,
    held: rest,
    state: rest > 0n ? 'open' : 'captured',
    deadline: { ...found.deadline, isSplit: found.deadline.isSplit || rest > 0n },
  }
  const paid = { id, payerId, payeeId, minor, refunded: 0n, fee }
  const ended = put(put(model, 'holds', left), 'paid', paid)
  return takeFee(move(ended, 'hold', payerId, payeeId, minor), fee, { recipient: payeeId })
}

/** The payee gives everything back that is still held. */
export const release: Step<'void'> = (model, exchange, circumstances) => {
  const { userId, id } = exchange.request
  const { code } = exchange.answer
  const found = model.holds.get(id)
  const refused = refuseParty(model, found, userId)
  if (refused.length > 0 || !found) return when(refused.includes(code ?? ''), model)
  if (found.state === 'voided') return when(code === undefined, model)
  const isOpen = found.state === 'open'
  const mayBeOver = isOpen && isPerhapsOver(found.deadline, exchange.answeredAt)
  if (mayBeOver && overCodes(found).includes(code ?? '')) {
    return [put(model, 'holds', { ...found, deadline: told(found.deadline) })]
  }
  const refusals = isOpen && found.deadline.isTold ? ['hold_expired'] : endCodes(found)
  const happens = () => {
    const voided = put(model, 'holds', { ...found, held: 0n, state: 'voided' as const })
    return [found.captured > 0n ? voided : giveBack(voided, id)]
  }
  return decide(model, exchange, circumstances, { refusals, happens })
}

function refuseAmount(found: ModelHold, minor: bigint | string, isFinal: boolean): string[] {
  if (typeof minor === 'string') return [minor]
  if (minor > found.held) return ['capture_too_large']
  const least = (found.minor + capturesMax - 1n) / capturesMax
  return !isFinal && minor < found.held && minor < least ? ['capture_too_small'] : []
}
