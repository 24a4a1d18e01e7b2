/** Wallets that an operator freezes and thaws, and that their owners close. */

import { decide, when } from './decide.ts'
import type { Step } from './exchange.ts'
import { heldOf } from './money.ts'
import { changeWallet, findWallet, type Model, type ModelWallet, walletOf } from './state.ts'

/** Of a freeze or thaw that may have happened more than once the next one tells how it ended. */
export const freeze: Step<'freeze' | 'thaw'> = (model, exchange, circumstances) => {
  const { kind, wallet: id } = exchange.request
  const wallet = walletOf(model, id)
  return decide(model, exchange, circumstances, {
    refusals: wallet.state === 'closed' ? ['wallet_closed'] : [],
    perhaps: circumstances.flickering.has(id) ? ['busy'] : [],
    happens: () => [
      changeWallet(model, id, () => ({ state: kind === 'freeze' ? 'frozen' : 'active' })),
    ],
  })
}

export const close: Step<'close'> = (model, exchange, circumstances) => {
  const { userId, wallet: id } = exchange.request
  const wallet = findWallet(model, id)
  if (!wallet || wallet.userId !== userId) {
    return when(exchange.answer.code === 'wallet_not_found', model)
  }
  if (wallet.state === 'closed') return when(exchange.answer.code === undefined, model)
  const isFrozen = wallet.state === 'frozen'
  const reasons = [
    ...(isFrozen ? ['wallet_closed'] : []),
    ...(isEmpty(model, wallet) ? [] : ['wallet_not_empty']),
  ]
  return decide(model, exchange, circumstances, {
    refusals: reasons,
    happens: () => [changeWallet(model, id, () => ({ state: 'closed' }))],
  })
}

function isEmpty(model: Model, wallet: ModelWallet): boolean {
  if (wallet.minor !== 0n || heldOf(model, wallet.id) !== 0n) return false
  const { holds } = model
  return ![...holds.values()].some(
    ({ payeeId, state }) => payeeId === wallet.id && state === 'open',
  )
}
