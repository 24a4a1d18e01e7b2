/**
 * What tells one statement from another, and one with all its entries from one that lacks some: both
 * are computed from what is in the statement, so that whoever has the file can compute them again.
 */
import { createHash } from 'node:crypto'
import { computeUuid } from '../../accounting/ids.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { type Statement, type StatementEntry, showMinor } from './statement.ts'

type Named = Pick<Statement, 'wallet' | 'from' | 'to' | 'asOf' | 'isFinal'>

/**
 * The number of a statement: the wallet's, and 16 hexadecimal digits in groups of four. The same for the
 * same wallet and period once the period is over; until then each moment has its own.
 */
export function statementNumber({ wallet, from, to, asOf, isFinal }: Named): string {
  const moment = isFinal ? [] : [asOf]
  const digits = computeUuid('statement', wallet.id, from, to, ...moment).replaceAll('-', '')
  const groups = [0, 4, 8, 20].map((start) => digits.slice(start, start + 4).toUpperCase())
  return [wallet.number, ...groups].join('-')
}

/** What of an entry the checksum covers: names and memos may change, these may not. */
export type CheckedEntry = Pick<
  StatementEntry,
  'id' | 'timestamp' | 'kind' | 'changeMinor' | 'balanceMinor'
>

/** Adds up a statement's checksum: SHA-256 over lines of cells that are separated by commas. */
export function createChecksum(statement: Pick<Statement, 'number' | 'asset' | 'openingMinor'>): {
  add(entries: readonly CheckedEntry[]): void
  close(closingMinor: bigint): string
} {
  const { number, asset, openingMinor } = statement
  const hash = createHash('sha256')
  const add = (...cells: string[]) => hash.update(`${cells.join(',')}\n`)
  const show = (minor: bigint) => showMinor(statement, minor)
  add(number, asset.currency, show(openingMinor))
  return {
    add(entries) {
      for (const { id, timestamp, kind, changeMinor, balanceMinor } of entries) {
        add(showLedgerTime(timestamp), id, kind, show(changeMinor), show(balanceMinor))
      }
    },
    close(closingMinor) {
      add(show(closingMinor))
      return `sha256:${hash.digest('hex')}`
    },
  }
}
