import fc from 'fast-check'
import { HashTable, none } from '../../embedded/ledger/state/hash-table.ts'
import { RowLists } from '../../embedded/ledger/state/row-lists.ts'
import { RowStore } from '../../embedded/ledger/state/row-store.ts'
import { TimeHeap } from '../../embedded/ledger/state/time-heap.ts'
import {
  add128,
  compare64,
  compare128,
  increment64,
  isTimestamp,
  read64,
  subtract128,
  sumOverflows128,
  write64,
} from '../../embedded/ledger/state/words.ts'
import { createStateMachine, operations } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { execute, VirtualClock } from './lib/machine-client.ts'
import { zeroAccount, zeroTransfer } from './lib/zero.ts'

const limit128 = 1n << 128n
const limit64 = 1n << 64n
/** Numbers of all sizes, and those next to powers of two. */
const numbers = (bits: bigint) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << bits) - 1n }),
    fc
      .tuple(fc.bigInt({ min: 0n, max: bits - 1n }), fc.constantFrom(-1n, 0n, 1n))
      .map(([bit, plus]) => ((1n << bit) + plus) & ((1n << bits) - 1n)),
  )

function words(value: bigint): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, word) =>
    Number((value >> BigInt(32 * word)) & 0xffff_ffffn),
  )
}

function value(of: Uint32Array): bigint {
  return of.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
}

const test = suite('parts of the state machine')

test('128-bit arithmetic is that of bigints', () => {
  const property = fc.property(numbers(128n), numbers(128n), (a, b) => {
    const sum = words(a)
    assert.is(add128(sum, 0, words(b), 0), a + b >= limit128)
    assert.is(value(sum), (a + b) % limit128)
    assert.is(sumOverflows128(words(a), 0, words(b), 0), a + b >= limit128)
    const difference = words(a)
    assert.is(subtract128(difference, 0, words(b), 0), a < b)
    assert.is(value(difference), (a - b + limit128) % limit128)
    assert.is(Math.sign(compare128(words(a), 0, words(b), 0)), a < b ? -1 : a > b ? 1 : 0)
  })
  fc.assert(property, { numRuns: 2000 })
})

test('64-bit numbers are those of bigints', () => {
  const property = fc.property(numbers(64n), numbers(64n), (a, b) => {
    const pair = new Uint32Array(4)
    write64(pair, 0, a)
    write64(pair, 2, b)
    assert.is(read64(pair, 0), a)
    assert.is(Math.sign(compare64(pair, 0, pair, 2)), a < b ? -1 : a > b ? 1 : 0)
    assert.is(isTimestamp(pair, 0), a > 0n && a < 1n << 63n)
    increment64(pair, 0)
    assert.is(read64(pair, 0), (a + 1n) % limit64)
    assert.is(read64(pair, 2), b)
  })
  fc.assert(property, { numRuns: 2000 })
})

test('a hash table finds what was put in and not taken out', () => {
  // Few hashes, so that many collide and wrap around the end of their part.
  const steps = fc.array(
    fc.tuple(fc.boolean(), fc.constantFrom(0, 5, 6, 7, 0x3ff_ffff, 0x3ff_fffe, 0xffff_ffff)),
    { maxLength: 400, size: 'max' },
  )
  const property = fc.property(steps, (plan) => {
    const table = new HashTable()
    const kept: { hash: number; reference: number }[] = []
    for (const [index, [add, hash]] of plan.entries()) {
      const gone = kept.findIndex((entry) => entry.hash === hash)
      if (add || gone < 0) {
        table.insert(hash, index)
        kept.push({ hash, reference: index })
      } else {
        table.remove(hash, kept[gone]!.reference)
        kept.splice(gone, 1)
      }
    }
    for (const hash of new Set(plan.map(([, one]) => one))) {
      const found: number[] = []
      for (let ref = table.first(hash); ref !== none; ref = table.next(hash)) found.push(ref)
      const wanted = kept.filter((entry) => entry.hash === hash).map(({ reference }) => reference)
      assert.equal(found.sort(), wanted.sort())
    }
  })
  fc.assert(property, { numRuns: 200 })
})

test('lists keep their rows in order through all block sizes', () => {
  const lists = new RowLists()
  const long = lists.create(0, 3)
  const short = lists.create(1, 2)
  for (let row = 6; row < 30_000; row += 3) lists.append(long, row)
  assert.is(lists.length(long), 10_000)
  assert.is(lists.length(short), 2)
  const rows: number[] = []
  for (let block = lists.firstBlock(long); block !== 0; block = lists.nextBlock(block)) {
    for (let index = 0; index < lists.countOf(block); index += 1) rows.push(lists.row(block, index))
  }
  assert.equal(
    rows,
    Array.from({ length: 10_000 }, (_, index) => index * 3),
  )
})

test('a heap gives times in order', () => {
  const times = fc.array(numbers(63n), { maxLength: 200, size: 'max' })
  const property = fc.property(times, (given) => {
    const heap = new TimeHeap()
    for (const [row, time] of given.entries()) heap.push(time, row)
    const taken: bigint[] = []
    while (heap.count > 0) {
      assert.is(given[heap.row()], heap.time())
      taken.push(heap.time())
      heap.pop()
    }
    assert.equal(
      taken,
      given.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    )
  })
  fc.assert(property)
})

test('rows come back from their bytes, cut anywhere', () => {
  const store = new RowStore(4, 8)
  for (let row = 0; row < 50; row += 1) {
    const at = store.at(store.append())
    store.words(row).fill(row + 1, at, at + 4)
  }
  const bytes = Buffer.concat([...store.slices(0, 50 * 16)])
  const property = fc.property(
    fc.integer({ min: 1, max: 200 }),
    fc.nat({ max: 50 }),
    (size, count) => {
      const pieces: Uint8Array[] = []
      for (let from = 0; from < bytes.length; from += size) {
        pieces.push(bytes.subarray(from, from + size))
      }
      const copy = new RowStore(4, 8)
      copy.load({ pieces, count })
      assert.ok(
        Buffer.concat([...copy.slices(0, count * 16)]).equals(bytes.subarray(0, count * 16)),
      )
    },
  )
  fc.assert(property)
  assert.throws(() => new RowStore(4, 8).load({ pieces: [bytes], count: 51 }), /816 bytes/)
})

test('more transfers than one step may expire, expire in several', () => {
  const clock = new VirtualClock()
  const machine = createStateMachine()
  const account = { ...zeroAccount, ledger: 1, code: 1 }
  const { createAccounts, createTransfers, lookupAccounts } = operations
  const pair = [
    { ...account, id: 1n },
    { ...account, id: 2n },
  ]
  execute(machine, clock, createAccounts, codecs.create_accounts, [pair])
  for (const first of [1, 6001]) {
    const holds = Array.from({ length: 6000 }, (_, index) => ({
      ...zeroTransfer,
      id: BigInt(first + index),
      debit_account_id: 1n,
      credit_account_id: 2n,
      amount: 1n,
      timeout: 1,
      ledger: 1,
      code: 1,
      flags: 1 << 1,
    }))
    execute(machine, clock, createTransfers, codecs.create_transfers, [holds])
  }
  const pending = () =>
    execute(machine, clock, lookupAccounts, codecs.lookup_accounts, [[1n]])[0]![0]!.debits_pending
  assert.is(pending(), 12_000n)
  const later = clock.now + 10_000_000_000n
  machine.expire(later)
  assert.is(pending(), 12_000n - 8189n)
  assert.ok(machine.nextExpiry > 0n && machine.nextExpiry <= later)
  machine.expire(later + 1n)
  assert.is(pending(), 0n)
  assert.is(machine.nextExpiry, 0n)
  assert.is(machine.timestamp, later + 1n)
})

test.run()
