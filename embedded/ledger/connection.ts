import type { Socket } from 'node:net'
import { viewOf } from './checksum.ts'
import { at, bodyChecksumValid, headerBytes, headerChecksumValid, invalidFrame } from './header.ts'
import type { Peer, Replica } from './replica.ts'

/** A message has to be complete this long (milliseconds) after the last byte that came. */
export const stallLimitMsDefault = 30_000
/** A client that does not read its answers is cut off when this much (bytes) waits for it. */
const unsentBytesMax = 8 * 1024 * 1024

export interface ConnectionOptions {
  readonly socket: Socket
  readonly replica: Pick<Replica, 'receive'>
  /** Gets the reason when the connection had to be closed: "it ..." */
  readonly report: (reason: string) => void
  readonly stallLimitMs: number
}

/**
 * Reads messages from a socket and hands the valid ones to the replica. Anything else closes this
 * connection, and harms no other: a wrong checksum, size, cluster, version or command, or a message
 * that never ends.
 */
export class Connection implements Peer {
  readonly #socket: Socket
  readonly #replica: Pick<Replica, 'receive'>
  readonly #report: (reason: string) => void
  readonly #stallLimitMs: number
  /** The bytes of an incomplete message. */
  #partial: Buffer = Buffer.alloc(0)
  #partialBytes = 0
  #timed = false

  constructor(options: ConnectionOptions) {
    const { socket } = options
    this.#socket = socket
    this.#replica = options.replica
    this.#report = options.report
    this.#stallLimitMs = options.stallLimitMs
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 5_000)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('timeout', () => this.#close('did not complete a message in time'))
    socket.on('error', () => socket.destroy())
  }

  send(message: Uint8Array): void {
    if (this.#socket.destroyed) return
    if (this.#socket.writableLength > unsentBytesMax) this.#close('does not read its answers')
    else this.#socket.write(message)
  }

  #take(chunk: Buffer): void {
    let rest = chunk
    while (this.#partialBytes > 0 && rest.byteLength > 0) {
      const taken = this.#fill(rest)
      if (this.#socket.destroyed) return
      rest = rest.subarray(taken)
    }
    if (rest.byteLength > 0) this.#takeWhole(rest)
    const stalled = this.#partialBytes > 0
    if (stalled || this.#timed) this.#socket.setTimeout(stalled ? this.#stallLimitMs : 0)
    this.#timed = stalled
  }

  /** Messages that lie in one chunk are used in place; what is left over starts the next one. */
  #takeWhole(chunk: Buffer): void {
    const view = viewOf(chunk)
    let o = 0
    while (chunk.byteLength - o >= headerBytes) {
      if (!this.#headerGood(view, o)) return
      const size = view.getUint32(o + at.size, true)
      if (chunk.byteLength - o < size) break
      if (!this.#deliver(view, o, size)) return
      o += size
    }
    if (o < chunk.byteLength) this.#keep(chunk.subarray(o))
  }

  /** Starts an incomplete message, with room for the header, or for all once the header is there. */
  #keep(start: Buffer): void {
    const room =
      start.byteLength < headerBytes ? headerBytes : viewOf(start).getUint32(at.size, true)
    this.#partial = Buffer.allocUnsafe(room)
    this.#partial.set(start)
    this.#partialBytes = start.byteLength
  }

  /** Adds to the incomplete message and returns how many bytes it took. */
  #fill(chunk: Buffer): number {
    const taken = Math.min(chunk.byteLength, this.#partial.byteLength - this.#partialBytes)
    this.#partial.set(chunk.subarray(0, taken), this.#partialBytes)
    this.#partialBytes += taken
    if (this.#partialBytes < this.#partial.byteLength) return taken
    const view = viewOf(this.#partial)
    // A partial message of just a header has not been checked yet: either it arrived in pieces, or
    // it is one without a body.
    if (this.#partialBytes === headerBytes && !this.#headerGood(view, 0)) return taken
    const size = view.getUint32(at.size, true)
    if (this.#partialBytes < size) {
      this.#partial = Buffer.allocUnsafe(size)
      this.#partial.set(new Uint8Array(view.buffer, view.byteOffset, headerBytes))
      return taken
    }
    this.#partialBytes = 0
    this.#deliver(view, 0, size)
    return taken
  }

  #headerGood(view: DataView, o: number): boolean {
    const wrong = headerChecksumValid(view, o) ? invalidFrame(view, o) : 'header checksum'
    if (wrong !== null) this.#close(`sent a message with a wrong ${wrong}`)
    return wrong === null
  }

  #deliver(view: DataView, o: number, size: number): boolean {
    if (!bodyChecksumValid(view, o, size)) {
      this.#close('sent a message with a wrong body checksum')
      return false
    }
    this.#replica.receive(this, view, o)
    return !this.#socket.destroyed
  }

  #close(reason: string): void {
    if (this.#socket.destroyed) return
    this.#report(reason)
    // A reset leaves nothing behind: no port that waits, however many such connections come.
    this.#socket.resetAndDestroy()
  }
}
