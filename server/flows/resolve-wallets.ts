/** Finds which wallet pays and which is paid, from what the payer wrote. */
import { isUuid, type Uuid } from '../../accounting/ids.ts'
import { isLuhnValid, type Wallet } from '../../db/wallets.ts'
import { type CallerWallet, type Payer, toCallerWallet } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { type FieldError, Refusal } from '../refusals.ts'
import { findIn, type WalletFinder } from './wallet-finder.ts'

/** How a payer names who is paid. */
export type Recipient = { kind: 'wallet'; wallet: string } | { kind: 'username'; username: string }

export interface Route {
  from: CallerWallet
  toWalletId: Uuid
}

/** What a payer has written of the wallets; what is left out is undefined. */
interface Wanted {
  fromWalletId?: string | undefined
  to: Recipient
  currency?: string | undefined
}

/** A wallet that may be the paid one; the currency is unknown while only its id was given. */
interface Candidate {
  id: Uuid
  currency: string | undefined
}

/**
 * The paying wallet is the named one, or the only one of the caller that fits. A recipient named by
 * wallet id costs no query, unless the caller has several wallets that could pay.
 * Refusals: wallet_not_found, wallet_number_mistyped, recipient_not_found, currency_mismatch,
 * same_wallet, wallet_ambiguous.
 */
export async function resolveRoute(
  deps: Pick<Deps, 'db'>,
  caller: Payer,
  wanted: Wanted,
  finder: WalletFinder = findIn(deps.db),
): Promise<Route> {
  const known = findKnownRoute(caller, wanted)
  if (known) return known
  const payers = await findPayers(deps, caller, wanted, finder)
  let candidates = await findCandidates(finder, caller, wanted.to)
  let routes = findRoutes(payers, candidates)
  if (routes.length > 1 && candidates.some(({ currency }) => currency === undefined)) {
    candidates = await lookUp(finder, candidates)
    routes = findRoutes(payers, candidates)
  }
  const [route, second] = routes
  if (route && !second) return route
  if (second) throw refuseAmbiguous(fromWalletField)
  const isOwn = payers.every((payer) => candidates.some(({ id }) => id === payer.id))
  throw new Refusal(isOwn ? 'same_wallet' : 'currency_mismatch')
}

/**
 * The route of resolveRoute, if it follows from the caller's wallets and the recipient's id, so that
 * nothing has to be looked up.
 */
export function findKnownRoute(caller: Payer, wanted: Wanted): Route | undefined {
  const candidate = wanted.to.kind === 'wallet' && findKnown(caller, wanted.to.wallet)
  if (!candidate) return undefined
  const payers = keepFitting(findOwn(caller, wanted.fromWalletId), wanted.currency)
  const [route, second] = findRoutes(payers, [candidate])
  return second ? undefined : route
}

type Field = Omit<FieldError, 'message'>

const fromWalletField: Field = { pointer: '/from_wallet_id' }

function refuseAmbiguous(field: Field): Refusal {
  return new Refusal('wallet_ambiguous', {
    errors: [{ ...field, message: 'name the wallet that is meant' }],
  })
}

/**
 * The named wallet of the caller, or the only open one of a currency.
 * Refusals: wallet_not_found, wallet_number_mistyped, currency_mismatch, wallet_ambiguous.
 */
export async function resolveOwnWallet(
  deps: Pick<Deps, 'db'>,
  caller: Payer,
  wanted: { name: string | undefined; currency?: string; field?: Field },
): Promise<CallerWallet> {
  const { name: fromWalletId, currency, field = fromWalletField } = wanted
  const [wallet, second] = await findPayers(deps, caller, { fromWalletId, currency })
  if (!wallet || second) throw refuseAmbiguous(field)
  return wallet
}

/**
 * The wallet of a recipient that a currency is paid into. Of one named by its id the ledger decides
 * whether it has the currency. Refusals: wallet_number_mistyped, recipient_not_found, currency_mismatch.
 */
export async function resolveRecipient(
  deps: Pick<Deps, 'db'>,
  caller: Payer,
  to: Recipient,
  wanted: string,
): Promise<Uuid> {
  const candidates = await findCandidates(findIn(deps.db), caller, to)
  const fitting = candidates.find(({ currency }) => (currency ?? wanted) === wanted)
  if (!fitting) throw new Refusal('currency_mismatch')
  return fitting.id
}

/**
 * The caller's wallets that could pay: just the named one, if one is named. When the session does not
 * have it yet it may have been opened in another process a moment ago: only then PostgreSQL is asked.
 * Refusals: wallet_not_found, wallet_number_mistyped, currency_mismatch.
 */
export async function findPayers(
  deps: Pick<Deps, 'db'>,
  caller: Payer,
  wanted: Pick<Wanted, 'fromWalletId' | 'currency'>,
  finder: WalletFinder = findIn(deps.db),
): Promise<readonly CallerWallet[]> {
  const { fromWalletId: name, currency } = wanted
  const named = findOwn(caller, name)
  const payers =
    named.length > 0 || name === undefined ? named : await findNew(finder, caller, name)
  if (payers.length === 0) throw new Refusal('wallet_not_found', 'You have no such wallet.')
  const fitting = keepFitting(payers, currency)
  if (fitting.length > 0) return fitting
  throw new Refusal('currency_mismatch', `You have no such wallet in ${currency}.`)
}

/** The caller's wallets of this name, or all open ones. */
function findOwn({ wallets }: Payer, name: string | undefined): readonly CallerWallet[] {
  return name === undefined
    ? wallets.filter(({ isClosed }) => !isClosed)
    : wallets.filter(({ id, number }) => id === name || number === name)
}

const keepFitting = (wallets: readonly CallerWallet[], currency: string | undefined) =>
  currency === undefined ? wallets : wallets.filter((wallet) => wallet.currency === currency)

async function findNew(
  finder: WalletFinder,
  caller: Payer,
  name: string,
): Promise<readonly CallerWallet[]> {
  const wallet = await findNamed(finder, name)
  return wallet?.userId === caller.userId ? [toCallerWallet(wallet)] : []
}

/** A wallet of the caller's own, or one that is named by its id. */
function findKnown(caller: Payer, name: string): Candidate | undefined {
  const [own] = findOwn(caller, name)
  if (own) return own
  return isUuid(name, 7) ? { id: name, currency: undefined } : undefined
}

async function findCandidates(
  finder: WalletFinder,
  caller: Payer,
  to: Recipient,
): Promise<readonly Candidate[]> {
  if (to.kind === 'wallet') {
    const known = findKnown(caller, to.wallet)
    if (known) return [known]
    const wallet = await findByNumber(finder, to.wallet)
    if (!wallet) throw new Refusal('recipient_not_found')
    return [wallet]
  }
  const wallets = await finder.ofUsername(to.username)
  if (!wallets) throw new Refusal('recipient_not_found')
  // A person is paid into the oldest wallet of each currency.
  const oldest = new Map<string, Wallet>()
  for (const wallet of wallets) {
    if (!oldest.has(wallet.currency)) oldest.set(wallet.currency, wallet)
  }
  return [...oldest.values()]
}

async function lookUp(
  finder: WalletFinder,
  candidates: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const wallets = await Promise.all(candidates.map(({ id }) => finder.byId(id)))
  const found = wallets.filter((wallet) => wallet !== undefined)
  if (found.length === 0) throw new Refusal('recipient_not_found')
  return found
}

function findRoutes(payers: readonly CallerWallet[], candidates: readonly Candidate[]): Route[] {
  const routes: Route[] = []
  for (const from of payers) {
    for (const { id, currency = from.currency } of candidates) {
      if (id !== from.id && currency === from.currency) routes.push({ from, toWalletId: id })
    }
  }
  return routes
}

/**
 * A wallet by its id or its number for people.
 * Refusals: wallet_number_mistyped; an id that no wallet can have finds nothing.
 */
export function findNamedWallet(deps: Pick<Deps, 'db'>, name: string): Promise<Wallet | undefined> {
  return findNamed(findIn(deps.db), name)
}

async function findNamed(finder: WalletFinder, name: string): Promise<Wallet | undefined> {
  return isUuid(name, 7) ? finder.byId(name) : findByNumber(finder, name)
}

async function findByNumber(finder: WalletFinder, number: string): Promise<Wallet | undefined> {
  if (!/^\d{1,18}$/.test(number)) return undefined
  if (!isLuhnValid(number)) throw new Refusal('wallet_number_mistyped')
  return finder.byNumber(number)
}
