import { LRUCache } from 'lru-cache'
import { clearingAccount, suspenseAccount } from '../../accounting/accounts.ts'
import { AccountCode, assetOfLedger } from '../../accounting/chart.ts'
import { toLedgerId, toUuid, type Uuid } from '../../accounting/ids.ts'
import { lookUpAccounts } from '../../accounting/lookup.ts'
import { readPaymentSystemNumbers } from '../../db/record-pages.ts'
import { findWallets } from '../../db/wallets.ts'
import type { Deps } from '../deps.ts'

/** What accounts of each kind are called; those of which there are several have a further part. */
const prefixes = {
  clearing: 'assets:clearing',
  bank: 'assets:bank',
  receivable: 'assets:receivable',
  wallet: 'liabilities:wallets',
  feeIncome: 'income:fees',
  spreadIncome: 'income:spread',
  paymentSystemIncome: 'income:payment-systems',
  liquidity: 'liabilities:liquidity',
  rewards: 'expenses:rewards',
  paymentSystemFees: 'expenses:payment-system-fees',
  writeOffs: 'expenses:write-offs',
  suspense: 'liabilities:suspense',
  equity: 'equity:house',
} as const satisfies Partial<Record<keyof typeof AccountCode, string>>

type NamedKind = keyof typeof prefixes

const kindByCode = new Map(
  (Object.keys(prefixes) as NamedKind[]).map((kind) => [AccountCode[kind] as number, kind]),
)

/** Kinds of which an asset has more than one account. */
const several: readonly NamedKind[] = ['clearing', 'receivable', 'wallet', 'suspense']

/** How many names are remembered. */
const namesMax = 100_000

export interface AccountNames {
  /** The names of accounts of money; throws for one that the ledger or the chart does not have. */
  of(ids: readonly Uuid[]): Promise<(id: Uuid) => string>
}

/**
 * Names accounts as plain-text accounting does, `liabilities:wallets:8966728910`. They say of people
 * nothing but their wallets' numbers. Payment systems have their numbers; what has no number of its own,
 * and a wallet that PostgreSQL does not have, its id.
 */
export async function createAccountNames(deps: Pick<Deps, 'db' | 'ledger'>): Promise<AccountNames> {
  const systemNumbers = [...(await readPaymentSystemNumbers(deps.db)).values()]
  const known = new LRUCache<Uuid, string>({ max: namesMax })

  /** The accounts of payment systems in an asset's ledger, by id. */
  const numbersOf = new Map<number, Map<Uuid, string>>()
  function numbersIn(ledger: number): Map<Uuid, string> {
    const asset = assetOfLedger(ledger)
    const numbers =
      numbersOf.get(ledger) ??
      new Map(
        systemNumbers.flatMap((number) => [
          [clearingAccount(number, asset).id, String(number)],
          [suspenseAccount(number, asset).id, String(number)],
        ]),
      )
    numbersOf.set(ledger, numbers)
    return numbers
  }

  async function read(ids: readonly Uuid[]): Promise<[Uuid, string][]> {
    const accounts = [...(await lookUpAccounts(deps.ledger, ids.map(toLedgerId))).values()]
    const wallets = await findWallets(
      deps.db,
      accounts.filter(({ code }) => code === AccountCode.wallet).map(({ id }) => toUuid(id)),
    )
    return accounts.map(({ id: ledgerId, code, ledger }) => {
      const id = toUuid(ledgerId)
      const kind = kindByCode.get(code)
      if (!kind) throw new Error(`account ${id} is no account of money: its code is ${code}`)
      const number = wallets.get(id)?.number ?? numbersIn(ledger).get(id) ?? id
      return [id, several.includes(kind) ? `${prefixes[kind]}:${number}` : prefixes[kind]]
    })
  }

  return {
    async of(ids) {
      const wanted = new Map<Uuid, string | undefined>(ids.map((id) => [id, known.get(id)]))
      const missing = [...wanted].filter(([, name]) => name === undefined).map(([id]) => id)
      for (const [id, name] of await read(missing)) {
        known.set(id, name)
        wanted.set(id, name)
      }
      return (id) => {
        const name = wanted.get(id)
        if (name === undefined) throw new Error(`the ledger has no account ${id}`)
        return name
      }
    },
  }
}
