/** What was paid is given back, in parts that are together never more than it was. */
import { canonicalAmount, readMinor, showMinor } from './amounts.ts'
import { type Decision, decide, keyOf, standingOf, together, when } from './decide.ts'
import type { Step } from './exchange.ts'
import { certainFees, givenBack } from './fees.ts'
import { addHouse, availableOf, book, move } from './money.ts'
import { type ModelFee, put, walletOf } from './state.ts'

/** By the payee, or by an operator, who is not a user here. */
export const refund: Step<'refund'> = (model, exchange, circumstances) => {
  const { userId, id, amount, key } = exchange.request
  const { answer } = exchange
  const canonical = amount === undefined ? null : canonicalAmount(amount)
  if (canonical === undefined) return when(answer.code === 'amount_malformed', model)
  const paid = model.paid.get(id)
  if (!paid) return when(answer.code === 'transfer_not_found', model)
  const payee = walletOf(model, paid.payeeId)
  const payer = walletOf(model, paid.payerId)
  if (userId !== undefined && payee.userId !== userId) {
    const code = payer.userId === userId ? 'not_the_payee' : 'transfer_not_found'
    return when(answer.code === code, model)
  }
  const { currency } = payee
  const left = paid.minor - paid.refunded
  const minor = amount === undefined ? left : readMinor(amount, currency)
  const refusals = typeof minor === 'string' ? [minor] : []
  const asked = typeof minor === 'string' ? 0n : minor
  const fees = certainFees(paid.fee)
  // As long as nothing would go back in any case, they are not told apart.
  const isTold = fees.some((fee) => givenBack(fee, asked, paid.minor) > 0n)
  const refundWith = (fee: ModelFee | undefined) => {
    const feeBack = givenBack(fee, asked, paid.minor)
    const bearer = fee?.bearer === 'sender' ? payer : payee
    const available = availableOf(model, payee) + (bearer.id === payee.id ? feeBack : 0n)
    const isTooLarge = asked > left || asked === 0n
    const lacking: Decision['declines'] = [
      ...(isTooLarge ? ['refund_too_large'] : []),
      ...(asked > available ? ['insufficient_funds'] : []),
      ...(asked === 0n && available === 0n ? ['insufficient_funds'] : []),
    ]
    const why = together(
      standingOf(payee, circumstances, 'wallet_closed'),
      standingOf(payer, circumstances, 'recipient_closed'),
      // Of all that was left somebody else may have given a part back in between.
      {
        refusals,
        declines: lacking,
        perhaps:
          amount === undefined && circumstances.refunding.has(id) ? ['refund_too_large'] : [],
      },
    )
    const keyed = keyOf(userId ?? 'operator', key, 'refund', id, canonical)
    return decide(model, exchange, circumstances, {
      ...why,
      keyed,
      happens() {
        const { id: refundId, amount: told } = answer.body
        const after = { ...paid, refunded: paid.refunded + asked, fee: isTold ? fee : paid.fee }
        const refunded = put(model, 'paid', after)
        const made = put(refunded, 'refunds', { id: refundId, paidId: id, minor: asked })
        const moved = move(made, 'refund', payee.id, payer.id, asked)
        const entry = { kind: 'fee_refund', direction: 'in', minor: feeBack } as const
        const isFeeBackTold =
          (answer.body.fee_refunded ?? showMinor(0n, currency)) === showMinor(feeBack, currency)
        const isRight = told === showMinor(asked, currency) && isFeeBackTold
        return when(isRight, addHouse(book(moved, bearer.id, entry), 'fees', currency, -feeBack))
      },
    })
  }
  return [...new Set(fees.flatMap(refundWith))]
}
