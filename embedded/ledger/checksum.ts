/**
 * The checksum of TigerBeetle's protocol: AEGIS-128L used as a MAC with a zero key and a zero nonce,
 * 128-bit tag (https://datatracker.ietf.org/doc/draft-irtf-cfrg-aegis-aead/). Not for secrets: the
 * table look-ups take time that depends on the data, and the key is zero anyway.
 */

const stateWords = 32
const rateBytes = 32

/** AES round tables for little-endian columns: table n serves byte n of a column. */
const tables = makeTables()
const [t0, t1, t2, t3] = tables
/** The working state: eight AES blocks of four words. Checksums are synchronous, so one is enough. */
const state = new Int32Array(stateWords)
const initialState = makeInitialState()
const tail = new DataView(new ArrayBuffer(rateBytes))

/** A checksum as four 32-bit words, in the order in which they stand in a message. */
export type Checksum = Int32Array

/**
 * Computes the checksum of `length` bytes of `view` from `offset` into `target` (four words), without
 * garbage.
 */
export function checksumInto(
  target: Checksum,
  view: DataView,
  offset: number,
  length: number,
): void {
  state.set(initialState)
  const end = offset + length
  let at = offset
  for (; at + rateBytes <= end; at += rateBytes) absorb(view, at)
  if (at < end) {
    for (let i = 0; i < rateBytes; i++) tail.setUint8(i, at + i < end ? view.getUint8(at + i) : 0)
    absorb(tail, 0)
  }
  finish(target, length)
}

/** The checksum (16 bytes) of `bytes`. */
export function checksum(bytes: Uint8Array): Uint8Array {
  const words = new Int32Array(4)
  checksumInto(words, viewOf(bytes), 0, bytes.byteLength)
  return new Uint8Array(words.buffer)
}

/** A DataView on just the bytes of `bytes`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function absorb(view: DataView, at: number): void {
  rotate()
  for (let i = 0; i < 4; i++) {
    state[i] = state[i]! ^ view.getInt32(at + i * 4, true)
    state[16 + i] = state[16 + i]! ^ view.getInt32(at + 16 + i * 4, true)
  }
}

/** One AEGIS update without its message words: every block becomes one AES round of the one before. */
function rotate(): void {
  const s = state
  const l0 = s[28]!
  const l1 = s[29]!
  const l2 = s[30]!
  const l3 = s[31]!
  for (let to = 28; to > 0; to -= 4) {
    const w0 = s[to - 4]!
    const w1 = s[to - 3]!
    const w2 = s[to - 2]!
    const w3 = s[to - 1]!
    s[to] = s[to]! ^ column(w0, w1, w2, w3)
    s[to + 1] = s[to + 1]! ^ column(w1, w2, w3, w0)
    s[to + 2] = s[to + 2]! ^ column(w2, w3, w0, w1)
    s[to + 3] = s[to + 3]! ^ column(w3, w0, w1, w2)
  }
  s[0] = s[0]! ^ column(l0, l1, l2, l3)
  s[1] = s[1]! ^ column(l1, l2, l3, l0)
  s[2] = s[2]! ^ column(l2, l3, l0, l1)
  s[3] = s[3]! ^ column(l3, l0, l1, l2)
}

/** One column of an AES round without its key: SubBytes, ShiftRows and MixColumns in four look-ups. */
function column(a: number, b: number, c: number, d: number): number {
  return t0[a & 255]! ^ t1[(b >>> 8) & 255]! ^ t2[(c >>> 16) & 255]! ^ t3[d >>> 24]!
}

function finish(target: Checksum, length: number): void {
  const bitsLow = (length << 3) | 0
  const bitsHigh = length >>> 29
  const m0 = state[8]! ^ bitsLow
  const m1 = state[9]! ^ bitsHigh
  const m2 = state[10]!
  const m3 = state[11]!
  for (let i = 0; i < 7; i++) {
    rotate()
    for (let block = 0; block <= 16; block += 16) {
      state[block] = state[block]! ^ m0
      state[block + 1] = state[block + 1]! ^ m1
      state[block + 2] = state[block + 2]! ^ m2
      state[block + 3] = state[block + 3]! ^ m3
    }
  }
  for (let word = 0; word < 4; word++) {
    let tag = 0
    for (let block = 0; block < 28; block += 4) tag ^= state[block + word]!
    target[word] = tag
  }
}

function makeTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const made: [Int32Array, Int32Array, Int32Array, Int32Array] = [
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
  ]
  const double = (x: number) => ((x << 1) ^ (x & 0x80 ? 0x11b : 0)) & 255
  // p runs through the powers of 3, q through those of its inverse, so q is always 1 / p.
  let p = 1
  let q = 1
  do {
    p ^= double(p)
    q ^= q << 1
    q ^= q << 2
    q ^= q << 4
    q &= 255
    if (q & 0x80) q ^= 0x09
    fill(p, q)
  } while (p !== 1)
  fill(0, 0)
  return made

  function fill(input: number, inverse: number): void {
    const bits = inverse * 0x101
    const s = (bits ^ (bits >>> 4) ^ (bits >>> 5) ^ (bits >>> 6) ^ (bits >>> 7) ^ 0x63) & 255
    const s2 = double(s)
    const word = s2 | (s << 8) | (s << 16) | ((s2 ^ s) << 24)
    for (let n = 0; n < 4; n++) {
      made[n]![input] = n === 0 ? word : (word << (8 * n)) | (word >>> (32 - 8 * n))
    }
  }
}

function makeInitialState(): Int32Array {
  const c1 = [0x55183ddb, 0xf12fc26d, 0x42311120, 0xdd28b573]
  const c0 = [0x02010100, 0x0d080503, 0x59372215, 0x6279e990]
  const zero = [0, 0, 0, 0]
  state.set([zero, c1, c0, c1, zero, c0, c1, c0].flat())
  // With a zero key and nonce the ten initial updates absorb zeros.
  for (let i = 0; i < 10; i++) rotate()
  return state.slice()
}
