import type { SavedState, SnapshotSection, StateSnapshot } from '../state-machine.ts'
import { applyTransfer, expireTransfer } from './effects.ts'
import { none } from './hash-table.ts'
import type { Ledger } from './ledger.ts'
import { flagsOf, transferField, transferFlag } from './record.ts'
import type { RowStore } from './row-store.ts'
import { read64, write64 } from './words.ts'

/** Version, timestamp (2 words), then the number of rows of each section. */
const header = { version: 0, timestamp: 1, counts: 3, words: 8 } as const
const version = 1
const names = ['accounts', 'transfers', 'failed-ids', 'expired'] as const

/**
 * Only what happened is saved, in the order in which it did; balances, statuses, history and all
 * indexes follow from that. So nothing that is saved ever changes.
 */
export function takeSnapshot(ledger: Ledger, timestamp: bigint): StateSnapshot {
  const words = new Uint32Array(header.words)
  words[header.version] = version
  write64(words, header.timestamp, timestamp)
  const sections = names.map((name, index): SnapshotSection => {
    const rows = storeOf(ledger, name)
    words[header.counts + index] = rows.count
    return {
      name,
      rowBytes: rows.rowBytes,
      byteLength: rows.count * rows.rowBytes,
      slices: (start, end) => rows.slices(start, end),
    }
  })
  return { header: new Uint8Array(words.buffer), sections }
}

/**
 * Fills an empty ledger from what was saved and returns the timestamp (nanoseconds). A section may
 * have more rows than the header counts: a later snapshot was not finished. Throws when it has
 * fewer, or when the records contradict each other.
 */
export function loadSnapshot(ledger: Ledger, saved: SavedState): bigint {
  if (saved.header.byteLength !== header.words * 4) throw new Error('snapshot header has no size')
  const words = new Uint32Array(saved.header.slice().buffer)
  if (words[header.version] !== version) {
    throw new Error(`snapshot version ${words[header.version]}, this program knows ${version}`)
  }
  const [accounts, transfers, failedIds, expired] = names.map((name, index) => ({
    pieces: saved.section(name),
    count: words[header.counts + index]!,
  }))
  ledger.accounts.load(accounts!)
  ledger.transfers.load(transfers!, failedIds!)
  ledger.expired.load(expired!)
  applyAll(ledger)
  return read64(words, header.timestamp)
}

function storeOf(ledger: Ledger, name: (typeof names)[number]): RowStore {
  switch (name) {
    case 'accounts':
      return ledger.accounts.rows
    case 'transfers':
      return ledger.transfers.rows
    case 'failed-ids':
      return ledger.transfers.failedIds
    case 'expired':
      return ledger.expired
  }
}

/** Lets all transfers and expiries take effect again, in their order. */
function applyAll(ledger: Ledger): void {
  const { accounts, expired, transfers } = ledger
  let expiries = 0
  for (let row = 0; row <= transfers.rows.count; row += 1) {
    while (expiries < expired.count) {
      const words = expired.words(expiries)
      const at = expired.at(expiries)
      if (words[at + 1]! > row) break
      expireTransfer(ledger, words[at]!)
      expiries += 1
    }
    if (row === transfers.rows.count) return
    const words = transfers.rows.words(row)
    const at = transfers.rows.at(row)
    const debit = accounts.find(words, at + transferField.debitAccountId)
    const credit = accounts.find(words, at + transferField.creditAccountId)
    const ending =
      (flagsOf(words, at) &
        (transferFlag.postPendingTransfer | transferFlag.voidPendingTransfer)) !==
      0
    const pending = ending ? transfers.find(words, at + transferField.pendingId) : none
    if (debit === none || credit === none || (ending && pending < 0)) {
      throw new Error(`transfer row ${row} refers to what is not there`)
    }
    applyTransfer(ledger, row, debit, credit, pending)
  }
}
