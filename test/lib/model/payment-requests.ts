/** Requests for money: made by who wants it, accepted or declined by who shall pay. */
import { canonicalAmount, readMinor, showMinor } from './amounts.ts'
import { payerOf, spend } from './budgets.ts'
import { type Decision, decide, decideAny, keyOf, standingOf, together, when } from './decide.ts'
import type { RequestOf, Step } from './exchange.ts'
import { feesOf, onTop } from './fees.ts'
import { availableOf } from './money.ts'
import { findPayers, settle, views } from './payments.ts'
import { type Model, type ModelPaymentRequest, put, walletOf } from './state.ts'
import { isPerhapsOver, readDeadline, told } from './time.ts'

const openMax = 20

export const request: Step<'request'> = (model, exchange, circumstances) => {
  const { userId, payer, wallet, amount, seconds, key } = exchange.request
  const canonical = canonicalAmount(amount)
  if (canonical === undefined) return when(exchange.answer.code === 'amount_malformed', model)
  const keyed = keyOf(userId, key, 'request', payer, wallet, canonical, seconds)
  return views(model, circumstances).flatMap((isOpen) => {
    const decision = planRequest(model, exchange.request, isOpen)
    return decide(model, exchange, circumstances, {
      keyed,
      ...decision,
      happens() {
        const deadline = readDeadline(exchange, seconds)
        const made = decision.made
        if (!deadline || !made) return []
        const { id } = exchange.answer.body
        return [put(model, 'requests', { ...made, id, deadline })]
      },
    })
  })
}

type Made = Omit<ModelPaymentRequest, 'id' | 'deadline'>

function planRequest(
  model: Model,
  { userId, payer, wallet: name, amount }: RequestOf<'request'>,
  isOpen: Parameters<typeof findPayers>[2],
): Pick<Decision, 'refusals' | 'declines' | 'perhaps'> & { made?: Made } {
  const found = findPayers(model, { userId, from: name }, isOpen)
  if (typeof found === 'string') return { refusals: [found] }
  const [wallet] = found
  if (!wallet || !isOpen(wallet)) return { refusals: ['wallet_closed'] }
  const minor = readMinor(amount, wallet.currency)
  if (typeof minor === 'string') return { refusals: [minor] }
  const payerId = model.people.get(payer)
  if (payerId === undefined) return { refusals: ['payer_not_found'] }
  if (payerId === userId) return { refusals: ['own_account'] }
  if (model.blocks.has(`${payerId} ${userId}`)) return { refusals: ['requester_blocked'] }
  const made: Made = { requesterId: userId, payerId, toWalletId: wallet.id, minor, state: 'open' }
  return { ...limit(model, made, wallet.currency), made }
}

/** So many may be open; of one that may have run out nobody knows whether it still counts. */
function limit(model: Model, made: Made, currency: string): Pick<Decision, 'declines' | 'perhaps'> {
  const { requesterId, payerId } = made
  const open = [...model.requests.values()].filter(
    (it) =>
      it.state === 'open' &&
      it.requesterId === requesterId &&
      it.payerId === payerId &&
      walletOf(model, it.toWalletId).currency === currency,
  )
  const certain = open.filter(({ deadline }) => !isPerhapsOver(deadline, Date.now()))
  if (certain.length >= openMax) return { declines: ['too_many_requests_open'] }
  return { perhaps: open.length >= openMax ? ['too_many_requests_open'] : [] }
}

/** Why somebody may not do this to a request. */
function refuseParty(
  found: ModelPaymentRequest | undefined,
  userId: string,
  side: 'payer' | 'requester',
): string | undefined {
  const isRequester = found?.requesterId === userId
  const isPayer = found?.payerId === userId
  if (!isRequester && !isPayer) return 'payment_request_not_found'
  if (side === 'payer') return isPayer ? undefined : 'not_the_payer'
  return isRequester ? undefined : 'not_the_requester'
}

const expired = 'payment_request_expired'

/** How a request stands for what happens in a time in which it may run out. */
function readState(found: ModelPaymentRequest, answeredAt: number) {
  const isTold = found.state === 'open' && found.deadline.isTold
  const state = isTold ? 'expired' : found.state
  const mayBeOver = found.state === 'open' && isPerhapsOver(found.deadline, answeredAt)
  return { state, mayBeOver }
}

const tell = (model: Model, found: ModelPaymentRequest) =>
  put(model, 'requests', { ...found, deadline: told(found.deadline) })

export const accept: Step<'accept'> = (model, exchange, circumstances) => {
  const { userId, id, from } = exchange.request
  const { code, body, isReplay } = exchange.answer
  const found = model.requests.get(id)
  const refused = refuseParty(found, userId, 'payer')
  if (refused !== undefined || !found) return when(code === refused, model)
  const { state, mayBeOver } = readState(found, exchange.answeredAt)
  if (state === 'accepted') {
    return when(code === undefined && isReplay && body.id === found.paymentId, model)
  }
  if (state === 'declined' || state === 'cancelled') {
    return when(code === `payment_request_${state}`, model)
  }
  const payee = walletOf(model, found.toWalletId)
  const { currency } = payee
  return views(model, circumstances).flatMap((isOpen) => {
    const payers = findPayers(model, { userId, from, currency }, isOpen)
    if (typeof payers === 'string') return when(code === payers, model)
    const [payer, second] = payers
    if (!payer || second) return when(code === 'wallet_ambiguous', model)
    if (code === expired) return when(state === 'expired' || mayBeOver, tell(model, found))
    if (state === 'expired') return []
    const { minor } = found
    const charged = { operation: 'payment', currency, minor } as const
    const spendings = spend(model, exchange, circumstances, payerOf(model, payer.id, minor))
    const ways = feesOf(exchange, circumstances, charged).flatMap((fee) =>
      spendings.map((spending) => ({ fee, spending })),
    )
    const decisions = ways.map(({ fee, spending }) => {
      const needed = minor + onTop(fee)
      const why = together(
        standingOf(payer, circumstances, 'wallet_closed'),
        standingOf(payee, circumstances, 'recipient_closed'),
        { declines: needed > availableOf(model, payer) ? ['insufficient_funds'] : [] },
        { declines: payer.id === payee.id ? ['same_wallet'] : [] },
        spending,
      )
      return {
        ...why,
        model: spending.model,
        happens() {
          const accepted = { ...found, state: 'accepted' as const, paymentId: body.id as string }
          const used = spending.use(spending.model, body.id)
          const ended = put(used, 'requests', accepted)
          const isRight = body.amount === showMinor(minor, currency)
          return when(isRight, settle(ended, body.id, { payer, payee, minor, fee }))
        },
      }
    })
    return decideAny(model, exchange, circumstances, undefined, decisions)
  })
}

/** The payer declines, or the requester cancels. */
export const end: Step<'decline' | 'cancel'> = (model, exchange) => {
  const { kind, userId, id } = exchange.request
  const { code } = exchange.answer
  const found = model.requests.get(id)
  const side = kind === 'decline' ? 'payer' : 'requester'
  const refused = refuseParty(found, userId, side)
  if (refused !== undefined || !found) return when(code === refused, model)
  const { state, mayBeOver } = readState(found, exchange.answeredAt)
  const wanted = kind === 'decline' ? 'declined' : 'cancelled'
  if (code === expired) return when(state === 'expired' || mayBeOver, tell(model, found))
  if (state === 'open') {
    return when(code === undefined, put(model, 'requests', { ...found, state: wanted }))
  }
  return when(code === (state === wanted ? undefined : `payment_request_${state}`), model)
}

/** Somebody takes no more requests from somebody else, or takes them again. */
export const block: Step<'block' | 'unblock'> = (model, exchange) => {
  const { kind, userId, username } = exchange.request
  const { code } = exchange.answer
  const otherId = model.people.get(username)
  if (kind === 'block' && otherId === userId) return when(code === 'own_account', model)
  const blocks = new Set(model.blocks)
  if (kind === 'block') blocks.add(`${userId} ${otherId}`)
  else blocks.delete(`${userId} ${otherId}`)
  return when(code === undefined, { ...model, blocks })
}
