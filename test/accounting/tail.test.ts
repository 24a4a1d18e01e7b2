/** Deriving what has run out from what was committed, a page at a time. */
import fc from 'fast-check'
import { TransferCode } from '../../accounting/chart.ts'
import { computeUuid } from '../../accounting/ids.ts'
import {
  type Deadline,
  deriveExpiries,
  type TailEntry,
  type TailEvent,
} from '../../accounting/tail.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('tail')

/** A pending transfer, and after how long it is resolved, if it is. */
const life = fc.record({
  gap: fc.integer({ min: 1, max: 5 }),
  timeout: fc.integer({ min: 0, max: 30 }),
  resolvedAfter: fc.option(fc.integer({ min: 1, max: 40 })),
})

type Life = typeof life extends fc.Arbitrary<infer L> ? L : never

const none = { inputHash: 1, occurredAt: 0n, amountMinor: 1n, ledger: 840, code: TransferCode.hold }

function entry(name: string, timestamp: bigint, more: Partial<TailEntry>): TailEntry {
  const id = computeUuid(name, timestamp)
  const accounts = { debitAccountId: id, creditAccountId: id }
  const made = { transferId: id, operationId: id, phase: 'single' as const, pendingId: undefined }
  return { ...none, ...accounts, ...made, deadline: 0n, timestamp, ...more }
}

/** What the ledger would commit: it refuses to resolve what has run out. Distinct timestamps. */
function commit(lives: readonly Life[]): TailEntry[] {
  let now = 0n
  const entries: TailEntry[] = []
  for (const { gap, timeout, resolvedAfter } of lives) {
    now += BigInt(gap) * 100n
    const deadline = timeout === 0 ? 0n : now + BigInt(timeout) * 100n
    const pending = entry('pending', now, { phase: 'pending', deadline })
    entries.push(pending)
    if (resolvedAfter === null) continue
    const at = now + BigInt(resolvedAfter) * 100n + BigInt(lives.length + entries.length)
    if (deadline > 0n && at >= deadline) continue
    entries.push(entry('post', at, { phase: 'post', pendingId: pending.transferId }))
  }
  return entries.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
}

const nameOf = (event: TailEvent) => `${event.kind} ${event.transferId} ${event.timestamp}`

/** The events when the ledger is read in pages that end at these moments. */
function readInPages(entries: readonly TailEntry[], ends: readonly bigint[]): TailEvent[] {
  let known: Deadline[] = []
  let from = 0n
  return ends.flatMap((horizon) => {
    const page = entries.filter(({ timestamp }) => timestamp > from && timestamp <= horizon)
    const waiting = known.filter(({ deadline }) => deadline <= horizon)
    const { events, opened, closed } = deriveExpiries(page, waiting, horizon)
    known = [...known, ...opened].filter(({ transferId }) => !closed.includes(transferId))
    from = horizon
    return events
  })
}

test('what has run out comes once, in its place, however the ledger is cut into pages', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(life, { minLength: 1, maxLength: 25 }), cuts, (lives, moments) => {
      const entries = commit(lives)
      const end = 100_000n
      const ends = [...new Set([...moments.map((it) => BigInt(it) * 100n), end])]
      const events = readInPages(
        entries,
        ends.sort((a, b) => (a < b ? -1 : 1)),
      )
      const resolved = new Set(entries.map(({ pendingId }) => pendingId))
      const expired = entries
        .filter(({ deadline, transferId }) => deadline > 0n && !resolved.has(transferId))
        .map(({ transferId, deadline }) => `expiry ${transferId} ${deadline}`)
      const committed = entries.map((it) => `transfer ${it.transferId} ${it.timestamp}`)
      assert.equal(events.map(nameOf).sort(), [...committed, ...expired].sort())
      for (const [index, event] of events.entries()) {
        const before = events[index - 1]
        if (before) assert.ok(before.timestamp <= event.timestamp, 'in order')
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
