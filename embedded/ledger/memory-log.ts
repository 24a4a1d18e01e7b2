import { type EntryHead, entryAt, readOp } from './entry.ts'
import type { EntryLog } from './replica.ts'

/** The log of a ledger that need not survive: every entry counts as durable at once. */
export class MemoryLog implements EntryLog {
  durable = 0
  onDurable: () => void = () => {}

  append(head: EntryHead): void {
    this.durable = readOp(head, entryAt.op)
  }
}
