import { randomBytes } from 'node:crypto'
import { viewOf } from '../../../embedded/ledger/checksum.ts'
import {
  at,
  bodyChecksumValid,
  commands,
  equal16,
  headerBytes,
  headerChecksumValid,
  pingAt,
  protocolOperations,
  release,
  replyAt,
  requestAt,
  setChecksums,
} from '../../../embedded/ledger/header.ts'

/** What a message must have in a test that bends the rules. */
export interface Bend {
  readonly release?: number
  readonly session?: bigint
  readonly request?: number
  readonly view?: number
  readonly cluster?: number
  readonly parent?: Uint8Array
}

/**
 * TigerBeetle's client protocol as bytes: makes the messages of one client and checks the answers,
 * byte by byte where the official client would only assert.
 */
export class RawClient {
  readonly id: Uint8Array
  session = 0n
  request = 0
  parent: Uint8Array = new Uint8Array(16)
  /** The newest request made, until its reply is accepted. */
  outstanding: Uint8Array | null = null

  constructor(id: Uint8Array = randomBytes(16)) {
    this.id = id
  }

  register(bend: Bend = {}): Uint8Array {
    return this.#make(protocolOperations.register, new Uint8Array(256), { request: 0, ...bend })
  }

  next(operation: number, body: Uint8Array, bend: Bend = {}): Uint8Array {
    return this.#make(operation, body, { request: this.request + 1, ...bend })
  }

  ping(monotonic = 1n, bend: Bend = {}): Uint8Array {
    const message = frame(commands.pingClient, 0, bend)
    message.set(this.id, pingAt.client)
    const view = viewOf(message)
    view.setBigUint64(pingAt.monotonic, monotonic, true)
    view.setBigUint64(pingAt.session, bend.session ?? this.session, true)
    setChecksums(view, 0, headerBytes)
    return message
  }

  /** Takes the reply to the outstanding request and returns its body; throws when it is not that. */
  accept(reply: Uint8Array): Uint8Array {
    const view = viewOf(reply)
    const request = this.outstanding
    if (request === null) throw new Error('a reply, but nothing was asked')
    const asked = viewOf(request)
    const checks: Record<string, boolean> = {
      size: view.getUint32(at.size, true) === reply.byteLength,
      'header checksum': headerChecksumValid(view, 0),
      'body checksum': bodyChecksumValid(view, 0, reply.byteLength),
      command: view.getUint8(at.command) === commands.reply,
      client: equal16(view, replyAt.client, asked, requestAt.client),
      'request checksum': equal16(view, replyAt.requestChecksum, asked, at.checksum),
      'request number':
        view.getUint32(replyAt.request, true) === asked.getUint32(requestAt.request, true),
      operation: view.getUint8(replyAt.operation) === asked.getUint8(requestAt.operation),
      release: view.getUint32(at.release, true) === asked.getUint32(at.release, true),
      op: opOf(reply) > 0n && view.getBigUint64(replyAt.commit, true) === opOf(reply),
      timestamp: view.getBigUint64(replyAt.timestamp, true) > 0n,
    }
    for (const [what, good] of Object.entries(checks)) {
      if (!good) throw new Error(`a reply with a wrong ${what}`)
    }
    this.outstanding = null
    this.request = view.getUint32(replyAt.request, true)
    this.parent = reply.slice(replyAt.context, replyAt.context + 16)
    if (asked.getUint8(requestAt.operation) === protocolOperations.register) {
      this.session = opOf(reply)
    }
    return reply.subarray(headerBytes)
  }

  #make(operation: number, body: Uint8Array, bend: Bend): Uint8Array {
    const message = frame(commands.request, body.byteLength, bend)
    message.set(body, headerBytes)
    message.set(this.id, requestAt.client)
    message.set(bend.parent ?? this.parent, requestAt.parent)
    const view = viewOf(message)
    view.setBigUint64(requestAt.session, bend.session ?? this.session, true)
    view.setUint32(requestAt.request, bend.request ?? 0, true)
    view.setUint8(requestAt.operation, operation)
    setChecksums(view, 0, message.byteLength)
    this.outstanding = message
    return message
  }
}

/** The op that a reply was committed as. */
export function opOf(reply: Uint8Array): bigint {
  return viewOf(reply).getBigUint64(replyAt.op, true)
}

function frame(command: number, bodyBytes: number, bend: Bend): Uint8Array {
  const message = new Uint8Array(headerBytes + bodyBytes)
  const view = viewOf(message)
  view.setUint32(at.cluster, bend.cluster ?? 0, true)
  view.setUint32(at.size, message.byteLength, true)
  view.setUint32(at.view, bend.view ?? 0, true)
  view.setUint32(at.release, bend.release ?? release, true)
  view.setUint8(at.command, command)
  return message
}
