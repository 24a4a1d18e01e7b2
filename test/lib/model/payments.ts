/** Which wallet pays which, and payments at once. */
import { canonicalAmount, readMinor } from './amounts.ts'
import { payerOf, type Spending, spend, unlimited } from './budgets.ts'
import { type Decision, decide, decideAny, keyOf, standingOf, together } from './decide.ts'
import type { Circumstances, Exchange, PayTerms, RequestOf, Step } from './exchange.ts'
import { feesOf, onTop, takeFee } from './fees.ts'
import { availableOf, move } from './money.ts'
import { findWallet, type Model, type ModelFee, type ModelWallet, put } from './state.ts'

/** One person pays another, or moves money between own wallets. */
export const transfer: Step<'transfer'> = (model, exchange, circumstances) =>
  pay(model, exchange, circumstances, (route) => {
    const { id } = exchange.answer.body
    return [settle(route.model, id, route)]
  })

/** A payment that has happened. */
export function settle(
  model: Model,
  id: string,
  { payer, payee, minor, fee }: Pick<Route, 'payer' | 'payee' | 'minor' | 'fee'>,
): Model {
  const paid = { id, payerId: payer.id, payeeId: payee.id, minor, refunded: 0n, fee }
  const moved = move(put(model, 'paid', paid), 'payment', payer.id, payee.id, minor)
  return takeFee(moved, fee, { sender: payer.id, recipient: payee.id })
}

export interface Route {
  payer: ModelWallet
  payee: ModelWallet
  minor: bigint
  fee: ModelFee | undefined
  /** In which budgets are used. */
  model: Model
}

/** What a payment and a hold have in common: everything but what happens. */
export function pay(
  model: Model,
  exchange: Exchange<RequestOf<'transfer' | 'hold'>>,
  circumstances: Circumstances,
  happens: (route: Route) => Model[],
): Model[] {
  const { request } = exchange
  const { userId, from, to, amount, currency, memo, key } = request
  const canonical = canonicalAmount(amount)
  const seconds = request.kind === 'hold' ? request.seconds : undefined
  const keyed = keyOf(userId, key, request.kind, from, to, canonical, currency, memo, seconds)
  if (canonical === undefined) {
    return decide(model, exchange, circumstances, {
      refusals: ['amount_malformed'],
      happens: nothing,
    })
  }
  return views(model, circumstances).flatMap((isOpen) => {
    const decisions = plan(model, exchange, circumstances, isOpen, happens)
    return decideAny(model, exchange, circumstances, keyed, decisions)
  })
}

const nothing = () => []

/** Whether a wallet counts as open. */
export type IsOpen = (wallet: ModelWallet) => boolean

/**
 * Which wallets count as open: those that are. A wallet that is just being closed may count as open
 * or as closed, because one process knows of it before the other.
 */
export function views(model: Model, { flickering }: Circumstances): IsOpen[] {
  const byState: IsOpen = ({ state }) => state !== 'closed'
  const isMoot = model.wallets.some(({ id }) => flickering.has(id))
  if (!isMoot) return [byState]
  return [
    byState,
    ...[true, false].map((open): IsOpen => {
      return (wallet) => (flickering.has(wallet.id) ? open : byState(wallet))
    }),
  ]
}

/** How a payment or a hold may go. */
export function plan(
  model: Model,
  exchange: Exchange<RequestOf<'transfer' | 'hold'>>,
  circumstances: Circumstances,
  isOpen: IsOpen,
  happened: (route: Route) => Model[],
): Decision[] {
  const { request } = exchange
  const found = findRoute(model, request, isOpen)
  if (typeof found === 'string') return [{ refusals: [found], happens: nothing }]
  const { payer, payee } = found
  const minor = readMinor(request.amount, payer.currency)
  if (typeof minor === 'string') return [{ refusals: [minor], happens: nothing }]
  const isOwn = payer.userId === payee?.userId
  const spender = payerOf(model, payer.id, minor)
  const spendings = isOwn ? [unlimited(model)] : spend(model, exchange, circumstances, spender)
  if (!payee || payee.currency !== payer.currency) {
    return spendings.flatMap((spending) => toNowhere(spending, payee))
  }
  const { currency } = payer
  const charged = { operation: 'payment', currency, minor } as const
  const fees = request.kind === 'hold' ? [undefined] : feesOf(exchange, circumstances, charged)
  return fees.flatMap((fee) =>
    spendings.map((spending) => {
      const needed = minor + onTop(fee)
      const why = together(
        standingOf(payer, circumstances, 'wallet_closed'),
        standingOf(payee, circumstances, 'recipient_closed'),
        { declines: needed > availableOf(model, payer) ? ['insufficient_funds'] : [] },
        spending,
      )
      const { model: before, use } = spending
      return {
        ...why,
        model: before,
        happens() {
          const used = use(before, exchange.answer.body.id)
          return happened({ payer, payee, minor, fee, model: used })
        },
      }
    }),
  )
}

/** A payment to no wallet, or to one of another currency, of which the ledger hears after the limits. */
function toNowhere(
  { model, declines, perhaps }: Spending,
  payee: ModelWallet | undefined,
): Decision[] {
  const limited = [...declines, ...perhaps]
  if (!payee) return [{ model, declines: ['recipient_not_found', ...limited], happens: nothing }]
  const invalid: Decision = { model, invalid: 'currency_mismatch', happens: nothing }
  const declined: Decision = { model, declines: limited, happens: nothing }
  if (declines.length > 0) return [declined]
  return perhaps.length > 0 ? [invalid, declined] : [invalid]
}

/** The payee is undefined when the ledger has no such account. */
type Found = { payer: ModelWallet; payee: ModelWallet | undefined }

/** Which wallet pays which, or why that cannot be told. */
function findRoute(model: Model, request: PayTerms, isOpen: IsOpen): Found | string {
  const { userId, to } = request
  const payers = findPayers(model, request, isOpen)
  if (typeof payers === 'string') return payers
  const { isForeignId, payees } = findPayees(model, { userId, to }, isOpen)
  const [payer] = payers
  if (isForeignId && payer && payers.length === 1) return { payer, payee: payees[0] }
  if (payees.length === 0) return 'recipient_not_found'
  const routes = payers.flatMap((p) =>
    payees
      .filter(({ id, currency: c }) => id !== p.id && c === p.currency)
      .map((r) => ({ payer: p, payee: r })),
  )
  const [route, second] = routes
  if (second) return 'wallet_ambiguous'
  if (route) return route
  const isOwn = payers.every((p) => payees.some(({ id }) => id === p.id))
  return isOwn ? 'same_wallet' : 'currency_mismatch'
}

/**
 * The wallets that can be meant. An id of somebody else's is not looked up: the ledger itself knows
 * whether there is such an account, and its currency.
 */
export function findPayees(
  model: Model,
  { userId, to }: Pick<PayTerms, 'userId' | 'to'>,
  isOpen: IsOpen,
): { isForeignId: boolean; payees: ModelWallet[] } {
  if (!('wallet' in to))
    return { isForeignId: false, payees: oldestOfEach(model, to.userId, isOpen) }
  const payee = findWallet(model, to.wallet)
  const isForeignId = to.wallet.includes('-') && payee?.userId !== userId
  return { isForeignId, payees: payee ? [payee] : [] }
}

/** The named wallet, or all open ones of the currency; or why there is none. */
export function findPayers(
  model: Model,
  { userId, from, currency }: Pick<PayTerms, 'userId' | 'from' | 'currency'>,
  isOpen: IsOpen,
): ModelWallet[] | string {
  const own = model.wallets.filter((wallet) => wallet.userId === userId)
  const isMeant = (wallet: ModelWallet) =>
    from === undefined ? isOpen(wallet) : wallet.id === from || wallet.number === from
  const named = own.filter(isMeant)
  if (named.length === 0) return 'wallet_not_found'
  const payers = named.filter((wallet) => currency === undefined || wallet.currency === currency)
  return payers.length === 0 ? 'currency_mismatch' : payers
}

function oldestOfEach({ wallets }: Model, userId: string, isOpen: IsOpen): ModelWallet[] {
  const own = wallets.filter((wallet) => wallet.userId === userId && isOpen(wallet))
  return own.filter(
    ({ currency }, index) => own.findIndex((w) => w.currency === currency) === index,
  )
}
