/** The house's own bookings: one leg each, asked for by an operator and booked at once. */
import { canonicalAmount, readMinor, showMinor } from './amounts.ts'
import { decide, keyOf, standingOf, together, when } from './decide.ts'
import type { RequestOf, Step } from './exchange.ts'
import { addCapacity, addHouse, addOwed, book, capacityOf, houseOf, owedOf } from './money.ts'
import { findWallet, type Model, put, walletOf } from './state.ts'

/** What an adjustment does: how much it can be at the most, and what is then. */
interface Effect {
  /** Undefined is no limit. */
  most: (model: Model, request: RequestOf<'adjustment'>) => bigint | undefined
  book: (model: Model, request: RequestOf<'adjustment'>, minor: bigint) => Model
}

/** Between two of the house's accounts; what has to be there is in the one that gives. */
const within = (
  gives: 'bank' | 'liquidity' | undefined,
  change: readonly [account: Parameters<typeof addHouse>[1], sign: 1n | -1n][],
): Effect => ({
  most: (model, { currency }) => gives && houseOf(model, gives, currency),
  book: (model, { currency }, minor) =>
    change.reduce(
      (next, [account, sign]) => addHouse(next, account, currency, sign * minor),
      model,
    ),
})

/** With a payment system, whose clearing account grows by `sign`; it has to have what it gives. */
const withSystem = (
  account: 'bank' | 'payment_system_fees' | 'payment_systems',
  sign: 1n | -1n,
  accountSign: 1n | -1n,
): Effect => ({
  most(model, { currency, system = '' }) {
    if (sign < 0n) return capacityOf(model, system, currency) ?? 0n
    return account === 'bank' ? houseOf(model, 'bank', currency) : undefined
  },
  book(model, { currency, system = '' }, minor) {
    const cleared = addCapacity(model, system, currency, sign * minor)
    return addHouse(cleared, account, currency, accountSign * minor)
  },
})

const effects = {
  equity_contribution: within(undefined, [
    ['bank', 1n],
    ['equity', 1n],
  ]),
  equity_withdrawal: within('bank', [
    ['bank', -1n],
    ['equity', -1n],
  ]),
  liquidity_funding: within(undefined, [
    ['bank', 1n],
    ['liquidity', 1n],
  ]),
  liquidity_draining: {
    most(model, { currency }) {
      const liquidity = houseOf(model, 'liquidity', currency)
      const bank = houseOf(model, 'bank', currency)
      if (bank < liquidity) return bank
      return liquidity
    },
    book: (model, { currency }, minor) =>
      addHouse(addHouse(model, 'liquidity', currency, -minor), 'bank', currency, -minor),
  },
  settlement: withSystem('bank', -1n, 1n),
  prefunding: withSystem('bank', 1n, -1n),
  payment_system_fee: withSystem('payment_system_fees', -1n, 1n),
  payment_system_income: withSystem('payment_systems', 1n, 1n),
  write_off: {
    most: (model, { currency, userId = '' }) => owedOf(model, userId, currency),
    book: (model, { currency, userId = '' }, minor) =>
      addHouse(addOwed(model, userId, currency, -minor), 'write_offs', currency, minor),
  },
  reward: {
    most: () => undefined,
    book(model, { currency, wallet = '' }, minor) {
      const { id } = walletOf(model, wallet)
      const paid = book(model, id, { kind: 'reward', direction: 'in', minor })
      return addHouse(paid, 'rewards', currency, minor)
    },
  },
} as const satisfies Record<string, Effect>

export type AdjustmentKind = keyof typeof effects | 'suspense_payout'

export const adjustmentKinds: readonly AdjustmentKind[] = [
  ...(Object.keys(effects) as (keyof typeof effects)[]),
  'suspense_payout',
]

export const adjust: Step<'adjustment'> = (model, exchange, circumstances) => {
  const { request, answer } = exchange
  const { adjustment, currency, amount, wallet, system, userId, deposit, key } = request
  if (adjustment === 'suspense_payout') return payOut(model, exchange, circumstances)
  const canonical = canonicalAmount(amount)
  const keyed = keyOf(
    'operator',
    key,
    adjustment,
    currency,
    canonical,
    wallet,
    system,
    userId,
    deposit,
  )
  if (canonical === undefined) return when(answer.code === 'amount_malformed', model)
  const minor = readMinor(amount, currency)
  const found = wallet === undefined ? undefined : findWallet(model, wallet)
  const refusals = [
    ...(typeof minor === 'string' ? [minor] : []),
    ...(found && found.currency !== currency ? ['currency_mismatch'] : []),
  ]
  const effect: Effect = effects[adjustment]
  const most = effect.most(model, request)
  const isTooMuch = typeof minor === 'bigint' && most !== undefined && minor > most
  const why = together(found ? standingOf(found, circumstances, 'recipient_closed') : {}, {
    declines: isTooMuch ? ['adjustment_exceeds_balance'] : [],
  })
  return decide(model, exchange, circumstances, {
    ...why,
    refusals,
    keyed,
    happens() {
      if (typeof minor !== 'bigint') return []
      const isRight =
        answer.body.amount === showMinor(minor, currency) && answer.body.state === 'approved'
      return when(isRight, effect.book(model, request, minor))
    },
  })
}

/** Money in suspense that the house itself sends back. */
const payOut: Step<'adjustment'> = (model, exchange, circumstances) => {
  const { deposit = '', key } = exchange.request
  const found = model.deposits.get(deposit)
  const isOpen = found?.suspense === 'open'
  const settled = found?.suspense ? `suspense_${found.suspense}` : 'suspense_not_found'
  const isLacking = found && found.minor > houseOf(model, 'bank', found.currency)
  return decide(model, exchange, circumstances, {
    keyed: keyOf('operator', key, 'suspense_payout', deposit),
    refusals: isOpen ? [] : [settled],
    declines: isLacking ? ['adjustment_exceeds_balance'] : [],
    happens() {
      if (!found) return []
      const paid = put(model, 'deposits', { ...found, suspense: 'paid_out' })
      return [addHouse(paid, 'bank', found.currency, -found.minor)]
    },
  })
}
