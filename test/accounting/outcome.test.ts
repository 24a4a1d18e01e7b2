import { CreateTransferStatus as Status } from 'tigerbeetle-node'
import { type Outcome, passingReasons, readOutcome } from '../../accounting/outcome.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('outcome')

const read = (...statuses: (keyof typeof Status)[]): Outcome =>
  readOutcome(
    statuses.map((status, index) => ({ status: Status[status], timestamp: BigInt(index + 7) })),
  )

const rows: [(keyof typeof Status)[], Outcome][] = [
  [['created'], { kind: 'created', timestamp: 7n }],
  [['created', 'created'], { kind: 'created', timestamp: 7n }],
  [['exists'], { kind: 'exists' }],
  [['exists', 'linked_event_failed'], { kind: 'exists' }],
  [['exists_with_different_amount'], { kind: 'exists' }],
  [['exists_with_different_flags', 'linked_event_failed'], { kind: 'exists' }],
  [['exceeds_credits'], { kind: 'declined', leg: 0, reason: 'exceeds_credits' }],
  [
    ['linked_event_failed', 'exceeds_credits', 'linked_event_failed'],
    { kind: 'declined', leg: 1, reason: 'exceeds_credits' },
  ],
  [['id_already_failed'], { kind: 'burnt', leg: 0 }],
  [['linked_event_failed', 'id_already_failed'], { kind: 'burnt', leg: 1 }],
  [
    ['accounts_must_have_the_same_ledger'],
    { kind: 'invalid', leg: 0, status: 'accounts_must_have_the_same_ledger' },
  ],
  [['overflows_credits_posted'], { kind: 'invalid', leg: 0, status: 'overflows_credits_posted' }],
]

test('each answer of the ledger has one meaning', () => {
  for (const [statuses, outcome] of rows) assert.equal(read(...statuses), outcome, statuses.join())
})

test('every reason that could pass is a decline, every other status is not', () => {
  const names = Object.keys(Status).filter((name) => Number.isNaN(Number(name)))
  for (const name of names as (keyof typeof Status)[]) {
    if (name === 'linked_event_failed') continue
    const expected = (passingReasons as readonly string[]).includes(name)
    assert.is(read(name).kind === 'declined', expected, name)
    assert.is(read(name).kind === 'created', name === 'created', name)
  }
})

test('an answer that explains nothing is a bug, never a success', () => {
  assert.throws(() => read())
  assert.throws(() => read('linked_event_failed', 'linked_event_failed'))
  assert.throws(() => read('created', 'linked_event_failed'))
})

test.run()
