import { crc32 } from 'node:zlib'
import { viewOf } from '../../../embedded/ledger/checksum.ts'
import { type Ledger, openLedger } from '../../../embedded/ledger/ledger.ts'
import { type Peer, Replica } from '../../../embedded/ledger/replica.ts'
import { createStateMachine, operations } from '../../../embedded/ledger/state-machine.ts'
import { codecs } from './codec.ts'
import { encodeBody } from './machine-client.ts'
import type { Random } from './random.ts'
import { opOf, RawClient } from './raw-client.ts'
import { type Fault, type Moment, SimStorage } from './sim-storage.ts'

/** A moment at which the machine could crash, and what clients then rely on. */
export interface CrashPoint {
  readonly moment: Moment
  /** The newest op that any client was answered with. */
  readonly answeredOp: number
  /** For each client: its outstanding request, or its last one, and the reply if it came. */
  readonly clients: readonly { readonly request: Uint8Array; readonly reply: Uint8Array | null }[]
}

export interface History {
  readonly points: readonly CrashPoint[]
  /** The state after op 0, 1, 2...: what a recovery has to come to. */
  readonly fingerprints: readonly number[]
  /** What the disk failed with, if it did. */
  readonly failure: Error | null
}

const clientCount = 3
const startTime = 1_700_000_000_000_000_000n

/**
 * Runs a ledger under a few clients for some steps on a simulated disk, and records each moment at
 * which a crash would leave something new to chance.
 */
export async function runHistory(
  random: Random,
  steps: number,
  options: { readonly fault?: () => Fault; readonly close?: boolean } = {},
): Promise<History> {
  const fault = options.fault ?? (() => null)
  const points: CrashPoint[] = []
  const clients = Array.from({ length: clientCount }, () => new HistoryClient(random))
  let answeredOp = 0
  let failure: Error | null = null
  const onMoment = (moment: Moment) => {
    points.push({ moment, answeredOp, clients: clients.flatMap((client) => client.state) })
  }
  let opened = false
  const storage = new SimStorage({ random, onMoment, fault: () => (opened ? fault() : null) })
  let now = startTime
  const ledger = await openSim(
    storage,
    () => now,
    (error) => {
      failure = error
    },
  )
  opened = true
  const reference = new Reference()
  watchEntries(ledger, reference)
  for (const client of clients) {
    client.onReply = (reply) => {
      answeredOp = Math.max(answeredOp, Number(opOf(reply)))
    }
  }
  for (let step = 0; step < steps && failure === null; step++) {
    now += BigInt(random.below(2_000_000_000) - 500_000_000)
    if (random.chance(0.1)) ledger.replica.expireDue()
    const client = random.pick(clients)
    if (client.idle) {
      const message = client.compose()
      ledger.replica.receive(client, viewOf(message), 0)
    }
    for (let turns = random.below(4); turns > 0; turns--) await new Promise(setImmediate)
  }
  if (options.close ?? random.chance(0.5)) await ledger.close()
  else await settle(clients, () => failure !== null)
  onMoment(storage.moment)
  return { points, fingerprints: reference.fingerprints, failure }
}

/** Opens a ledger on a simulated disk, with segments so small that many things happen. */
export function openSim(
  storage: SimStorage,
  clock: () => bigint,
  onFailure: (error: Error) => void,
  report: (line: string) => void = () => {},
): Promise<Ledger> {
  const segmentBytes = 8 * 1024
  return openLedger({ storage, clock, report, onFailure, segmentBytes, fullDiskRetryMs: 1 })
}

/** A checksum of all that entries determine: every saved row, and who has which session. */
export function fingerprint(replica: Replica): number {
  const state = replica.stateMachine.snapshot()
  let sum = crc32(state.header)
  for (const section of state.sections) {
    for (const slice of section.slices(0, section.byteLength)) sum = crc32(slice, sum)
  }
  const sessions = Array.from(replica.sessions, ({ number }) => String(number)).sort()
  return crc32(sessions.join(), sum)
}

/** Executes the same entries again, one by one, in memory, and remembers each state. */
class Reference {
  readonly #replica = new Replica({ stateMachine: createStateMachine(), clock: () => 0n })
  readonly fingerprints: number[] = [fingerprint(this.#replica)]

  take(head: DataView, body: Uint8Array): void {
    this.#replica.replay(head, body)
    this.fingerprints.push(fingerprint(this.#replica))
  }
}

/** Lets the reference execute every entry that the replica gives to its log. */
function watchEntries({ replica, log }: Ledger, reference: Reference): void {
  const append = log.append.bind(log)
  log.append = (head, body) => {
    reference.take(head, body)
    append(head, body)
  }
  replica.logTo(log)
}

async function settle(clients: readonly HistoryClient[], failed: () => boolean): Promise<void> {
  while (!failed() && clients.some((client) => !client.idle)) await new Promise(setImmediate)
}

/** A client that sends one random request at a time. */
class HistoryClient implements Peer {
  readonly #raw: RawClient
  readonly #random: Random
  #registered = false
  #last: { request: Uint8Array; reply: Uint8Array | null } | null = null
  onReply: (reply: Uint8Array) => void = () => {}

  constructor(random: Random) {
    this.#random = random
    this.#raw = new RawClient(Uint8Array.from({ length: 16 }, () => 1 + random.below(255)))
  }

  get idle(): boolean {
    return this.#raw.outstanding === null
  }

  get state(): { request: Uint8Array; reply: Uint8Array | null }[] {
    return this.#last === null ? [] : [{ ...this.#last }]
  }

  send(message: Uint8Array): void {
    this.#raw.accept(message)
    if (this.#last !== null) this.#last.reply = message.slice()
    this.onReply(message)
  }

  compose(): Uint8Array {
    const request = this.#registered ? this.#randomRequest() : this.#raw.register()
    this.#registered = true
    this.#last = { request, reply: null }
    return request
  }

  #randomRequest(): Uint8Array {
    const random = this.#random
    const kind = random.below(10)
    if (kind === 0) {
      const accounts = Array.from({ length: 1 + random.below(3) }, () => account(random))
      const body = encodeBody(codecs.create_accounts, [accounts])
      return this.#raw.next(operations.createAccounts, body)
    }
    if (kind < 3) {
      const body = encodeBody(codecs.lookup_accounts, [[1n, 2n, 3n]])
      return this.#raw.next(operations.lookupAccounts, body)
    }
    const calls = Array.from({ length: 1 + random.below(3) }, () => {
      return Array.from({ length: random.below(4) }, () => transfer(random))
    })
    const body = encodeBody(codecs.create_transfers, calls)
    return this.#raw.next(operations.createTransfers, body)
  }
}

const noUserData = { user_data_128: 0n, user_data_64: 0n, user_data_32: 0 }

function account(random: Random) {
  return {
    id: BigInt(1 + random.below(5)),
    debits_pending: 0n,
    debits_posted: 0n,
    credits_pending: 0n,
    credits_posted: 0n,
    ...noUserData,
    reserved: 0,
    ledger: 1,
    code: 1,
    flags: random.pick([0, 8]),
    timestamp: 0n,
  }
}

function transfer(random: Random) {
  const flags = random.pick([0, 0, 0, 1, 2, 2, 4, 8])
  return {
    id: BigInt(1 + random.below(200)),
    debit_account_id: BigInt(1 + random.below(5)),
    credit_account_id: BigInt(1 + random.below(5)),
    amount: BigInt(random.below(100)),
    pending_id: (flags & 12) === 0 ? 0n : BigInt(1 + random.below(200)),
    ...noUserData,
    timeout: flags === 2 ? random.below(3) : 0,
    timestamp: 0n,
    ledger: 1,
    code: 1,
    flags,
  }
}
