/** Exchange: rates that an operator sets, quotes at the rate in force, and what is done by them once. */
import { canonicalAmount, readMinor, scaleOf, showMinor } from './amounts.ts'
import { payerOf, spend, unlimited } from './budgets.ts'
import { type Decision, decide, decideAny, keyOf, standingOf, together, when } from './decide.ts'
import type { Exchange, RequestOf, Step } from './exchange.ts'
import { feesOf, isSameFee, onTop, takeFee } from './fees.ts'
import { addHouse, availableOf, book, houseOf } from './money.ts'
import { findPayees, findPayers, views } from './payments.ts'
import { ratesFor } from './settings.ts'
import { type Model, type ModelQuote, type ModelWallet, put } from './state.ts'
import { earlyMs, isPerhapsOver, told } from './time.ts'

/** One base is worth `mid` quotes, in major units; a customer gets less by the spread. */
export interface Rate {
  readonly base: string
  readonly quote: string
  readonly mid: string
  readonly spreadBasisPoints: number
  /** Milliseconds since 1970. */
  readonly validUntil: number
}

/** What is told of a rate that is over when it is asked for, or when it is to be in force. */
const overCodes = ['invalid_request', 'exchange_rate_expired']

/** An operator sets a rate; which one holds when is told by `settings`. */
export const rate: Step<'rate'> = (model, exchange, circumstances) => {
  const { rate, key } = exchange.request
  const { body } = exchange.answer
  const isRight = () =>
    body.mid === rate.mid &&
    body.spread_basis_points === rate.spreadBasisPoints &&
    Date.parse(body.valid_until) === rate.validUntil
  const mayBeOver = rate.validUntil <= exchange.answeredAt + earlyMs
  if (mayBeOver && overCodes.includes(exchange.answer.code ?? '')) return [model]
  return decide(model, exchange, circumstances, {
    keyed: keyOf('operator rate', key, ...Object.values(rate)),
    happens: () => when(isRight(), model),
  })
}

/** A fraction. */
type Ratio = readonly [numerator: bigint, denominator: bigint]

/** What one minor unit of a currency is worth in minor units of the other, before the spread. */
function worthOf({ base, mid }: Rate, from: string, to: string): Ratio {
  const [whole = '', fraction = ''] = mid.split('.')
  const exact: Ratio = [BigInt(whole + fraction), 10n ** BigInt(fraction.length)]
  const [numerator, denominator] = from === base ? exact : [exact[1], exact[0]]
  return [numerator * 10n ** BigInt(scaleOf(to)), denominator * 10n ** BigInt(scaleOf(from))]
}

const basisPointsOfAll = 10_000n
const amountMax = 2n ** 127n

type Priced = Pick<ModelQuote, 'fromMinor' | 'toMinor' | 'spreadMinor'>
type Promised = Priced & Pick<ModelQuote, 'fee'>

/** What is given and got, or why nothing is: what is got is rounded down, what is given up. */
function price(
  rate: Rate,
  { from, to, side }: Pick<RequestOf<'quote'>, 'from' | 'to' | 'side'>,
  minor: bigint,
): Priced | string {
  const [numerator, denominator] = worthOf(rate, from, to)
  const kept = basisPointsOfAll - BigInt(rate.spreadBasisPoints)
  const [got, given] = [numerator * kept, denominator * basisPointsOfAll]
  const fromMinor = side === 'sell' ? minor : (minor * given + got - 1n) / got
  const toMinor = side === 'sell' ? (minor * got) / given : minor
  const whole = (fromMinor * numerator) / denominator
  if (toMinor === 0n) return 'amount_too_small'
  if (fromMinor > amountMax || whole > amountMax) return 'amount_too_large'
  return { fromMinor, toMinor, spreadMinor: whole - toMinor }
}

const msPerSecond = 1_000

/** Seconds that a quote can last at the most, by a rate. */
const secondsLeft = ({ validUntil }: Rate, now: number) =>
  Math.floor((validUntil - now) / msPerSecond)

export const quote: Step<'quote'> = (model, exchange, circumstances) => {
  const { request, answer, sentAt, answeredAt } = exchange
  const { from, to, amount, side } = request
  const minor = readMinor(amount, side === 'sell' ? from : to)
  const decisions = ratesFor(circumstances.settings, exchange).flatMap((rate): Decision[] => {
    // Of a rate that is just running out one process may know before the other.
    const isOver = !rate || secondsLeft(rate, sentAt - earlyMs) < 1
    const mayBeOver = !rate || secondsLeft(rate, answeredAt + earlyMs) < 1
    const none: Decision = { refusals: ['no_exchange_rate'], happens: () => [] }
    if (!rate || isOver) return [none]
    const priced = typeof minor === 'bigint' ? price(rate, request, minor) : minor
    const refusals = typeof priced === 'string' ? [priced] : []
    const happens = () => {
      if (typeof priced === 'string') return []
      const charged = { operation: 'exchange', currency: from, minor: priced.fromMinor } as const
      return feesOf(exchange, circumstances, charged)
        .filter((fee) => isSameFee(answer.body.fee, fee, from))
        .flatMap((fee) => promise(model, exchange, rate, { ...priced, fee }))
    }
    return mayBeOver ? [{ refusals, happens }, none] : [{ refusals, happens }]
  })
  const isMalformed = canonicalAmount(amount) === undefined
  if (answer.code === 'amount_malformed') return when(isMalformed, model)
  return decideAny(model, exchange, circumstances, undefined, decisions)
}

/** A quote at this rate, when that is what was told. */
function promise(
  model: Model,
  { request, answer, sentAt, answeredAt }: Exchange<RequestOf<'quote'>>,
  rate: Rate,
  priced: Promised,
): Model[] {
  const { userId, from, to, seconds } = request
  const { body } = answer
  const at = Date.parse(body.expires_at)
  const least = Math.min(seconds, secondsLeft(rate, answeredAt))
  // Its seconds begin when the ledger has heard of it.
  const lateMs = answeredAt - sentAt
  const isRight =
    isRateTold(body, rate, from) &&
    body.from_amount === showMinor(priced.fromMinor, from) &&
    body.to_amount === showMinor(priced.toMinor, to) &&
    at >= sentAt + least * msPerSecond - earlyMs &&
    at <= Math.min(answeredAt + seconds * msPerSecond, rate.validUntil + lateMs) + earlyMs
  const deadline = { at, isSplit: false, isTold: false }
  const made = { ...priced, id: body.id, userId, from, to, state: 'open' as const, deadline }
  return when(isRight, put(model, 'quotes', made))
}

/** Of two rates with the same amounts the house can keep more by one. The told mid has twelve digits. */
function isRateTold(
  body: { mid: string; spread_basis_points: number },
  { base, mid, spreadBasisPoints }: Rate,
  from: string,
): boolean {
  const exact = from === base ? Number(mid) : 1 / Number(mid)
  const isMid = Math.abs(Number(body.mid) / exact - 1) < 1e-9
  return isMid && body.spread_basis_points === spreadBasisPoints
}

const expired = 'quote_expired'

/** An exchange between own wallets, or a payment to somebody else's wallet of the other currency. */
export const execute: Step<'exchange' | 'pay by quote'> = (model, exchange, circumstances) => {
  const { request, answer, answeredAt } = exchange
  const { userId, quoteId, from } = request
  const { code, body, isReplay } = answer
  const found = model.quotes.get(quoteId)
  if (found?.userId !== userId) return when(code === 'quote_not_found', model)
  const input = JSON.stringify({ ...request, quoteId: undefined })
  if (found.state === 'executed') {
    const isSame = found.input === input
    if (!isSame) return when(code === 'quote_used', model)
    const isRight = body.id === found.exchangeId && isSameFee(body.fee, found.fee, found.from)
    return when(code === undefined && isReplay && isRight, model)
  }
  return views(model, circumstances).flatMap((isOpen) => {
    const payers = findPayers(model, { userId, from, currency: found.from }, isOpen)
    if (typeof payers === 'string') return when(code === payers, model)
    const [payer, second] = payers
    if (!payer || second) return when(code === 'wallet_ambiguous', model)
    const payee = findPayee(model, request, found, isOpen)
    if (typeof payee === 'string') return when(code === payee, model)
    const isTold = found.state === 'expired' || found.deadline.isTold
    if (code === expired) {
      const mayBeOver = isTold || isPerhapsOver(found.deadline, answeredAt)
      return when(mayBeOver, put(model, 'quotes', { ...found, deadline: told(found.deadline) }))
    }
    if (isTold) return []
    return use(model, exchange, circumstances, { ...found, input }, payer, payee)
  })
}

/** A wallet of another currency, of which the ledger hears after all that concerns the paying one. */
function toOther(model: Model, earlier: Pick<Decision, 'declines' | 'perhaps'>): Decision[] {
  const { declines = [], perhaps = [] } = earlier
  const declined: Decision = { model, declines: [...declines, ...perhaps], happens: () => [] }
  const invalid: Decision = { model, invalid: 'currency_mismatch', happens: () => [] }
  if (declines.length > 0) return [declined]
  return perhaps.length > 0 ? [invalid, declined] : [invalid]
}

/** Whose wallet it is for; undefined when the ledger has no such account. */
function findPayee(
  model: Model,
  request: RequestOf<'exchange' | 'pay by quote'>,
  { to: currency }: ModelQuote,
  isOpen: Parameters<typeof findPayers>[2],
): ModelWallet | undefined | string {
  const { userId } = request
  if (request.kind === 'exchange') {
    const own = findPayers(model, { userId, from: request.to, currency }, isOpen)
    if (typeof own === 'string') return own
    const [wallet, second] = own
    return !wallet || second ? 'wallet_ambiguous' : wallet
  }
  const { isForeignId, payees } = findPayees(model, request, isOpen)
  if (isForeignId) return payees[0]
  if (payees.length === 0) return 'recipient_not_found'
  return payees.find((it) => it.currency === currency) ?? 'currency_mismatch'
}

/** Uses a quote that is open. */
function use(
  model: Model,
  exchange: Exchange,
  circumstances: Parameters<Step<'exchange'>>[2],
  quote: ModelQuote,
  payer: ModelWallet,
  payee: ModelWallet | undefined,
): Model[] {
  const { fromMinor, toMinor, spreadMinor, from, to, fee } = quote
  const { id: exchangeId } = exchange.answer.body
  // Between own wallets nothing is spent.
  const spendings =
    payee?.userId === payer.userId
      ? [unlimited(model)]
      : spend(model, exchange, circumstances, payerOf(model, payer.id, fromMinor))
  const decisions = spendings.flatMap((spending): Decision[] => {
    const isLacking = fromMinor + onTop(fee) > availableOf(model, payer)
    const earlier = together(
      standingOf(payer, circumstances, 'wallet_closed'),
      { declines: fromMinor > availableOf(model, payer) ? ['insufficient_funds'] : [] },
      spending,
    )
    const why = together(
      earlier,
      payee ? standingOf(payee, circumstances, 'recipient_closed') : {},
      { declines: payee ? [] : ['recipient_not_found'] },
      { declines: isLacking ? ['insufficient_funds'] : [] },
      {
        declines:
          toMinor + spreadMinor > houseOf(model, 'liquidity', to) ? ['liquidity_exhausted'] : [],
      },
    )
    if (payee && payee.currency !== to) return toOther(spending.model, earlier)
    const done: Decision = {
      ...why,
      model: spending.model,
      happens() {
        const isRight = isSameFee(exchange.answer.body.fee, fee, from)
        if (!payee || !isRight) return []
        const before = spending.use(spending.model, exchangeId)
        const used = { ...quote, state: 'executed' as const, exchangeId }
        const sale = { kind: 'exchange_sale', direction: 'out', minor: fromMinor } as const
        const purchase = { kind: 'exchange_purchase', direction: 'in', minor: toMinor } as const
        const sold = book(put(before, 'quotes', used), payer.id, sale)
        const given = addHouse(sold, 'liquidity', from, fromMinor)
        const got = addHouse(given, 'liquidity', to, -toMinor - spreadMinor)
        const kept = addHouse(book(got, payee.id, purchase), 'spread', to, spreadMinor)
        return [takeFee(kept, fee, { sender: payer.id })]
      },
    }
    return [done]
  })
  return decideAny(model, exchange, circumstances, undefined, decisions)
}
