/**
 * Bank statement against clearing: whether a bank or payment system says the same of the account that it
 * keeps for the house as the ledger does of its clearing account.
 */
import { type AccountPlan, clearingAccount, findExisting } from '../../accounting/accounts.ts'
import { assetOf } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import { isUuid } from '../../accounting/ids.ts'
import type { Database } from '../../db/database.ts'
import { findSystemName, type PaymentSystemRow } from '../../db/payment-systems.ts'
import { fromLedgerTime, toLedgerTime } from '../flows/ledger-time.ts'
import { Refusal } from '../refusals.ts'
import { type ClearingEntry, readEntries } from './clearing-entries.ts'
import { learnCurrencies } from './currencies.ts'
import type { CurrencyTotals, Pass, PassResult } from './pass.ts'
import { type Day, dayIn, type Statement, StatementError, spanOf, startOfDay } from './statement.ts'
import { type EndBalances, readEndBalances } from './statement-balances.ts'
import {
  type StatementBreak,
  type StatementBreakKind,
  statementBreakKinds,
} from './statement-breaks.ts'
import { type ComparisonOptions, compareStatements } from './statement-comparison.ts'
import { readStatements, type StatementSource } from './statement-file.ts'
import type { StatementTotals } from './statement-totals.ts'

export interface StatementPassInput extends Partial<ComparisonOptions> {
  /** Files with statements of accounts of one payment system. */
  sources: readonly StatementSource[]
  /** Its id or name. */
  paymentSystem: string
  /** Up to which ledger time (ns) the ledger is compared. */
  asOf: bigint
  /** By whose calendar the bank's days are, as IANA names it; UTC when it is left out. */
  timeZone?: string | undefined
}

export interface StatementPass {
  paymentSystem: Pick<PaymentSystemRow, 'id' | 'name'>
  breaks: StatementBreak[]
  totals: StatementTotals[]
  balances: EndBalances[]
  /** A name for each statement, the same whatever file it is in. */
  scope: string[]
}

const defaults: ComparisonOptions = { windowDays: 3, toleranceDays: 0 }
const daysMax = 31
/** So many are held in memory; a statement of fewer days has fewer. */
const entriesMax = 1_000_000

/**
 * Compares statements with the clearing accounts of their payment system. It writes nothing.
 * Throws StatementError for a file that cannot be read, RangeError for an option; Refusal:
 * payment_system_not_found. Rejects with LedgerUnavailable or LedgerOutcomeUnknown.
 */
export async function reconcileStatements(
  deps: { db: Database; ledger: Ledger },
  { sources, paymentSystem: named, asOf, timeZone = 'UTC', ...given }: StatementPassInput,
): Promise<StatementPass> {
  const options = readOptions(given)
  const dayOf = dayIn(timeZone)
  const currencies = await learnCurrencies(deps.db)
  const system = await findSystemName(deps.db, isUuid(named, 7) ? { id: named } : { name: named })
  if (!system) throw new Refusal('payment_system_not_found')
  const { id, name, number } = system
  const statements: Statement[] = []
  for (const source of sources) statements.push(...(await readStatements(source)))
  const span = spanOf(statements.flatMap(({ from, to }) => [from, to]))
  if (!span) throw new RangeError('there is no statement to compare')
  const days = { from: span.from - options.windowDays, to: span.to + options.windowDays }
  const accounts = await findExisting(
    deps.ledger,
    currencies.map(({ currency }) => clearingAccount(number, assetOf(currency))),
  )
  const entries: ClearingEntry[] = []
  for (const account of accounts) {
    for await (const entry of entriesOf(deps, account, days, asOf, dayOf)) {
      entries.push(entry)
      if (entries.length <= entriesMax) continue
      throw new StatementError(name, undefined, `more than ${entriesMax} entries on these days`)
    }
  }
  const scope = statements.map((statement) => `${id}/${statement.account}/${statement.id}`)
  const balances = await readEndBalances(deps.ledger, statements, accounts, { asOf, dayOf })
  const compared = compareStatements(statements, entries, options)
  return { paymentSystem: { id, name }, scope, balances, ...compared }
}

function readOptions(given: Partial<ComparisonOptions>): ComparisonOptions {
  const options = { ...defaults, ...given }
  for (const days of Object.values(options)) {
    if (!Number.isInteger(days) || days < 0 || days > daysMax) {
      throw new RangeError(`days are a whole number from 0 to ${daysMax}, not ${days}`)
    }
  }
  return options
}

/** The pass that compares some statements. It rejects as `reconcileStatements` does. */
export function statementPass(input: Omit<StatementPassInput, 'asOf'>): Pass<StatementBreakKind> {
  return {
    name: 'statement',
    kinds: statementBreakKinds,
    async run({ db, ledger }) {
      const asOf = await readLedgerTime(ledger)
      const compared = await reconcileStatements({ db, ledger }, { ...input, asOf })
      const { breaks, totals, balances, scope } = compared
      return {
        counts: countAll(totals),
        asOf: fromLedgerTime(asOf),
        totals: totals.map((one) => toCurrencyTotals(one, balances)),
        breaks,
        omitted: {},
        scope,
      }
    },
  }
}

function countAll(totals: readonly StatementTotals[]): PassResult['counts'] {
  const count = (of: (one: StatementTotals) => number) =>
    totals.reduce((sum, one) => sum + of(one), 0)
  const told = {
    statements: count(({ statements }) => statements.count),
    lines: count(({ lines }) => lines.count),
    entries: count(({ entries }) => entries.count),
  }
  const besides = {
    'unproven statements': count(({ statements }) => statements.unproven),
    'skipped entries of the bank': count(({ lines }) => lines.skipped),
    'undecided entries': count(({ entries }) => entries.undecided.count),
  }
  const some = Object.entries(besides).filter(([, number]) => number > 0)
  return { ...told, ...Object.fromEntries(some) }
}

function toCurrencyTotals(
  { currency, lines, entries }: StatementTotals,
  balances: readonly EndBalances[],
): CurrencyTotals {
  const end = balances.find((one) => one.currency === currency)
  const { reference, amount_and_date, sum } = lines.matched
  return {
    currency,
    amounts: {
      bank: lines.sumMinor,
      'by reference': reference.sumMinor,
      'by amount': amount_and_date.sumMinor,
      'by sum': sum.sumMinor,
      differing: lines.differing.sumMinor,
      'bank only': lines.bankOnly.sumMinor,
      repeated: lines.repeated.sumMinor,
      ledger: entries.sumMinor,
      'ledger only': entries.ledgerOnly.sumMinor,
      ...(end && { "bank's balance": end.bankMinor, "ledger's balance": end.ledgerMinor }),
    },
  }
}

/** No time zone is further from UTC. */
const slackDays = 1

/**
 * Entries of an account on some days. What happened on one of them may have been told of much later: so
 * everything from then on is looked at.
 */
async function* entriesOf(
  deps: { db: Database; ledger: Ledger },
  account: AccountPlan,
  days: { from: Day; to: Day },
  asOf: bigint,
  dayOf: (at: Date) => Day,
): AsyncGenerator<ClearingEntry, void> {
  const from = toLedgerTime(Math.max(startOfDay(days.from - slackDays).getTime(), 0))
  for await (const page of readEntries(deps, account, { from, upTo: asOf }, dayOf)) {
    for (const entry of page) {
      if (entry.days.some((day) => days.from <= day && day <= days.to)) yield entry
    }
  }
}
