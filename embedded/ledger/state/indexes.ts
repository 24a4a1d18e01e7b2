import { FieldIndex, type KeyField } from './field-index.ts'
import { field, transferField } from './record.ts'
import type { RowStore } from './row-store.ts'

/** The fields that both kinds of record can be searched by. */
export const commonKeys = {
  userData128: { at: field.userData128, width: 4 },
  userData64: { at: field.userData64, width: 2 },
  userData32: { at: field.userData32, width: 1 },
  ledger: { at: field.ledger, width: 1 },
  code: { at: field.codeAndFlags, width: 1, mask: 0xffff },
} as const satisfies Record<string, KeyField>

/** The fields that transfers can be searched by. */
export const transferKeys = {
  debitAccountId: { at: transferField.debitAccountId, width: 4 },
  creditAccountId: { at: transferField.creditAccountId, width: 4 },
  ...commonKeys,
} as const satisfies Record<string, KeyField>

export type CommonKey = keyof typeof commonKeys
export type TransferKey = keyof typeof transferKeys

/**
 * The searchable fields of one kind of record. They follow the records only after a request is
 * done, so that what a broken chain takes back was never in them.
 */
export class Indexes<Key extends string> {
  private readonly rows: RowStore
  private readonly byKey = new Map<string, FieldIndex>()
  private indexed = 0

  constructor(rows: RowStore, keys: Record<Key, KeyField>) {
    this.rows = rows
    for (const [key, keyField] of Object.entries<KeyField>(keys)) {
      this.byKey.set(key, new FieldIndex(rows, keyField))
    }
  }

  by(key: Key): FieldIndex {
    return this.byKey.get(key)!
  }

  /** Takes in the records that are new since the last time. */
  catchUp(): void {
    const { count } = this.rows
    for (const index of this.byKey.values()) {
      for (let row = this.indexed; row < count; row += 1) index.add(row)
    }
    this.indexed = count
  }
}
