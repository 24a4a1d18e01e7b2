/** The people of the bench: users with wallets, written straight to the two servers. */
import { clearingAccount, createAccounts, walletAccount } from '../../accounting/accounts.ts'
import { type Asset, assetOf, TransferCode } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { submitOnce } from '../../accounting/transfers.ts'
import type { Database } from '../../db/database.ts'
import { mintId } from '../../db/ids.ts'
import { insertLimit } from '../../db/limits.ts'

/** As many wallets as a person may have of one currency. */
const walletsPerUser = 10
export const currency = 'USD'
/** In which every payment costs a fee. */
export const feeCurrency = 'EUR'

/** Far more than a run can spend, also when all pay from one wallet. */
const fundsMinor = 1_000_000_000_000n

/** Rows or accounts written at once: as many as a TigerBeetle with `--development` takes. */
const batchSize = 250

export interface Population {
  emails: readonly string[]
  /** Wallet ids in the order of their users, equally many for each. */
  wallets: readonly string[]
  /** The same of the currency with fees. */
  feeWallets: readonly string[]
}

/** Those whom nothing limits, and those who have a limit a day, far above what a run can spend. */
export type Group = 'payer' | 'limited'

/** The wallet numbers of a group go on from here. */
const firstNumber: Readonly<Record<Group, bigint>> = {
  payer: 1_000_000_000n,
  limited: 2_000_000_000n,
}

/** Creates users with this password hash and wallets full of money. */
export async function createPopulation(
  { db, ledger }: { db: Database; ledger: Ledger },
  { users: count, passwordHash, group }: { users: number; passwordHash: string; group: Group },
): Promise<Population> {
  const users = Array.from({ length: count }, (_, place) => ({
    id: mintId(),
    role: 'customer' as const,
    email: `${group}-${place}@example.com`,
    password_hash: passwordHash,
    username: `${group}_${place}`,
    name: null,
    deactivated_at: null,
  }))
  await db.insertInto('users').values(users).execute()
  const open = async (of: string, first: bigint): Promise<string[]> => {
    const wallets = Array.from({ length: count * walletsPerUser }, (_, place) => ({
      id: mintId(),
      user_id: users[Math.floor(place / walletsPerUser)]!.id,
      number: firstNumber[group] + first + BigInt(place),
      currency: of,
      account_created_at: new Date(),
    }))
    for (const batch of inBatches(wallets)) await db.insertInto('wallets').values(batch).execute()
    const ids = wallets.map(({ id }) => id)
    await fund(ledger, assetOf(of), ids)
    return ids
  }
  const wallets = group === 'limited' ? [] : await open(currency, 0n)
  const feeWallets = await open(feeCurrency, 500_000_000n)
  if (group === 'limited') await Promise.all(users.map(({ id }) => limit(db, id)))
  return { emails: users.map(({ email }) => email), wallets, feeWallets }
}

function limit(db: Database, userId: string): Promise<void> {
  const rule = { window: 'day', rule: 'amount', amountMinor: fundsMinor } as const
  return insertLimit(db, { id: mintId(), userId, setBy: userId, currency: feeCurrency, ...rule })
}

async function fund(ledger: Ledger, asset: Asset, wallets: readonly string[]): Promise<void> {
  const clearing = clearingAccount(1, asset)
  await createAccounts(ledger, [clearing])
  const deposit = async (walletId: string): Promise<void> => {
    const leg = {
      debitAccountId: clearing.id,
      creditAccountId: walletId,
      amountMinor: fundsMinor,
      asset,
      code: TransferCode.deposit,
    }
    const { kind } = await submitOnce(ledger, { operationId: mintId(), inputHash: 1, legs: [leg] })
    if (kind !== 'done') throw new Error(`wallet ${walletId} was not funded: ${kind}`)
  }
  for (const batch of inBatches(wallets)) {
    await createAccounts(
      ledger,
      batch.map((id) => walletAccount(id, asset)),
    )
    await Promise.all(batch.map(deposit))
  }
}

function* inBatches<T>(values: readonly T[]): Generator<T[]> {
  for (let start = 0; start < values.length; start += batchSize) {
    yield values.slice(start, start + batchSize)
  }
}
