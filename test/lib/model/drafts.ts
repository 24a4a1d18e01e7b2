/** What people may do next, drawn at random: requests about whatever people and things there are. */
import fc from 'fast-check'
import { adjustmentKinds } from './adjustments.ts'
import { limitedKinds, windows } from './budgets.ts'
import { operations } from './fees.ts'

/** One of the two currencies of a market. */
const currency = fc.constantFrom(0, 0, 1)
const index = fc.nat({ max: 30 })
/** There in one of so many. */
const oneIn = <T>(count: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: count - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const mostly = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: rare })

const malformed = fc.constantFrom('0', '-3', '1.001', '1e3', '1,5', 'NaN', '', '9'.repeat(45))
const amount = fc.oneof(
  { weight: 15, arbitrary: fc.integer({ min: 1, max: 30 }).map(String) },
  { weight: 3, arbitrary: fc.constantFrom('0.01', '7.50', '7.5', '012') },
  { weight: 1, arbitrary: malformed },
)
const broughtIn = mostly(fc.integer({ min: 20, max: 300 }).map(String), amount)
const part = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 3, arbitrary: amount },
)
const seconds = fc.constantFrom(1, 2, 600, 600, 600, 600)
/** Keys are drawn from few, so that some are used again with something else. */
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constant('none' as const) },
  { weight: 3, arbitrary: fc.constant('fresh' as const) },
  { weight: 1, arbitrary: fc.nat({ max: 12 }) },
)
const named = fc.record({ wallet: index, byNumber: fc.boolean() })
const ownNamed = fc.record({ own: index, byNumber: fc.boolean() })

const recipient = fc.oneof(
  { weight: 12, arbitrary: fc.record({ other: index, byNumber: fc.boolean() }) },
  { weight: 2, arbitrary: named },
  { weight: 5, arbitrary: fc.record({ user: index }) },
  { weight: 1, arbitrary: fc.constant({ nobody: true as const }) },
)

const payment = {
  from: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 12, arbitrary: ownNamed },
    { weight: 1, arbitrary: named },
  ),
  to: recipient,
  amount,
  currency: oneIn(4, currency),
  memo: oneIn(3, fc.constantFrom('a', 'b')),
}
const pay = { user: index, ...payment, key }

/** Minor units. */
const few = fc.constantFrom(0n, 0n, 1n, 2n, 25n)
/** What an operation shall cost; one that somebody cannot bear is borne by the other. */
const schedule = fc.record({
  fixed: few,
  basisPoints: mostly(fc.constantFrom(0, 0, 25, 100, 333), fc.constant(10_000)),
  min: oneIn(4, fc.constantFrom(0n, 1n, 10n)),
  max: oneIn(4, fc.constantFrom(10n, 11n, 100n)),
  bearer: fc.constantFrom('sender' as const, 'recipient' as const),
  refund: fc.constantFrom('none' as const, 'proportional' as const),
})

const window = fc.constantFrom(...windows)
/** Mostly so much that something is still possible. */
const limitAmount = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('40', '70', '150', '500') },
  { weight: 1, arbitrary: fc.constantFrom('0', '10', '7.5') },
  { weight: 3, arbitrary: fc.constantFrom(null, 'default') },
)

/** Mostly who may do it does; in one of so many somebody else tries. */
const stranger = oneIn(12, index)
/** Which of the things there are: mostly one that is open. */
const thing = index

const draft = <Kind extends string, Fields>(
  kind: Kind,
  weight: number,
  fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> },
) => ({ weight, arbitrary: fc.record(fields).map((drawn) => ({ kind, ...drawn })) })

const told = fc.constantFrom('a', 'a', 'a', 'b')

const anything = fc.oneof(
  draft('transfer', 24, pay),
  draft('hold', 18, { ...pay, seconds }),
  draft('capture', 18, { id: thing, stranger, amount: part, isFinal: fc.boolean(), key }),
  draft('void', 5, { id: thing, stranger }),
  draft('deposit', 36, {
    system: index,
    to: mostly(named, fc.constant({ nobody: true as const })),
    /** Mostly the wallet's own. */
    currency: oneIn(12, currency),
    amount: broughtIn,
    reference: fc.nat({ max: 100 }),
    isForSuspense: fc.boolean(),
  }),
  draft('reversal', 8, {
    id: thing,
    system: stranger,
    amount: part,
    reference: fc.nat({ max: 100 }),
  }),
  draft('assign', 6, { id: thing, to: mostly(named, fc.constant({ nobody: true as const })) }),
  draft('return', 3, { id: thing }),
  draft('refund', 15, { id: thing, stranger, byOperator: fc.nat({ max: 4 }), amount: part, key }),
  draft('request', 15, {
    user: index,
    payer: mostly(fc.record({ other: index }), fc.record({ user: index })),
    to: ownNamed,
    amount,
    seconds,
    key,
  }),
  draft('accept', 15, { id: thing, stranger, from: oneIn(3, ownNamed) }),
  draft('decline', 5, { id: thing, stranger }),
  draft('cancel', 5, { id: thing, stranger }),
  draft('block', 1, { user: index, other: index }),
  draft('unblock', 4, { user: index, other: index }),
  draft('withdrawal', 15, { user: index, from: ownNamed, amount, system: index, key }),
  draft('cancel withdrawal', 5, { id: thing, stranger }),
  draft('take', 12, { id: thing, system: stranger, key: fc.nat({ max: 1_000 }) }),
  draft('confirm', 9, { id: thing, system: stranger, told }),
  draft('fail', 4, { id: thing, system: stranger, told }),
  draft('freeze', 2, { wallet: index }),
  draft('thaw', 6, { wallet: index }),
  draft('close', 1, { wallet: index, stranger }),
  draft('schedule', 8, { operation: fc.constantFrom(...operations), currency, schedule, key }),
  draft('adjustment', 10, {
    adjustment: fc.constantFrom(...adjustmentKinds),
    currency,
    amount: broughtIn,
    system: index,
    id: thing,
    wallet: named,
    key,
  }),
  draft('batch', 12, {
    user: index,
    atomic: fc.boolean(),
    items: fc.array(fc.record(payment), { minLength: 2, maxLength: 6, size: 'max' }),
    key,
  }),
  draft('limit', 7, {
    whose: index,
    ofSystem: fc.nat({ max: 3 }),
    currency,
    window,
    amount: limitAmount,
  }),
  draft('default limit', 2, {
    limited: fc.constantFrom(...limitedKinds),
    currency,
    window,
    amount: limitAmount.filter((amount) => amount !== 'default'),
  }),
  draft('rate', 4, {
    mid: fc.constantFrom('1.25', '1.3', '1.27', '1.2345678', '0.9'),
    spreadBasisPoints: fc.constantFrom(0, 50, 100, 1_000),
    isReverse: fc.boolean(),
    seconds: fc.constantFrom(3, 3_600, 3_600, 3_600),
  }),
  draft('quote', 12, {
    user: index,
    currency,
    amount,
    side: fc.constantFrom('sell' as const, 'buy' as const),
    seconds: fc.constantFrom(1, 2, 60, 60, 60),
  }),
  draft('exchange', 12, { id: thing, stranger, from: oneIn(3, ownNamed), to: oneIn(3, ownNamed) }),
  draft('pay by quote', 8, { id: thing, stranger, from: oneIn(3, ownNamed), to: recipient }),
)

/** An earlier request of the run once more. */
const again = draft('again', 15, { request: fc.nat({ max: 100 }) })

/** What somebody may ask for. */
export type Draft =
  | (typeof anything extends fc.Arbitrary<infer T> ? T : never)
  | { kind: 'again'; request: number }

const togetherMin = 2
const togetherMax = 8

const round = draft('round', 12, {
  drafts: fc.array(fc.oneof({ weight: 200, arbitrary: anything }, again), {
    minLength: togetherMin,
    maxLength: togetherMax,
    size: 'max',
  }),
})

/** What happens next. */
export const action = fc.oneof(
  round,
  draft('sign up', 1, {}),
  draft('open', 1, { user: index, currency }),
)

export type Action = typeof action extends fc.Arbitrary<infer T> ? T : never
