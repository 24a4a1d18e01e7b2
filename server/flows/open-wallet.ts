import { createAccounts, walletAccount } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import { LedgerOutcomeUnknown, LedgerUnavailable } from '../../accounting/client.ts'
import {
  findWalletsWithoutAccount,
  insertWallet,
  markAccountsCreated,
  type Wallet,
} from '../../db/wallets.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readCurrency } from './amount.ts'

type WalletDeps = Pick<Deps, 'db' | 'ledger'>

/** How many wallets of one currency a person can have: open ones, and with closed ones. */
const limits = { openMax: 10, everMax: 50 }

/**
 * Opens a wallet: first the row with the minted id, then the account in the ledger, which can be
 * repeated (see ensureAccounts).
 * Refusals: currency_not_supported, currency_closed, wallet_limit_reached, outcome_unknown.
 */
export async function openWallet(
  deps: WalletDeps & Pick<Deps, 'sessions' | 'settings'>,
  { userId, currency }: { userId: string; currency: string },
): Promise<Wallet> {
  await readCurrency(deps, currency)
  const { currencies } = await deps.settings.read()
  if (currencies.get(currency)?.closedAt) throw new Refusal('currency_closed')
  const wallet = await insertWallet(deps.db, { userId, currency, ...limits })
  if (!wallet) {
    throw new Refusal(
      'wallet_limit_reached',
      `A person can have ${limits.openMax} wallets of one currency, ${limits.everMax} with closed ones.`,
    )
  }
  await openAccount(deps, wallet)
  // The notification says so too, but the person's next request may be faster.
  deps.sessions.forgetUser(userId)
  return { ...wallet, hasAccount: true }
}

/** When the ledger is away the wallet is stored all the same: "nothing was done" would not be true. */
async function openAccount(deps: WalletDeps, wallet: Wallet): Promise<void> {
  try {
    await ensureAccounts(deps, [wallet])
  } catch (error) {
    if (!(error instanceof LedgerUnavailable || error instanceof LedgerOutcomeUnknown)) throw error
    throw new Refusal('outcome_unknown', {
      detail: 'The wallet is stored, and in the list as soon as the ledger answers.',
      retryAfterSeconds: 5,
      extra: { operation_id: wallet.id },
    })
  }
}

/** Creates the accounts of wallets that may have none yet; repeating it changes nothing. */
export async function ensureAccounts(deps: WalletDeps, wallets: readonly Wallet[]): Promise<void> {
  const missing = wallets.filter(({ hasAccount }) => !hasAccount)
  if (missing.length === 0) return
  await createAccounts(
    deps.ledger,
    missing.map(({ id, currency }) => walletAccount(id, assetOf(currency))),
  )
  await markAccountsCreated(
    deps.db,
    missing.map(({ id }) => id),
  )
}

const recoveryBatch = 1_000

/** Creates the accounts of all wallets whose opening was cut off. Answers how many there were. */
export async function recoverWallets(deps: WalletDeps): Promise<number> {
  for (let count = 0; ; ) {
    const wallets = await findWalletsWithoutAccount(deps.db, recoveryBatch)
    if (wallets.length === 0) return count
    await ensureAccounts(deps, wallets)
    count += wallets.length
  }
}
