import fc from 'fast-check'
import { bodyBytesMax, readBatches } from '../../embedded/ledger/state/multi-batch.ts'
import { createStateMachine, isRead, operations } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { encodeBody } from './lib/machine-client.ts'

const { createAccounts, createTransfers, lookupTransfers, queryTransfers } = operations
const start = 1_700_000_000_000_000_000n

/** A body of so many zeroed elements, with one batch for each count. */
function zeros(elementBytes: number, ...counts: number[]): Uint8Array {
  const events = (count: number) => Array.from({ length: count }, () => 0n)
  const encode = (ids: readonly bigint[]) => new Uint8Array(ids.length * elementBytes)
  const codec = { eventBytes: elementBytes, resultBytes: 0, encode, decode: () => [] }
  return encodeBody(codec, counts.map(events))
}

/** Queries with these limits, one a batch. */
function queries(...limits: number[]): Uint8Array {
  const body = zeros(64, ...limits.map(() => 1))
  const view = new DataView(body.buffer)
  for (const [index, limit] of limits.entries()) view.setUint32(index * 64 + 56, limit, true)
  return body
}

function changed(body: Uint8Array, fromEnd: number, byte: number): Uint8Array {
  const copy = body.slice()
  copy[copy.length - fromEnd] = byte
  return copy
}

const test = suite('request bodies')

const bodies: [name: string, operation: number, body: Uint8Array, events: number | null][] = [
  ['one event', createTransfers, zeros(128, 1), 1],
  ['no event', createTransfers, zeros(128, 0), 0],
  ['three batches, one empty', createAccounts, zeros(128, 2, 0, 3), 5],
  ['the largest batch', createTransfers, zeros(128, 8189), 8189],
  ['the largest batch in two', createTransfers, zeros(128, 8000, 189), 8189],
  ['the largest look-up', lookupTransfers, zeros(16, 8189), 0],
  ['a query', queryTransfers, queries(8189), 0],
  ['a query that wants more than fits is cut', queryTransfers, queries(0xffff_ffff), 0],
  ['two queries that fit', queryTransfers, queries(4000, 4000), 0],
  ['two queries that do not fit', queryTransfers, queries(8189, 1), null],
  ['two queries in one batch', queryTransfers, zeros(64, 2), null],
  ['a batch without its query', queryTransfers, zeros(64, 0), null],
  ['one look-up too many', lookupTransfers, zeros(16, 8190), null],
  ['look-ups whose answers do not fit', lookupTransfers, zeros(16, 8000, 190), null],
  ['nothing', createTransfers, new Uint8Array(0), null],
  ['no trailer', createTransfers, new Uint8Array(128), null],
  ['half an event', createTransfers, zeros(128, 1).subarray(64), null],
  ['an event too few', createTransfers, changed(zeros(128, 1), 4, 2), null],
  ['an event too many', createTransfers, changed(zeros(128, 1), 4, 0), null],
  ['no batches', createTransfers, changed(zeros(128, 1), 2, 0), null],
  ['more batches than the body holds', createTransfers, changed(zeros(128, 1), 1, 0xfe), null],
  ['damaged padding', createTransfers, changed(zeros(128, 1), 6, 0), null],
  ['more than a message holds', createTransfers, zeros(128, 8190), null],
  ['a pulse', 128, zeros(128, 1), null],
  ['change events', 137, new Uint8Array(64), null],
  ['an unknown operation', 148, zeros(128, 1), null],
]
for (const [name, operation, body, events] of bodies) {
  test(name, () => {
    const machine = createStateMachine()
    assert.is(machine.countEvents(operation, body), events)
    if (events === null) {
      assert.throws(() => machine.commit(operation, body, start), /malformed body/)
      return
    }
    const reply = machine.commit(operation, body, start)
    assert.ok(readBatches(reply, isRead(operation) ? 128 : 16))
    // The last two bytes say how many batches there are.
    assert.equal(reply.slice(-2), body.slice(-2))
    assert.ok(reply.length <= bodyBytesMax)
  })
}

test('the operations that change nothing', () => {
  const changing = Object.entries(operations).filter(([, operation]) => !isRead(operation))
  assert.equal(changing.map(([name]) => name).sort(), ['createAccounts', 'createTransfers'])
  assert.not.ok(isRead(128))
})

test('a body may begin anywhere in memory', () => {
  const ids = encodeBody(codecs.lookup_transfers, [[1n, 2n]])
  const memory = new Uint8Array(ids.length + 1)
  memory.set(ids, 1)
  const machine = createStateMachine()
  const reply = machine.commit(lookupTransfers, memory.subarray(1), start).slice()
  assert.equal(reply, machine.commit(lookupTransfers, ids, start).slice())
})

test('timestamps must rise; a refused request changes nothing', () => {
  const machine = createStateMachine()
  machine.commit(createTransfers, zeros(128, 10), start)
  assert.is(machine.timestamp, start)
  assert.throws(() => machine.commit(createTransfers, zeros(128, 10), start + 9n), /not after/)
  assert.is(machine.timestamp, start)
  machine.commit(createTransfers, zeros(128, 10), start + 10n)
  machine.commit(lookupTransfers, zeros(16, 1), 1n)
  assert.is(machine.timestamp, start + 10n)
})

test('no bytes at all make it throw, and the same bytes have the same answer', () => {
  const [one, two] = [createStateMachine(), createStateMachine()]
  let timestamp = start
  const events = fc.record({
    operation: fc.integer({ min: 139, max: 148 }),
    counts: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 4 }),
    bytes: fc.uint8Array({ minLength: 0, maxLength: 1536, size: 'max' }),
    wellFormed: fc.boolean(),
  })
  const property = fc.property(events, ({ operation, counts, bytes, wellFormed }) => {
    const eventBytes = [16, 16, 128, 128, 64, 64, 128, 128][operation - 140] ?? 128
    let body: Uint8Array = bytes
    if (wellFormed) {
      body = zeros(eventBytes, ...counts)
      const total = counts.reduce((sum, count) => sum + count, 0) * eventBytes
      body.set(bytes.subarray(0, total))
    }
    const count = one.countEvents(operation, body)
    if (count === null) return
    timestamp += BigInt(count)
    const answer = one.commit(operation, body, timestamp).slice()
    assert.equal(answer, two.commit(operation, body, timestamp).slice())
    assert.ok(readBatches(answer, isRead(operation) ? 128 : 16))
  })
  fc.assert(property, { numRuns: 3000 })
})

test.run()
