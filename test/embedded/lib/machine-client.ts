import type { Client } from 'tigerbeetle-node'
import {
  readBatches,
  trailerBytes,
  writeTrailer,
} from '../../../embedded/ledger/state/multi-batch.ts'
import { operations, type StateMachine } from '../../../embedded/ledger/state-machine.ts'
import { type Codec, codecs } from './codec.ts'

const millisecond = 1_000_000n

/** Time (nanoseconds) that moves when it is told to. */
export class VirtualClock {
  now: bigint

  constructor(start = BigInt(Date.now()) * millisecond) {
    this.now = start
  }

  advance(milliseconds: number): void {
    this.now += BigInt(milliseconds) * millisecond
  }
}

/** What the official client answers when events or results do not fit a message. */
class TooMuchData extends Error {
  override readonly name = 'RequestError'
  readonly code = 'ERR_TOO_MUCH_DATA'
}

/** One request body for several calls. */
export function encodeBody<Event>(
  codec: Codec<Event, unknown>,
  calls: readonly (readonly Event[])[],
): Uint8Array {
  const events = codec.encode(calls.flat())
  const body = new Uint8Array(events.length + trailerBytes(codec.eventBytes, calls.length))
  body.set(events)
  const counts = Uint16Array.from(calls, (call) => call.length)
  writeTrailer(body, events.length, codec.eventBytes, counts)
  return body
}

/** The results of each call. */
export function decodeBody<Result>(codec: Codec<never, Result>, body: Uint8Array): Result[][] {
  const counts = readBatches(body, codec.resultBytes)
  if (!counts) throw new Error('the reply has a wrong trailer')
  let at = 0
  return Array.from(counts, (count) => {
    const end = at + count * codec.resultBytes
    const results = codec.decode(body.subarray(at, end))
    at = end
    return results
  })
}

/**
 * Executes calls at the clock's next millisecond, first expiring what is due: as many calls in one
 * request as a message can hold.
 */
export function execute<Event, Result>(
  machine: StateMachine,
  clock: VirtualClock,
  operation: number,
  codec: Codec<Event, Result>,
  calls: readonly (readonly Event[])[],
): Result[][] {
  const answers: Result[][] = []
  for (let done = 0; done < calls.length; ) {
    let end = calls.length
    let body = encodeBody(codec, calls.slice(done, end))
    let events = machine.countEvents(operation, body)
    while (events === null && end > done + 1) {
      end = done + Math.ceil((end - done) / 2)
      body = encodeBody(codec, calls.slice(done, end))
      events = machine.countEvents(operation, body)
    }
    if (events === null) throw new Error('a call that no message can hold')
    clock.advance(1)
    while (machine.nextExpiry !== 0n && machine.nextExpiry <= clock.now) machine.expire(clock.now)
    clock.now += BigInt(events)
    answers.push(...decodeBody<Result>(codec, machine.commit(operation, body, clock.now)))
    done = end
  }
  return answers
}

const perMessage = 8189

/**
 * A client like the official one on a state machine in this process. Calls that are made in one
 * tick share a request.
 */
export function machineClient(machine: StateMachine, clock: VirtualClock): Client {
  const method = <Event, Result>(operation: number, codec: Codec<Event, Result>) => {
    let waiting: { call: readonly Event[]; settle: (results: Result[]) => void }[] = []
    const flush = (): void => {
      const calls = waiting
      waiting = []
      const answers = execute(
        machine,
        clock,
        operation,
        codec,
        calls.map(({ call }) => call),
      )
      for (const [index, { settle }] of calls.entries()) settle(answers[index]!)
    }
    return async (call: readonly Event[]): Promise<Result[]> => {
      if (call.length > perMessage) throw new TooMuchData()
      return new Promise((settle) => {
        if (waiting.length === 0) queueMicrotask(flush)
        waiting.push({ call, settle })
      })
    }
  }
  const query = <Event extends { limit: number }, Result>(
    operation: number,
    codec: Codec<Event, Result>,
  ) => {
    const send = method(operation, codec)
    return async (filter: Event): Promise<Result[]> => {
      if (filter.limit > perMessage) throw new TooMuchData()
      return send([filter])
    }
  }
  return {
    createAccounts: method(operations.createAccounts, codecs.create_accounts),
    createTransfers: method(operations.createTransfers, codecs.create_transfers),
    lookupAccounts: method(operations.lookupAccounts, codecs.lookup_accounts),
    lookupTransfers: method(operations.lookupTransfers, codecs.lookup_transfers),
    getAccountTransfers: query(operations.getAccountTransfers, codecs.get_account_transfers),
    getAccountBalances: query(operations.getAccountBalances, codecs.get_account_balances),
    queryAccounts: query(operations.queryAccounts, codecs.query_accounts),
    queryTransfers: query(operations.queryTransfers, codecs.query_transfers),
    destroy: () => {},
  }
}
