import { viewOf } from './checksum.ts'
import {
  at,
  type EvictionReason,
  equal16,
  protocolOperations,
  replyAt,
  requestAt,
} from './header.ts'

/** As many as the real server has; one more registration ends the session that was idle longest. */
export const sessionsMax = 64

/** One client's session: its last reply is what a request that is sent again is answered with. */
export interface Session {
  /** The op of the registration. */
  readonly number: bigint
  /** The whole last reply message, and a view on it. */
  reply: Uint8Array
  view: DataView
  /** The op that has to be on disk before the reply may be sent. */
  durableAfter: number
  /** Rises with each request: the session with the lowest is the one that was idle longest. */
  used: number
  /**
   * True until the first request after a restart. Reads are not in the journal, so the client may be
   * some reads ahead of what is known here; it cannot be ahead by a write, because a write is on
   * disk before it is answered. Any higher request number is then a new request.
   */
  resumed: boolean
}

/** What is to be done with a request: execute it, send the stored reply again, drop it or evict. */
export type Verdict = 'new' | 'repeat' | 'ignore' | EvictionReason

/**
 * The client sessions, part of the durable state: equal entries make equal sessions. They are in the
 * order of registration; which one was idle longest is not durable, as reads are not.
 */
export class Sessions {
  readonly #list: Session[] = []
  #uses = 0

  get size(): number {
    return this.#list.length
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#list[Symbol.iterator]()
  }

  /** The session of the client whose 16-byte id stands at `offset`. */
  find(view: DataView, offset: number): Session | undefined {
    for (const session of this.#list) {
      if (equal16(session.view, replyAt.client, view, offset)) return session
    }
    return undefined
  }

  /** Opens a session with the reply to its registration. There must be room: see `stalest`. */
  register(reply: Uint8Array, durableAfter: number): Session {
    const number = viewOf(reply).getBigUint64(replyAt.op, true)
    return this.#add({ number, reply, durableAfter, resumed: false })
  }

  /** Takes over a saved session after a restart. */
  resume(number: bigint, reply: Uint8Array): void {
    this.#add({ number, reply, durableAfter: 0, resumed: true })
  }

  /** Ends the session of the client whose id stands at `offset`. */
  remove(view: DataView, offset: number): void {
    const session = this.find(view, offset)
    if (session !== undefined) this.#list.splice(this.#list.indexOf(session), 1)
  }

  /** The stored reply is replaced by the one to the client's next request. */
  update(session: Session, reply: Uint8Array, durableAfter: number): void {
    session.reply = reply
    session.view = viewOf(reply)
    session.durableAfter = durableAfter
    session.used = ++this.#uses
    session.resumed = false
  }

  /** When all places are taken: the session that was idle longest, which has to go. */
  get stalest(): Session | undefined {
    if (this.#list.length < sessionsMax) return undefined
    return this.#list.reduce((a, b) => (b.used < a.used ? b : a))
  }

  #add(fields: Omit<Session, 'view' | 'used'>): Session {
    if (this.#list.length >= sessionsMax) throw new Error(`more than ${sessionsMax} sessions`)
    const session = { ...fields, view: viewOf(fields.reply), used: ++this.#uses }
    this.#list.push(session)
    return session
  }
}

/**
 * Judges a well-formed request (header at `o`) against its client's session: at most one execution
 * of each request. The rules and reasons are those of the real server.
 */
export function judge(session: Session | undefined, view: DataView, o: number): Verdict {
  const register = view.getUint8(o + requestAt.operation) === protocolOperations.register
  if (session === undefined) return register ? 'new' : 'noSession'
  if (!register) {
    const number = view.getBigUint64(o + requestAt.session, true)
    if (session.number > number) return 'sessionTooLow'
    if (session.number < number) return 'ignore'
  }
  const last = session.view
  const release = view.getUint32(o + at.release, true)
  if (last.getUint32(at.release, true) !== release) return 'releaseMismatch'
  const request = view.getUint32(o + requestAt.request, true)
  const lastRequest = last.getUint32(replyAt.request, true)
  if (request < lastRequest) return 'ignore'
  if (request === lastRequest) {
    if (!equal16(last, replyAt.requestChecksum, view, o + at.checksum)) return 'ignore'
    // Of a read only the head of its reply survives a restart: it is executed again.
    return session.reply.byteLength < last.getUint32(at.size, true) ? 'new' : 'repeat'
  }
  if (session.resumed) return 'new'
  if (request !== lastRequest + 1) return 'ignore'
  return equal16(last, replyAt.context, view, o + requestAt.parent) ? 'new' : 'ignore'
}
