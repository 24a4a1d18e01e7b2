/** Withdrawals: asked for by the owner of a wallet, taken and paid outside by a payment system. */
import { canonicalAmount, readMinor } from './amounts.ts'
import { giveBack, payerOf, spend } from './budgets.ts'
import { decide, decideAny, keyOf, standingOf, together, when } from './decide.ts'
import type { Step } from './exchange.ts'
import { feesOf, onTop, takeFee } from './fees.ts'
import { addCapacity, availableOf, book, capacityOf } from './money.ts'
import { findPayers } from './payments.ts'
import { type ModelWithdrawal, put, remember, walletOf } from './state.ts'

export const withdrawal: Step<'withdrawal'> = (model, exchange, circumstances) => {
  const { userId, wallet: name, amount, system, key } = exchange.request
  const canonical = canonicalAmount(amount)
  if (canonical === undefined) return when(exchange.answer.code === 'amount_malformed', model)
  const keyed = keyOf(userId, key, 'withdrawal', name, canonical, system)
  const refuse = (code: string) =>
    decide(model, exchange, circumstances, { keyed, refusals: [code], happens: () => [] })
  const payers = findPayers(model, { userId, from: name }, () => true)
  if (typeof payers === 'string') return refuse(payers)
  const [wallet] = payers
  if (!wallet) return refuse('wallet_not_found')
  const minor = readMinor(amount, wallet.currency)
  if (typeof minor === 'string') return refuse(minor)
  const capacity = capacityOf(model, system, wallet.currency)
  const { id: walletId, currency } = wallet
  const charged = { operation: 'withdrawal', currency, minor } as const
  const spendings = spend(model, exchange, circumstances, payerOf(model, walletId, minor))
  const ways = feesOf(exchange, circumstances, charged).flatMap((fee) =>
    spendings.map((spending) => ({ fee, spending })),
  )
  const decisions = ways.map(({ fee, spending }) => {
    const needed = minor + onTop(fee)
    const why = together(
      standingOf(wallet, circumstances, 'wallet_closed'),
      { declines: minor > (capacity ?? 0n) ? ['payout_capacity_exceeded'] : [] },
      { declines: needed > availableOf(model, wallet) ? ['insufficient_funds'] : [] },
      spending,
    )
    return {
      ...why,
      model: spending.model,
      happens() {
        const { id } = exchange.answer.body
        const asked = { id, walletId, system, minor, fee, state: 'requested' as const }
        return [put(spending.use(spending.model, id), 'withdrawals', asked)]
      },
    }
  })
  return decideAny(model, exchange, circumstances, keyed, decisions)
}

/** What a step is told of a withdrawal that does not stand as it has to. */
const codes = {
  requested: 'withdrawal_not_taken',
  taken: 'withdrawal_taken',
  confirmed: 'withdrawal_confirmed',
  failed: 'withdrawal_failed',
  cancelled: 'withdrawal_cancelled',
} as const satisfies Record<ModelWithdrawal['state'], string>

export const cancelWithdrawal: Step<'cancel withdrawal'> = (model, exchange) => {
  const { userId, id } = exchange.request
  const { code } = exchange.answer
  const found = model.withdrawals.get(id)
  if (!found || walletOf(model, found.walletId).userId !== userId) {
    return when(code === 'withdrawal_not_found', model)
  }
  if (found.state === 'cancelled') return when(code === undefined, model)
  if (found.state !== 'requested') return when(code === codes[found.state], model)
  const cancelled = put(model, 'withdrawals', { ...found, state: 'cancelled' as const })
  return when(code === undefined, giveBack(cancelled, id))
}

export const take: Step<'take'> = (model, exchange, circumstances) => {
  const { system, id, key } = exchange.request
  const { code, isReplay } = exchange.answer
  const found = model.withdrawals.get(id)
  if (!found || found.system !== system) return when(code === 'withdrawal_not_found', model)
  if (found.takeKey === key && found.state === 'taken') {
    return when(code === undefined && isReplay, model)
  }
  if (found.state !== 'requested') return when(code === codes[found.state], model)
  const taken = put(model, 'withdrawals', { ...found, state: 'taken', takeKey: key })
  // A try that nobody was told of may have taken it, and it may have ended before the next.
  const hasEnded = code === codes.confirmed || code === codes.failed
  if (exchange.isDoubtful && hasEnded) return [taken]
  // Refused for a frozen wallet, a key is spent: a copy that comes late must not take it.
  const name = `${system} take ${key}`
  const isSpent = model.remembered.has(name)
  if (isSpent) return when(code === 'declined' || code === 'wallet_closed', model)
  const wallet = walletOf(model, found.walletId)
  const isUsed = [...model.withdrawals.values()].some(
    (it) => it.takeKey === key && it.system === system,
  )
  const why = together(standingOf(wallet, circumstances, 'wallet_closed'), {
    declines: isUsed ? ['idempotency_key_reused'] : [],
  })
  const after = decide(model, exchange, circumstances, { ...why, happens: () => [taken] })
  if (code !== 'wallet_closed') return after
  return after.map((next) => remember(next, name, { input: id, declined: code }))
}

/** It was paid outside, or was not: the money leaves the wallet, or comes back. */
export const settle: Step<'confirm' | 'fail'> = (model, exchange) => {
  const { kind, system, id, told } = exchange.request
  const { code } = exchange.answer
  const found = model.withdrawals.get(id)
  if (!found || found.system !== system) return when(code === 'withdrawal_not_found', model)
  const wanted = kind === 'confirm' ? 'confirmed' : 'failed'
  if (found.state === wanted && found.told === told) return when(code === undefined, model)
  if (found.state !== 'taken') return when(code === codes[found.state], model)
  const settled = put(model, 'withdrawals', { ...found, state: wanted, told })
  if (kind === 'fail') return when(code === undefined, giveBack(settled, id))
  const { walletId, minor, fee } = found
  const entry = { kind: 'withdrawal', direction: 'out', minor } as const
  const paid = addCapacity(settled, system, walletOf(model, walletId).currency, -minor)
  const charged = takeFee(book(paid, walletId, entry), fee, { sender: walletId })
  return when(code === undefined, charged)
}
