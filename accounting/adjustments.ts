/**
 * Adjustments: the house's own bookings, one leg each. Every kind is a transfer code, with the account
 * that it debits and the one that it credits; there is no other way to book by hand.
 */
import {
  type AccountPlan,
  bankAccount,
  clearingAccount,
  equityAccount,
  liquidityAccount,
  paymentSystemFeesAccount,
  paymentSystemIncomeAccount,
  provideAccounts,
  receivableAccount,
  rewardsAccount,
  walletAccount,
  writeOffsAccount,
} from './accounts.ts'
import { AccountCode, type Asset, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import type { Uuid } from './ids.ts'
import { type Chain, toTransfer } from './legs.ts'

/** What an adjustment concerns besides the house itself; which of it there is depends on the kind. */
export interface AdjustmentParties {
  asset: Asset
  paymentSystemNumber?: number
  userId?: Uuid
  walletId?: Uuid
}

type Side = (parties: AdjustmentParties) => AccountPlan

const bank: Side = ({ asset }) => bankAccount(asset)
const liquidity: Side = ({ asset }) => liquidityAccount(asset)
const equity: Side = ({ asset }) => equityAccount(asset)
const fees: Side = ({ asset }) => paymentSystemFeesAccount(asset)
const systemIncome: Side = ({ asset }) => paymentSystemIncomeAccount(asset)
const writeOffs: Side = ({ asset }) => writeOffsAccount(asset)
const rewards: Side = ({ asset }) => rewardsAccount(asset)
const clearing: Side = ({ asset, paymentSystemNumber }) =>
  clearingAccount(given(paymentSystemNumber, 'payment system'), asset)
const receivable: Side = ({ asset, userId }) => receivableAccount(given(userId, 'user'), asset)
const wallet: Side = ({ asset, walletId }) => walletAccount(given(walletId, 'wallet'), asset)

function given<T>(party: T | undefined, name: string): T {
  if (party === undefined) throw new Error(`an adjustment that concerns a ${name} names none`)
  return party
}

/** What is debited and what is credited by each kind; a payout from suspense is in suspense.ts. */
const sides = {
  liquidity_funding: [bank, liquidity],
  liquidity_draining: [liquidity, bank],
  settlement: [bank, clearing],
  prefunding: [clearing, bank],
  payment_system_fee: [fees, clearing],
  payment_system_income: [clearing, systemIncome],
  equity_contribution: [bank, equity],
  equity_withdrawal: [equity, bank],
  write_off: [writeOffs, receivable],
  reward: [rewards, wallet],
} as const satisfies Partial<
  Record<keyof typeof TransferCode, readonly [debit: Side, credit: Side]>
>

export type AdjustmentKind = keyof typeof sides

/** The account that an adjustment debits, and the one that it credits. */
export function adjustmentAccounts(
  kind: AdjustmentKind,
  parties: AdjustmentParties,
): [debit: AccountPlan, credit: AccountPlan] {
  const [debit, credit] = sides[kind]
  return [debit(parties), credit(parties)]
}

/** Accounts that come with what they belong to; those of the house are made when they are needed. */
const madeElsewhere: ReadonlySet<AccountCode> = new Set([
  AccountCode.wallet,
  AccountCode.receivable,
])

/**
 * The transfer of an adjustment (minor units), under a fresh id; sees to the accounts of the house. It is
 * declined with `exceeds_credits` or `exceeds_debits` when there is not so much to take it from, and with
 * `credit_account_not_found` for a customer who never owed anything.
 */
export async function toAdjustmentTransfer(
  ledger: Ledger,
  {
    kind,
    parties,
    amountMinor,
  }: { kind: AdjustmentKind; parties: AdjustmentParties; amountMinor: bigint },
  names: { id: Uuid; operationId: Uuid; inputHash: number },
): Promise<Chain> {
  const [debit, credit] = adjustmentAccounts(kind, parties)
  await provideAccounts(
    ledger,
    [debit, credit].filter(({ code }) => !madeElsewhere.has(code)),
  )
  const leg = {
    debitAccountId: debit.id,
    creditAccountId: credit.id,
    amountMinor,
    asset: parties.asset,
    code: TransferCode[kind],
  }
  return [toTransfer(leg, names)]
}
