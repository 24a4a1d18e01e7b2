import { readBalances } from '../../accounting/accounts.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import type { Uuid } from '../../accounting/ids.ts'
import {
  type ClosableWallet,
  closeAccount,
  keepClosed,
  readStanding,
  reopenAccount,
} from '../../accounting/standing.ts'
import { burnId } from '../../accounting/transfers.ts'
import { mintId } from '../../db/ids.ts'
import { markSettled } from '../../db/intents.ts'
import {
  findUnsettledClosings,
  insertWalletClosing,
  markWalletClosed,
  type UnsettledClosing,
} from '../../db/wallet-closings.ts'
import type { Wallet } from '../../db/wallets.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { ensureAccounts } from './open-wallet.ts'
import { afterMoving, settle } from './settle.ts'
import { findVisibleWallet } from './visible-wallet.ts'

type CloseDeps = Pick<Deps, 'db' | 'ledger' | 'sessions'>
type ClosingDeps = Pick<Deps, 'db' | 'ledger'>

const batchMax = 100

/**
 * Closes one of the caller's wallets, named by id or number, for ever. TigerBeetle does not check that it
 * is empty, so first the account is closed tentatively, then it is read, and then the closing is made
 * final or undone: whichever of the two the ledger commits first. A crash in between leaves it to
 * recovery, or to the next try: what an earlier one has left is settled first, so that it closes nothing
 * later. Refusals: wallet_not_found, wallet_number_mistyped, wallet_not_empty, wallet_closed (frozen),
 * busy, outcome_unknown.
 */
export async function closeWallet(
  deps: CloseDeps,
  caller: Customer,
  name: string,
): Promise<Wallet> {
  const wallet = await findVisibleWallet(deps, caller, name)
  if (wallet.closedAt) return wallet
  const closable = { id: wallet.id, asset: assetOf(wallet.currency) }
  await ensureAccounts(deps, [wallet])
  const earlier = await findUnsettledClosings(deps.db, { walletId: wallet.id, limit: batchMax })
  await afterMoving(wallet.id, settleClosings(deps, earlier))
  // Mostly told by a look: an owner who tries again and again must not keep others out meanwhile.
  if (!(await isEmpty(deps, wallet.id))) throw new Refusal('wallet_not_empty')
  if (!(await closeInTurns(deps, closable))) throw new Refusal('wallet_not_empty')
  deps.sessions.forgetUser(wallet.userId)
  return { ...wallet, closedAt: new Date() }
}

/** Whether there is nothing in a wallet, and nothing held of it or for it. */
async function isEmpty(deps: ClosingDeps, walletId: Uuid): Promise<boolean> {
  const balance = (await readBalances(deps.ledger, [walletId])).get(walletId)
  return balance?.postedMinor === 0n && balance.heldMinor === 0n && balance.incomingMinor === 0n
}

/** Another turn is taken only when the wallet was shut by somebody else and is open again. */
const turnsMax = 20

/** Whether the wallet was empty and is closed now. Refusals: wallet_closed, outcome_unknown, busy. */
async function closeInTurns(deps: ClosingDeps, wallet: ClosableWallet): Promise<boolean> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    const id = mintId()
    await insertWalletClosing(deps.db, { id, walletId: wallet.id })
    const step = await settle(id, closeAccount(deps.ledger, wallet, id, TransferCode.closing))
    const isClosed = await afterMoving(id, isClosedAfter(deps, wallet, id, step.kind === 'done'))
    if (isClosed !== 'open again') return isClosed
  }
  throw new Refusal('busy', { retryAfterSeconds: 1 })
}

/**
 * Whether the wallet is closed after the attempt `id` to close it. Another attempt may have been first,
 * and may have been cut off: it is decided here as well. Refusal: wallet_closed.
 */
async function isClosedAfter(
  deps: ClosingDeps,
  wallet: ClosableWallet,
  id: Uuid,
  isOurs: boolean,
): Promise<boolean | 'open again'> {
  const { state, closingId } = await readStanding(deps.ledger, wallet.id)
  const undecidedId = isOurs ? id : state === 'closing' ? closingId : undefined
  const isClosed = undecidedId ? await decide(deps, wallet, undecidedId) : state === 'closed'
  await finish(deps, wallet.id, id, isClosed)
  if (state === 'frozen') throw new Refusal('wallet_closed', 'The wallet is frozen.')
  return !undecidedId && state === 'active' ? 'open again' : isClosed
}

/**
 * Makes a tentative closing final when the wallet is empty, and undoes it otherwise. Answers whether it
 * is closed now; somebody else may have decided before.
 */
async function decide(
  deps: ClosingDeps,
  wallet: ClosableWallet,
  closingId: Uuid,
): Promise<boolean> {
  if (await isEmpty(deps, wallet.id)) await keepClosed(deps.ledger, wallet, closingId, mintId)
  else await reopenAccount(deps.ledger, wallet.id, closingId, mintId())
  return (await readStanding(deps.ledger, wallet.id)).state === 'closed'
}

/** Notes what has become of a closing: that it is settled comes last, or recovery would not see it. */
async function finish(
  { db }: Pick<Deps, 'db'>,
  walletId: Uuid,
  id: Uuid,
  isClosed: boolean,
): Promise<void> {
  if (isClosed) await markWalletClosed(db, walletId)
  await markSettled(db, 'wallet_closings', [id])
}

/** Decides closings that were cut off before `before`. Answers how many there were. */
export async function recoverClosings(deps: ClosingDeps, before: Date): Promise<number> {
  const closings = await findUnsettledClosings(deps.db, { before, limit: batchMax })
  await settleClosings(deps, closings)
  return closings.length
}

/** Decides closings that have happened and are undecided; what has not happened never will. */
async function settleClosings(
  deps: ClosingDeps,
  closings: readonly UnsettledClosing[],
): Promise<void> {
  for (const { id, walletId, currency } of closings) {
    await burnId(deps.ledger, id)
    const { state, closingId } = await readStanding(deps.ledger, walletId)
    const wallet = { id: walletId, asset: assetOf(currency) }
    const isUndecided = state === 'closing' && closingId === id
    const isClosed = isUndecided ? await decide(deps, wallet, id) : state === 'closed'
    await finish(deps, walletId, id, isClosed)
  }
}
