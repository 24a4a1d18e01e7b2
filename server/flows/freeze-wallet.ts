import { assetOf, TransferCode } from '../../accounting/chart.ts'
import {
  closeAccount,
  freezeId,
  readStanding,
  reopenAccount,
  type Standing,
} from '../../accounting/standing.ts'
import { mintId } from '../../db/ids.ts'
import type { Wallet } from '../../db/wallets.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { ensureAccounts } from './open-wallet.ts'
import { findNamedWallet } from './resolve-wallets.ts'
import { settle } from './settle.ts'

type FreezeDeps = Pick<Deps, 'db' | 'ledger'>

/** Another turn is taken only when somebody else has frozen, thawed or closed the wallet meanwhile. */
const turnsMax = 20

/**
 * Keeps a wallet, named by id or number, from being debited and credited, in the ledger itself. What is
 * held for or of it can still run out or be given back. Repeating it changes nothing.
 * Refusals: wallet_not_found, wallet_number_mistyped, wallet_closed, busy, outcome_unknown.
 */
export async function freezeWallet(deps: FreezeDeps, name: string): Promise<Wallet> {
  const wallet = await find(deps, name)
  const closable = { id: wallet.id, asset: assetOf(wallet.currency) }
  await ensureAccounts(deps, [wallet])
  return inTurns(deps, wallet, async (standing) => {
    if (standing.state === 'frozen') return true
    if (standing.state === 'closed') throw new Refusal('wallet_closed')
    const id = freezeId(wallet.id, standing)
    const step = await settle(id, closeAccount(deps.ledger, closable, id, TransferCode.freeze))
    // One that happened before is the freeze of somebody else, and may be undone: the next turn tells.
    return step.kind === 'done' && !step.replayed
  })
}

/**
 * Lets a frozen wallet be debited and credited again. Repeating it changes nothing.
 * Refusals: wallet_not_found, wallet_number_mistyped, wallet_closed, busy, outcome_unknown.
 */
export async function thawWallet(deps: FreezeDeps, name: string): Promise<Wallet> {
  const wallet = await find(deps, name)
  return inTurns(deps, wallet, async ({ state, closingId }) => {
    if (state === 'active') return true
    if (state === 'closed') throw new Refusal('wallet_closed')
    if (state === 'closing' || !closingId) return false
    const id = mintId()
    const step = await settle(id, reopenAccount(deps.ledger, wallet.id, closingId, id))
    return step.kind === 'done'
  })
}

/** Reads how the wallet stands and takes a step, until one succeeds. Refusal: busy. */
async function inTurns(
  deps: FreezeDeps,
  wallet: Wallet,
  step: (standing: Standing) => Promise<boolean>,
): Promise<Wallet> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    if (await step(await readStanding(deps.ledger, wallet.id))) return wallet
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

async function find(deps: FreezeDeps, name: string): Promise<Wallet> {
  const wallet = await findNamedWallet(deps, name)
  if (!wallet) throw new Refusal('wallet_not_found')
  return wallet
}
