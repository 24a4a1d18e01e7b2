/**
 * Which transfers there can be: for each code of the chart the kinds of account on its sides, and the ways
 * in which it is written down, with their flags, timeouts and amounts. What is not in this table no flow
 * has made.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { AccountCode, ControlCode, findLedger, TransferCode } from './chart.ts'
import type { FindingKind } from './findings.ts'

/** A way to write a transfer down; `linked` may come to the flags. */
interface Way {
  flags: number
  timeout: 'none' | 'some'
  amount: 'none' | 'some' | 'any'
}

const { balancing_debit, balancing_credit, pending, closing_credit } = TransferFlags
const { post_pending_transfer, void_pending_transfer } = TransferFlags

type Amount = Way['amount']
const single = (amount: Amount = 'some', flags: number = TransferFlags.none): Way => ({
  flags,
  timeout: 'none',
  amount,
})
const forEver = (amount: Amount, flags: number = pending): Way => single(amount, flags)
const forATime = (amount: Amount): Way => ({ flags: pending, timeout: 'some', amount })
const post = (amount: Amount): Way => single(amount, post_pending_transfer)
const voided = (amount: Amount): Way => single(amount, void_pending_transfer)
const closed = pending | closing_credit
const balancing = balancing_debit | balancing_credit

interface LegRule {
  debit: AccountCode
  credit: AccountCode
  ways: readonly Way[]
}

type Side = keyof typeof AccountCode
const leg = (debit: Side, credit: Side, ...ways: Way[]): LegRule => ({
  debit: AccountCode[debit],
  credit: AccountCode[credit],
  ways: ways.length > 0 ? ways : [single()],
})

const moneyRules: Readonly<Record<keyof typeof TransferCode, LegRule>> = {
  deposit: leg('clearing', 'wallet'),
  payment: leg('wallet', 'wallet'),
  hold: leg('wallet', 'wallet', forATime('some'), post('some'), voided('some')),
  withdrawal: leg('wallet', 'clearing', forEver('some'), post('some'), voided('some')),
  refund: leg('wallet', 'wallet'),
  chargeback: leg('receivable', 'clearing'),
  chargeback_payment: leg('wallet', 'receivable', single('any', balancing)),
  suspense: leg('clearing', 'suspense'),
  suspense_assignment: leg('suspense', 'wallet'),
  suspense_return: leg('suspense', 'clearing'),
  freeze: leg('equity', 'wallet', forEver('none', closed), voided('none')),
  closing: leg('equity', 'wallet', forEver('none', closed), voided('none')),
  closure: leg('equity', 'wallet', forEver('none', closed)),
  fee: leg('wallet', 'feeIncome', single(), forEver('some'), post('some'), voided('some')),
  fee_refund: leg('feeIncome', 'wallet'),
  exchange_sale: leg('wallet', 'liquidity'),
  exchange_purchase: leg('liquidity', 'wallet'),
  exchange_spread: leg('liquidity', 'spreadIncome'),
  liquidity_funding: leg('bank', 'liquidity'),
  liquidity_draining: leg('liquidity', 'bank'),
  settlement: leg('bank', 'clearing'),
  prefunding: leg('clearing', 'bank'),
  payment_system_fee: leg('paymentSystemFees', 'clearing'),
  equity_contribution: leg('bank', 'equity'),
  equity_withdrawal: leg('equity', 'bank'),
  write_off: leg('writeOffs', 'receivable'),
  suspense_payout: leg('suspense', 'bank'),
  reward: leg('rewards', 'wallet'),
  payment_system_income: leg('clearing', 'paymentSystemIncome'),
}

const controlRules: Readonly<Record<keyof typeof ControlCode, LegRule>> = {
  request: leg('requestAllowance', 'control', forATime('some'), post('none'), voided('some')),
  withdrawal_take: leg('rights', 'control', forEver('none'), post('none'), voided('none')),
  returnable_grant: leg('control', 'returnable'),
  returnable_use: leg('returnable', 'control'),
  request_allowance_grant: leg('control', 'requestAllowance'),
  suspense_release: leg('rights', 'control', forEver('none'), post('none')),
  quote: leg('rights', 'control', forATime('none'), post('none')),
  budget_use: leg('budget', 'control', forATime('some'), voided('some')),
  budget_grant: leg('control', 'budget', single('any')),
  budget_take: leg('budget', 'control', single('any', balancing_debit)),
  approval: leg('rights', 'control', forATime('none'), post('none'), voided('none')),
}

/** By code; a code without a rule is in nobody's chart. */
const moneyByCode = toTable(moneyRules, TransferCode)
const controlByCode = toTable(controlRules, ControlCode)

function toTable<Name extends string>(
  rules: Readonly<Record<Name, LegRule>>,
  codes: Readonly<Record<Name, number>>,
): (LegRule | undefined)[] {
  const table: (LegRule | undefined)[] = []
  for (const name of Object.keys(rules) as Name[]) table[codes[name]] = rules[name]
  return table
}

/** An account as far as its place in the chart is concerned. */
interface Placed {
  ledger: number
  code: number
}

/** Ledgers that were asked about. */
const rulesByLedger = new Map<number, (LegRule | undefined)[] | undefined>()

function findRules(ledger: number): (LegRule | undefined)[] | undefined {
  const known = rulesByLedger.get(ledger)
  if (known) return known
  const found = findLedger(ledger)
  const rules = found && (found.isControl ? controlByCode : moneyByCode)
  if (rules) rulesByLedger.set(ledger, rules)
  return rules
}

/** What is wrong with a transfer by itself, between these accounts; undefined when nothing is. */
export function findLegFault(
  transfer: Transfer,
  debit: Placed,
  credit: Placed,
): FindingKind | undefined {
  const { ledger, code, user_data_128, user_data_32 } = transfer
  const rule = findRules(ledger)?.[code]
  if (!rule) return 'unknown_code'
  if (debit.code !== rule.debit || credit.code !== rule.credit) return 'wrong_accounts'
  if (debit.ledger !== ledger || credit.ledger !== ledger) return 'wrong_accounts'
  if (!hasWay(rule, transfer)) return 'wrong_flags'
  return user_data_128 === 0n || user_data_32 === 0 ? 'operation_unnamed' : undefined
}

function hasWay({ ways }: LegRule, { flags, timeout, amount }: Transfer): boolean {
  const own = flags & ~TransferFlags.linked
  for (const way of ways) {
    if (way.flags !== own) continue
    if ((timeout === 0) !== (way.timeout === 'none')) continue
    if (way.amount === 'any' || (amount === 0n) === (way.amount === 'none')) return true
  }
  return false
}
