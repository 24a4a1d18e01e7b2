import { type Client, CreateAccountStatus, CreateTransferStatus } from 'tigerbeetle-node'
import type { Answer, CallName, TraceCall, TraceObject, TraceStep } from './trace-file.ts'
import { TraceTimes } from './trace-names.ts'
import { zeroAccount, zeroAccountFilter, zeroQueryFilter, zeroTransfer } from './zero.ts'

/** What a trace is played against. */
export interface Stage {
  client(): Client
  reconnect(): Promise<void>
  sleep(milliseconds: number): Promise<void>
}

const importedFlag = { account: 1 << 4, transfer: 1 << 8 }

type Perform = (client: Client, times: TraceTimes, call: TraceCall) => Promise<Answer>

const performers: Record<CallName, Perform> = {
  create_accounts: create('account', zeroAccount, CreateAccountStatus, (client, events) =>
    client.createAccounts(events),
  ),
  create_transfers: create('transfer', zeroTransfer, CreateTransferStatus, (client, events) =>
    client.createTransfers(events),
  ),
  lookup_accounts: lookup((client, ids) => client.lookupAccounts(ids)),
  lookup_transfers: lookup((client, ids) => client.lookupTransfers(ids)),
  get_account_transfers: query(zeroAccountFilter, (client, filter) =>
    client.getAccountTransfers(filter),
  ),
  get_account_balances: query(zeroAccountFilter, (client, filter) =>
    client.getAccountBalances(filter),
  ),
  query_accounts: query(zeroQueryFilter, (client, filter) => client.queryAccounts(filter)),
  query_transfers: query(zeroQueryFilter, (client, filter) => client.queryTransfers(filter)),
}

/** Plays a trace on a stage, one step after the other. */
export class Player {
  private readonly times = new TraceTimes()
  private readonly stage: Stage

  constructor(stage: Stage) {
    this.stage = stage
  }

  /** Plays one step and gives the answer, in the form in which answers were recorded. */
  async play(step: TraceStep): Promise<Answer> {
    if (step.op === 'sleep') {
      await this.stage.sleep(step.ms)
      return { op: 'sleep' }
    }
    if (step.op === 'reconnect') {
      await this.stage.reconnect()
      return { op: 'reconnect' }
    }
    if (step.op !== 'parallel') return this.perform(step)
    return { op: 'parallel', calls: await Promise.all(step.calls.map((c) => this.perform(c))) }
  }

  private perform(call: TraceCall): Promise<Answer> {
    return performers[call.op](this.stage.client(), this.times, call)
  }
}

/** Plays a trace to its end and gives the answers. */
export async function replay(steps: readonly TraceStep[], stage: Stage): Promise<Answer[]> {
  const player = new Player(stage)
  const answers: Answer[] = []
  for (const step of steps) answers.push(await player.play(step))
  return answers
}

function create<Event extends typeof zeroAccount | typeof zeroTransfer>(
  kind: 'account' | 'transfer',
  zero: Event,
  statuses: Readonly<Record<number, string>>,
  send: (client: Client, events: Event[]) => Promise<{ status: number; timestamp: bigint }[]>,
): Perform {
  return (client, times, { op, events = [] }) => {
    const filled = events.map((event) => fill(times, zero, event))
    return settle(op, send(client, filled), (results) =>
      times.showResults(
        kind,
        filled.map(({ id, timestamp, flags }) => ({
          id,
          timestamp,
          imported: (flags & importedFlag[kind]) !== 0,
        })),
        results.map(({ status, timestamp }) => ({
          status: statuses[status] ?? `status_${status}`,
          timestamp,
        })),
      ),
    )
  }
}

function lookup(send: (client: Client, ids: bigint[]) => Promise<object[]>): Perform {
  return (client, times, { op, ids = [] }) =>
    settle(op, send(client, ids.map(BigInt)), (objects) => showObjects(times, objects))
}

function query<Filter extends object>(
  zero: Filter,
  send: (client: Client, filter: Filter) => Promise<object[]>,
): Perform {
  return (client, times, { op, filter = {} }) =>
    settle(op, send(client, fill(times, zero, filter)), (objects) => showObjects(times, objects))
}

async function settle<Result>(
  op: string,
  sent: Promise<Result>,
  show: (result: Result) => Omit<Answer, 'op'>,
): Promise<Answer> {
  let result: Result
  try {
    result = await sent
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { name, message } = error
    return 'code' in error
      ? { op, error: { name, code: String(error.code) } }
      : { op, error: { name, message } }
  }
  return { op, ...show(result) }
}

/** The client's object: a field that the trace leaves out is zero. */
function fill<Filled extends object>(times: TraceTimes, zero: Filled, given: TraceObject): Filled {
  const fields: Record<string, bigint | number> = {}
  for (const [field, value] of Object.entries(given)) {
    if (!(field in zero)) throw new Error(`unknown field in trace: ${field}`)
    fields[field] = typeof value === 'number' ? value : times.resolve(value)
  }
  return { ...zero, ...fields }
}

/** Objects without the fields that are zero, bigints as decimal strings. */
function showObjects(times: TraceTimes, objects: readonly object[]): Pick<Answer, 'objects'> {
  return {
    objects: objects.map((object) => {
      const shown: Record<string, string | number> = {}
      for (const [field, value] of Object.entries(object)) {
        if (value === 0n || value === 0) continue
        if (field === 'timestamp') shown[field] = times.show(value)
        else shown[field] = typeof value === 'bigint' ? String(value) : value
      }
      return shown
    }),
  }
}
