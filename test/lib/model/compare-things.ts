/** How each thing stands by its GET, held against the model. */
import { deepStrictEqual } from 'node:assert/strict'
import { showMinor } from './amounts.ts'
import { read } from './cast.ts'
import { type Run, userOf } from './run.ts'
import { type Deadline, type ModelFee, walletOf } from './state.ts'
import { isPerhapsOver } from './time.ts'

/** Compares every thing there is. Throws where they part. */
export async function compareThings(run: Run): Promise<void> {
  await compareHolds(run)
  await compareRequests(run)
  await compareWithdrawals(run)
  await comparePaid(run)
  await compareDeposits(run)
  await compareQuotes(run)
}

/** How many things are asked for at once. */
const atOnce = 8

async function each<T>(
  things: ReadonlyMap<string, T>,
  compare: (thing: T) => Promise<void>,
): Promise<void> {
  const left = [...things.values()]
  const work = async () => {
    for (let thing = left.pop(); thing !== undefined; thing = left.pop()) await compare(thing)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

/** Minor units as a wallet of this id shows them. */
function show({ search }: Run, walletId: string, minor: bigint): string {
  return showMinor(minor, walletOf(search.model, walletId).currency)
}

function showFee(run: Run, walletId: string, fee: ModelFee | undefined) {
  return fee && { amount: show(run, walletId, fee.minor), borne_by: fee.bearer }
}

const ownerOf = (run: Run, walletId: string) =>
  userOf(run, walletOf(run.search.model, walletId).userId)

/** Whether nobody can say how something stands now; so it is looked at after it was read. */
const isMoot = ({ state, deadline }: { state: string; deadline: Deadline }) =>
  state === 'open' && isPerhapsOver(deadline, Date.now())

function compareHolds(run: Run): Promise<void> {
  return each(run.search.model.holds, async (hold) => {
    const { id, payerId, minor, captured, held, state, deadline } = hold
    const told = await read(run.place, ownerOf(run, payerId), `/v1/holds/${id}`)
    if (isMoot(hold)) return
    // What is left in the last second goes back at once.
    const mayBeCaptured = state === 'expired' && deadline.isSplit && told.state === 'captured'
    const expected = {
      state: mayBeCaptured ? told.state : state,
      amount: show(run, payerId, minor),
      captured: show(run, payerId, captured),
      held: show(run, payerId, state === 'open' ? held : 0n),
    }
    equal(told, expected, `hold ${id}`)
  })
}

function compareRequests(run: Run): Promise<void> {
  return each(run.search.model.requests, async (request) => {
    const { id, payerId, toWalletId, minor, state, paymentId = null } = request
    const told = await read(run.place, userOf(run, payerId), `/v1/payment-requests/${id}`)
    if (isMoot(request)) return
    const expected = { state, amount: show(run, toWalletId, minor), transfer_id: paymentId }
    equal(told, expected, `payment request ${id}`)
  })
}

function compareWithdrawals(run: Run): Promise<void> {
  return each(run.search.model.withdrawals, async ({ id, walletId, minor, state, fee }) => {
    const told = await read(run.place, ownerOf(run, walletId), `/v1/withdrawals/${id}`)
    const expected = { state, amount: show(run, walletId, minor), fee: showFee(run, walletId, fee) }
    equal(told, expected, `withdrawal ${id}`)
  })
}

function comparePaid(run: Run): Promise<void> {
  return each(run.search.model.paid, async ({ id, payeeId, minor, refunded, fee }) => {
    const told = await read(run.place, ownerOf(run, payeeId), `/v1/transfers/${id}`)
    const expected = {
      amount: show(run, payeeId, minor),
      refunded: refunded > 0n ? show(run, payeeId, refunded) : undefined,
      fee: showFee(run, payeeId, fee),
    }
    equal(told, expected, `transfer ${id}`)
  })
}

function compareDeposits(run: Run): Promise<void> {
  return each(run.search.model.deposits, async (deposit) => {
    const { id, system, currency, minor, suspense } = deposit
    const fee = deposit.fee && {
      amount: showMinor(deposit.fee.minor, currency),
      borne_by: 'recipient',
    }
    const account = run.systems.get(system)
    if (!account) throw new Error(`no payment system is ${system}`)
    const told = await read(run.place, account, `/v1/deposits/${id}`)
    equal(
      { ...told, suspense: told.suspense?.state },
      { amount: showMinor(minor, currency), suspense, fee },
      `deposit ${id}`,
    )
  })
}

function compareQuotes(run: Run): Promise<void> {
  return each(run.search.model.quotes, async (quote) => {
    const { id, userId, from, to, fromMinor, toMinor, state, exchangeId = null, fee } = quote
    const owner = userOf(run, userId)
    const told = await read(run.place, owner, `/v1/quotes/${id}`)
    if (isMoot(quote)) return
    const amounts = {
      from_amount: showMinor(fromMinor, from),
      to_amount: showMinor(toMinor, to),
    }
    equal(told, { state, ...amounts, exchange_id: exchangeId }, `quote ${id}`)
    if (exchangeId === null) return
    const done = await read(run.place, owner, `/v1/exchanges/${exchangeId}`)
    const shown = fee && { amount: showMinor(fee.minor, from), borne_by: fee.bearer }
    equal(done, { quote_id: id, ...amounts, fee: shown }, `exchange ${exchangeId}`)
  })
}

/** Compares the fields that are expected. */
function equal(told: Readonly<Record<string, unknown>>, expected: object, about: string): void {
  const actual = Object.fromEntries(Object.keys(expected).map((name) => [name, told[name]]))
  deepStrictEqual(
    actual,
    expected,
    `${about}: ${JSON.stringify(actual)}, in the model ${JSON.stringify(expected)}`,
  )
}
