import type { Account, Transfer } from 'tigerbeetle-node'
import { TransferFlags } from 'tigerbeetle-node'
import { createStateMachine } from '../../../embedded/ledger/state-machine.ts'
import { machineClient, VirtualClock } from '../lib/machine-client.ts'
import type { Random } from '../lib/random.ts'
import type {
  Answer,
  TraceCall,
  TraceObject,
  TraceStep,
  TraceTimestamp,
} from '../lib/trace-file.ts'
import { Player } from '../lib/trace-replay.ts'
import { type Draft, random128, recent } from './vocabulary.ts'

const endingFlags = TransferFlags.post_pending_transfer | TransferFlags.void_pending_transfer

export const flagsOf = (event: TraceObject): number => Number(event.flags ?? 0)
export const idOf = (event: TraceObject): string => String(event.id ?? '0')

/**
 * What a trace has done so far. Each step is carried out at once on a ledger in this process, so
 * that the next ones can aim at what is there: an amount next to a limit, a transfer that is still
 * pending. That ledger only guides; it judges nothing.
 */
export class World {
  readonly random: Random
  /** Events that created something. */
  readonly accounts: TraceObject[] = []
  readonly transfers: TraceObject[] = []
  /** Transfers that were refused for whatever reason; some of their ids are burnt. */
  readonly refused: TraceObject[] = []
  /** Pending transfers that nobody has posted or voided, and those that somebody has. */
  readonly open: TraceObject[] = []
  readonly ended: TraceObject[] = []
  /** Events of the batch in the making. */
  drafts: Draft[] = []
  private readonly clock = new VirtualClock()
  private readonly client = machineClient(createStateMachine(), this.clock)
  private readonly withTimeout = new Set<string>()
  private readonly player = new Player({
    client: () => this.client,
    reconnect: async () => this.clock.advance(500),
    sleep: async (milliseconds) => this.clock.advance(milliseconds),
  })
  private lastId = 0

  constructor(random: Random) {
    this.random = random
  }

  async run(step: TraceStep): Promise<Answer> {
    const calls = step.op === 'parallel' ? step.calls : [step]
    for (const call of calls) if (call.op === 'create_transfers') this.noteTimeouts(call)
    const answer = await this.player.play(step)
    const answers = answer.calls ?? [answer]
    for (const [index, call] of calls.entries()) {
      if (call.op === 'create_accounts') this.noteAccounts(call, answers[index]!)
      if (call.op === 'create_transfers') this.noteTransfers(call, answers[index]!)
    }
    return answer
  }

  async account(id: string): Promise<Account | undefined> {
    return (await this.client.lookupAccounts([BigInt(id)]))[0]
  }

  async transfer(id: string): Promise<Transfer | undefined> {
    return (await this.client.lookupTransfers([BigInt(id)]))[0]
  }

  /** An id not used before; now and then a strange one. */
  newId(): string {
    const { random } = this
    this.lastId += 1
    if (random.chance(0.8)) return String(this.lastId)
    if (random.chance(0.3)) return String((1n << 128n) - 2n - BigInt(this.lastId))
    if (random.chance(0.5)) return String((BigInt(this.lastId) << 64n) | 5n)
    return String(random128(random) | 1n)
  }

  /** An id that nothing has. */
  unknownId(): string {
    return String(5_000_000 + this.random.below(1000))
  }

  anyAccountId(): string {
    return idOf(recent(this.random, this.accounts) ?? { id: this.unknownId() })
  }

  anyTransferId(): string {
    const { random } = this
    if (random.chance(0.1)) return idOf(recent(random, this.refused) ?? { id: this.unknownId() })
    return idOf(recent(random, this.transfers, 30) ?? { id: this.unknownId() })
  }

  /** A little before, at, or after the creation of something. */
  someTimestamp(): TraceTimestamp {
    const { random } = this
    const plus = random.pick([-1, 0, 0, 0, 1])
    const transfer = recent(random, this.transfers, 30)
    if (transfer && random.chance(0.7)) return { ts: `transfer:${idOf(transfer)}`, plus }
    const account = recent(random, this.accounts)
    return account ? { ts: `account:${idOf(account)}`, plus } : '0'
  }

  /** Whether a transfer with this id was ever asked to expire. */
  mayExpire(id: string): boolean {
    return this.withTimeout.has(id)
  }

  private noteTimeouts({ events = [] }: TraceCall): void {
    for (const event of events) if (event.timeout) this.withTimeout.add(idOf(event))
  }

  private noteAccounts({ events = [] }: TraceCall, { results = [] }: Answer): void {
    for (const [index, event] of events.entries()) {
      if (results[index]?.startsWith('created')) this.accounts.push(event)
    }
  }

  private noteTransfers({ events = [] }: TraceCall, { results = [] }: Answer): void {
    for (const [index, event] of events.entries()) {
      if (!results[index]?.startsWith('created')) {
        this.refused.push(event)
        continue
      }
      this.transfers.push(event)
      if ((flagsOf(event) & TransferFlags.pending) !== 0) this.open.push(event)
      if ((flagsOf(event) & endingFlags) !== 0) this.noteEnding(String(event.pending_id))
    }
  }

  private noteEnding(pendingId: string): void {
    const at = this.open.findIndex((event) => idOf(event) === pendingId)
    if (at >= 0) this.ended.push(...this.open.splice(at, 1))
  }
}
