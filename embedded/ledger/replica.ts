import { admit, unsupportedRelease } from './admission.ts'
import {
  copy16,
  type EntryHead,
  entryAt,
  entryHeadBytes,
  expireOperation,
  readOp,
  writeOp,
} from './entry.ts'
import {
  at,
  commands,
  headerBytes,
  isZero,
  pingAt,
  protocolOperations,
  replyAt,
  requestAt,
} from './header.ts'
import { MemoryLog } from './memory-log.ts'
import { makeEviction, makePong, makeReply, registerResult } from './messages.ts'
import { judge, type Session, Sessions } from './sessions.ts'
import { isRead, type StateMachine } from './state-machine.ts'

/** Whoever sent a message: answers go back there. */
export interface Peer {
  send(message: Uint8Array): void
}

/** Where entries are made durable. Appending never waits; `durable` rises and is told. */
export interface EntryLog {
  /** The highest op that a crash cannot take away any more. */
  readonly durable: number
  append(head: EntryHead, body: Uint8Array): void
  /** Called, never from within `append`, whenever `durable` has risen. */
  onDurable: () => void
}

export interface ReplicaOptions {
  readonly stateMachine: StateMachine
  /** The wall clock, nanoseconds. It may jump: timestamps rise all the same. */
  readonly clock: () => bigint
  readonly sessions?: Sessions
  /** The last op and timestamp (nanoseconds) of a snapshot that the state machine was made from. */
  readonly op?: number
  readonly timestamp?: bigint
}

/** A reply that is not durable yet. */
interface Waiting {
  readonly session: Session
  readonly reply: Uint8Array
  readonly op: number
}

const noBody = new Uint8Array(0)
/** How many timestamps an expiry takes, as in TigerBeetle: one for each transfer it may expire. */
const expiryTimestamps = 8189n

/**
 * The one replica: puts requests in order, executes them, has them written and answers when they are
 * durable. It knows nothing of sockets and files; replay and live requests share `#apply`.
 */
export class Replica {
  readonly sessions: Sessions
  readonly stateMachine: StateMachine
  #log: EntryLog = new MemoryLog()
  readonly #clock: () => bigint
  readonly #head: EntryHead = new DataView(new ArrayBuffer(entryHeadBytes))
  readonly #waiting: Waiting[] = []
  readonly #peers = new WeakMap<Session, Peer>()
  #op: number
  #timestamp: bigint

  constructor(options: ReplicaOptions) {
    this.stateMachine = options.stateMachine
    this.sessions = options.sessions ?? new Sessions()
    this.#clock = options.clock
    this.#op = options.op ?? 0
    this.#timestamp = max(options.timestamp ?? 0n, this.stateMachine.timestamp)
  }

  /** The op of the newest entry. Reads are no entries. */
  get op(): number {
    return this.#op
  }

  /** The highest timestamp (nanoseconds) given to any operation so far. */
  get timestamp(): bigint {
    return this.#timestamp
  }

  /** From now on entries go to `log`, and answers wait for it. Until then nothing is kept. */
  logTo(log: EntryLog): void {
    this.#log = log
    log.onDurable = () => this.#answer()
  }

  /** Commits an entry again that an earlier process has written. */
  replay(head: EntryHead, body: Uint8Array): void {
    this.#op = readOp(head, entryAt.op)
    this.#timestamp = head.getBigUint64(entryAt.timestamp, true)
    const session = this.#apply(head, body)
    if (session !== undefined) session.resumed = true
  }

  /** Takes a message with a valid frame (header at `o` of `view`) and valid checksums. */
  receive(peer: Peer, view: DataView, o: number): void {
    if (view.getUint8(o + at.command) === commands.pingClient) this.#ping(peer, view, o)
    else this.#request(peer, view, o)
  }

  /** Expires what is due now, in one bounded step; true when more is due. */
  expireDue(): boolean {
    if (!this.#expiryDue()) return false
    this.#expire()
    return this.#expiryDue()
  }

  #ping(peer: Peer, view: DataView, o: number): void {
    const client = o + pingAt.client
    const session = view.getBigUint64(o + pingAt.session, true)
    const known = this.sessions.find(view, client) !== undefined
    if (!known && session !== 0n && session <= BigInt(this.#op)) {
      peer.send(makeEviction(view, client, 'noSession'))
      return
    }
    const reason = unsupportedRelease(view, o)
    peer.send(reason === null ? makePong(view, o) : makeEviction(view, client, reason))
  }

  #request(peer: Peer, view: DataView, o: number): void {
    // A view that this cluster cannot have seen is dropped.
    if (view.getUint32(o + at.view, true) !== 0) return
    const size = view.getUint32(o + at.size, true) - headerBytes
    const body = new Uint8Array(view.buffer, view.byteOffset + o + headerBytes, size)
    const fit = admit(this.stateMachine, view, o, body)
    if (typeof fit === 'string') {
      peer.send(makeEviction(view, o + requestAt.client, fit))
      return
    }
    const session = this.sessions.find(view, o + requestAt.client)
    const verdict = judge(session, view, o)
    if (verdict === 'ignore') return
    if (verdict === 'new') {
      // Only a recovery mode that does not exist here gives timestamps itself.
      if (view.getBigUint64(o + requestAt.timestamp, true) === 0n) {
        this.#execute(peer, view, o, fit, body)
      }
    } else if (verdict === 'repeat') {
      this.#repeat(peer, session!)
    } else {
      peer.send(makeEviction(view, o + requestAt.client, verdict))
    }
  }

  #execute(peer: Peer, view: DataView, o: number, timestamps: number, body: Uint8Array): void {
    if (this.#expiryDue()) this.#expire()
    const operation = view.getUint8(o + requestAt.operation)
    const register = operation === protocolOperations.register
    // What changes nothing is no entry: it has the op of the state that it saw.
    const entry = register || (operation !== protocolOperations.noop && !isRead(operation))
    if (entry) this.#op++
    this.#timestamp = this.#nextTimestamp() + BigInt(timestamps)
    const head = this.#fillHead(operation)
    copy16(head, entryAt.client, view, o + requestAt.client)
    copy16(head, entryAt.requestChecksum, view, o + at.checksum)
    head.setUint32(entryAt.request, view.getUint32(o + requestAt.request, true), true)
    head.setUint32(entryAt.release, view.getUint32(o + at.release, true), true)
    if (register) {
      const evicted = this.sessions.stalest
      if (evicted !== undefined) copy16(head, entryAt.evicted, evicted.view, replyAt.client)
    } else {
      copy16(head, entryAt.bodyChecksum, view, o + at.checksumBody)
    }
    const session = this.#apply(head, register ? noBody : body)!
    this.#peers.set(session, peer)
    if (entry) this.#log.append(head, register ? noBody : body)
    if (this.#log.durable >= session.durableAfter) peer.send(session.reply)
    else this.#waiting.push({ session, reply: session.reply, op: session.durableAfter })
  }

  #repeat(peer: Peer, session: Session): void {
    this.#peers.set(session, peer)
    if (this.#log.durable >= session.durableAfter) peer.send(session.reply)
  }

  #expire(): void {
    this.#op++
    this.#timestamp = this.#nextTimestamp() + expiryTimestamps
    const head = this.#fillHead(expireOperation)
    this.#apply(head, noBody)
    this.#log.append(head, noBody)
  }

  /** Changes the state by one entry; the same entries in the same order give the same state. */
  #apply(head: EntryHead, body: Uint8Array): Session | undefined {
    const operation = head.getUint8(entryAt.operation)
    const timestamp = head.getBigUint64(entryAt.timestamp, true)
    const op = readOp(head, entryAt.op)
    if (operation === expireOperation) {
      this.stateMachine.expire(timestamp)
      return undefined
    }
    if (operation === protocolOperations.register) {
      if (!isZero(head, entryAt.evicted, 16)) this.sessions.remove(head, entryAt.evicted)
      return this.sessions.register(makeReply(head, registerResult), op)
    }
    const session = this.sessions.find(head, entryAt.client)
    if (session === undefined) throw new Error(`entry ${op} is of a client without a session`)
    const noop = operation === protocolOperations.noop
    const result = noop ? noBody : this.stateMachine.commit(operation, body, timestamp)
    this.sessions.update(session, makeReply(head, result), op)
    return session
  }

  /** Sends the replies that have become durable, each to where its client was heard last. */
  #answer(): void {
    let count = 0
    while (count < this.#waiting.length && this.#waiting[count]!.op <= this.#log.durable) {
      const { session, reply } = this.#waiting[count++]!
      this.#peers.get(session)?.send(reply)
    }
    this.#waiting.splice(0, count)
  }

  #fillHead(operation: number): EntryHead {
    const head = this.#head
    for (let i = 0; i < entryHeadBytes; i += 4) head.setInt32(i, 0, true)
    writeOp(head, entryAt.op, this.#op)
    head.setBigUint64(entryAt.timestamp, this.#timestamp, true)
    head.setUint8(entryAt.operation, operation)
    return head
  }

  #expiryDue(): boolean {
    const due = this.stateMachine.nextExpiry
    return due !== 0n && due <= this.#nextTimestamp()
  }

  /** Timestamps follow the clock, but always rise. */
  #nextTimestamp(): bigint {
    return max(this.#timestamp + 1n, this.#clock())
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
