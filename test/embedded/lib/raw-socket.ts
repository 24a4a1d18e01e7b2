import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { viewOf } from '../../../embedded/ledger/checksum.ts'
import { at, commands, evictionAt, headerBytes } from '../../../embedded/ledger/header.ts'

/** A socket that sends bytes and gives whole messages. */
export class RawSocket {
  readonly #socket: Socket
  readonly #waiting: ((message: Uint8Array | null) => void)[] = []
  readonly #messages: Uint8Array[] = []
  #bytes = Buffer.alloc(0)
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#closed = true
      for (const resolve of this.#waiting.splice(0)) resolve(null)
    })
  }

  static async connect(address: string): Promise<RawSocket> {
    const separator = address.lastIndexOf(':')
    const port = Number(address.slice(separator + 1))
    const socket = connect({ host: address.slice(0, separator), port, noDelay: true })
    await once(socket, 'connect')
    return new RawSocket(socket)
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Stops reading. Resolves when the other side has cut the connection. */
  async sendUntilCut(bytes: Uint8Array): Promise<void> {
    this.#socket.pause()
    while (!this.#closed) {
      if (!this.#socket.write(bytes)) await new Promise(setImmediate)
    }
  }

  /** The next message, or null when the other side has closed. */
  receive(): Promise<Uint8Array | null> {
    const message = this.#messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    if (this.#closed) return Promise.resolve(null)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends a message and waits for the next one. */
  ask(bytes: Uint8Array): Promise<Uint8Array | null> {
    this.send(bytes)
    return this.receive()
  }

  /** Like `ask`, for a message that has to be answered. */
  async reply(bytes: Uint8Array): Promise<Uint8Array> {
    const message = await this.ask(bytes)
    if (message === null) throw new Error('the connection was closed instead of a reply')
    return message
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk])
    while (this.#bytes.byteLength >= headerBytes) {
      const size = this.#bytes.readUInt32LE(at.size)
      if (this.#bytes.byteLength < size) return
      const message = Uint8Array.from(this.#bytes.subarray(0, size))
      this.#bytes = this.#bytes.subarray(size)
      const resolve = this.#waiting.shift()
      if (resolve === undefined) this.#messages.push(message)
      else resolve(message)
    }
  }
}

/** What a message is, in a word: `pong`, `reply`, `eviction 7`. */
export function kindOf(message: Uint8Array | null): string {
  if (message === null) return 'closed'
  const command = viewOf(message).getUint8(at.command)
  if (command === commands.pongClient) return 'pong'
  if (command === commands.reply) return 'reply'
  if (command === commands.eviction) return `eviction ${message[evictionAt.reason]}`
  return `command ${command}`
}
