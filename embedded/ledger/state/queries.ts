import { accountFilter, accountRange, queryRange, type Range } from './filters.ts'
import { none } from './hash-table.ts'
import type { CommonKey, Indexes, TransferKey } from './indexes.ts'
import type { Ledger } from './ledger.ts'
import { elementsMax } from './multi-batch.ts'
import { accountFlag, balanceWords, field, recordWords, transferField } from './record.ts'
import type { RowCursor } from './row-cursor.ts'
import { accountRows, queryRows } from './search.ts'
import { equal128 } from './words.ts'

/** Where the filter of one query stands and where its results go, in words. */
export interface Query {
  readonly input: Uint32Array
  readonly from: number
  readonly output: Uint32Array
  readonly to: number
}

/** The accounts with these ids, in their order; unknown ids are left out. */
export function lookupAccounts(ledger: Ledger, ids: number, query: Query): number {
  const { accounts } = ledger
  let found = 0
  for (let index = 0; index < ids; index += 1) {
    const row = accounts.find(query.input, query.from + index * 4)
    if (row === none) continue
    accounts.write(row, query.output, query.to + found * recordWords)
    found += 1
  }
  return found
}

/** The transfers with these ids, in their order; unknown ids are left out. */
export function lookupTransfers(ledger: Ledger, ids: number, query: Query): number {
  const { transfers } = ledger
  let found = 0
  for (let index = 0; index < ids; index += 1) {
    const row = transfers.find(query.input, query.from + index * 4)
    if (row < 0) continue
    transfers.write(row, query.output, query.to + found * recordWords)
    found += 1
  }
  return found
}

const resultsMax = elementsMax(recordWords * 4)

/** Accounts by their fields, as they are now. An invalid filter finds nothing. */
export function queryAccounts(ledger: Ledger, indexes: Indexes<CommonKey>, query: Query): number {
  const { accounts } = ledger
  const range = queryRange(accounts.rows, query.input, query.from)
  if (!range) return 0
  const cursor = queryRows(indexes, query.input, query.from, range)
  return collect(cursor, range, query, (row, at) => accounts.write(row, query.output, at))
}

/** Transfers by their fields. An invalid filter finds nothing. */
export function queryTransfers(
  ledger: Ledger,
  indexes: Indexes<TransferKey>,
  query: Query,
): number {
  const range = queryRange(ledger.transfers.rows, query.input, query.from)
  if (!range) return 0
  const cursor = queryRows(indexes, query.input, query.from, range)
  return collect(cursor, range, query, (row, at) => ledger.transfers.write(row, query.output, at))
}

/** Transfers of an account. An invalid filter finds nothing. */
export function accountTransfers(
  ledger: Ledger,
  indexes: Indexes<TransferKey>,
  query: Query,
): number {
  const range = accountRange(ledger.transfers.rows, query.input, query.from)
  if (!range) return 0
  const cursor = accountRows(indexes, query.input, query.from, range)
  return collect(cursor, range, query, (row, at) => ledger.transfers.write(row, query.output, at))
}

/**
 * The balances of an account after each of those transfers. An invalid filter, an unknown account
 * and one without the history flag have none.
 */
export function accountBalances(
  ledger: Ledger,
  indexes: Indexes<TransferKey>,
  query: Query,
): number {
  const { accounts, history, transfers } = ledger
  const { input, from, output } = query
  const account = accounts.find(input, from + accountFilter.accountId)
  if (account === none) return 0
  if ((accounts.createdFlags(account) & accountFlag.history) === 0) return 0
  const range = accountRange(transfers.rows, input, from)
  if (!range) return 0
  return collect(accountRows(indexes, input, from, range), range, query, (row, at) => {
    const words = transfers.rows.words(row)
    const record = transfers.rows.at(row)
    const credit = equal128(words, record + transferField.creditAccountId, input, from)
    history.copy(row, credit, output, at)
    output.fill(0, at + balanceWords, at + recordWords)
    output[at + balanceWords] = words[record + field.timestamp]!
    output[at + balanceWords + 1] = words[record + field.timestamp + 1]!
  })
}

/** Writes the results one after the other; gives their number. */
function collect(
  cursor: RowCursor,
  range: Range,
  query: Query,
  write: (row: number, at: number) => void,
): number {
  const limit = Math.min(range.limit, resultsMax)
  let found = 0
  while (found < limit) {
    const row = cursor.next()
    if (row === none) break
    write(row, query.to + found * recordWords)
    found += 1
  }
  return found
}
