import { randomFillSync } from 'node:crypto'

let lastMs = 0
let sequence = 0
const random = Buffer.alloc(10)

/**
 * Mints an RFC 9562 UUID version 7: 48 bits of milliseconds, then a 12-bit counter that keeps ids
 * of one process in order (section 6.2, method 1), then 62 random bits.
 */
export function mintId(nowMs = Date.now()): string {
  randomFillSync(random)
  if (nowMs > lastMs) {
    lastMs = nowMs
    // Starts in the lower half, so that there is room to count within the millisecond.
    sequence = random.readUInt16BE(0) & 0x7ff
  } else if (++sequence > 0xfff) {
    lastMs += 1
    sequence = 0
  }
  const time = lastMs.toString(16).padStart(12, '0')
  const counter = sequence.toString(16).padStart(3, '0')
  const variant = (((random[2] ?? 0) & 0x3f) | 0x80).toString(16)
  const tail = random.toString('hex', 3, 10)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`
}
