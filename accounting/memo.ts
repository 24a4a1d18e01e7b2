/** What a process remembers of each ledger that it has a client of. */
import { LRUCache } from 'lru-cache'
import type { Ledger } from './client.ts'

/** Entries beyond it are forgotten, those first that were not used for longest. */
const entriesMax = 100_000

/** What is remembered of a ledger, for as long as there is a client of it. */
export function createMemo<Key extends {}, Value extends {}>(): (
  ledger: Ledger,
) => LRUCache<Key, Value> {
  const memos = new WeakMap<Ledger, LRUCache<Key, Value>>()
  return (ledger) => {
    const known = memos.get(ledger)
    if (known) return known
    const fresh = new LRUCache<Key, Value>({ max: entriesMax })
    memos.set(ledger, fresh)
    return fresh
  }
}
