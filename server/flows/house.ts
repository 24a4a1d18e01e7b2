import { clearingAccount } from '../../accounting/accounts.ts'
import { type Asset, assetOf } from '../../accounting/chart.ts'
import { differenceOf, type HouseStatement, readHouse } from '../../accounting/house.ts'
import { LedgerTooBusy } from '../../accounting/posted-at.ts'
import { listPaymentSystems, type PaymentSystemRow } from '../../db/payment-systems.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readCurrency } from './amount.ts'

/** What is where, by payment system: null for one that PostgreSQL does not have (any more). */
export interface Clearing {
  paymentSystem: Pick<PaymentSystemRow, 'id' | 'name'> | null
  amountMinor: bigint
}

/** The balance sheet and the income statement of one currency. */
export interface HouseView extends Omit<HouseStatement, 'clearing'> {
  clearing: readonly Clearing[]
  /** Assets less liabilities, equity and what was earned. */
  differenceMinor: bigint
}

type HouseDeps = Pick<Deps, 'db' | 'ledger' | 'settings' | 'log'>

/**
 * The house's books as of one moment (`asOf`, ledger time in ns), of one currency or of each that has any
 * account. A difference that is not zero is logged as an error.
 * Refusals: currency_not_supported, busy, ledger_unavailable.
 */
export async function viewHouse(
  deps: HouseDeps,
  { currency }: { currency?: string | undefined },
): Promise<{ views: HouseView[]; asOf: bigint }> {
  const { statements, asOf } = await readStatements(deps, await readAssets(deps, currency))
  // Afterwards: each payment system whose account was seen is there by now.
  const paymentSystems = await readAllPaymentSystems(deps)
  const views = statements.map((statement) => ({
    ...statement,
    clearing: nameClearing(statement, paymentSystems),
    differenceMinor: differenceOf(statement),
  }))
  for (const { asset, differenceMinor } of views) {
    if (differenceMinor === 0n) continue
    deps.log.error({ currency: asset.currency, asOf, differenceMinor }, 'the books do not balance')
  }
  return { views, asOf }
}

async function readAssets(deps: HouseDeps, currency: string | undefined): Promise<Asset[]> {
  if (currency !== undefined) return [await readCurrency(deps, currency)]
  const { currencies } = await deps.settings.read()
  return [...currencies.keys()].map(assetOf)
}

async function readStatements({ ledger }: HouseDeps, assets: readonly Asset[]) {
  try {
    return await readHouse(ledger, assets)
  } catch (error) {
    if (!(error instanceof LedgerTooBusy)) throw error
    throw new Refusal('busy', { detail: 'Too much is paid now.', retryAfterSeconds: 60 })
  }
}

const pageLimit = 1_000

/** All payment systems, by their numbers. */
async function readAllPaymentSystems({ db }: Pick<Deps, 'db'>): Promise<PaymentSystemRow[]> {
  const all: PaymentSystemRow[] = []
  for (;;) {
    const after = all.at(-1)?.number ?? 0
    const page = await listPaymentSystems(db, { after, limit: pageLimit })
    all.push(...page)
    if (page.length < pageLimit) return all
  }
}

function nameClearing(
  { asset, clearing }: HouseStatement,
  paymentSystems: readonly PaymentSystemRow[],
): Clearing[] {
  if (clearing.length === 0) return []
  const byAccount = new Map(
    paymentSystems.map((row) => [clearingAccount(row.number, asset).id, row]),
  )
  return clearing.map(({ accountId, amountMinor }) => ({
    paymentSystem: byAccount.get(accountId) ?? null,
    amountMinor,
  }))
}
