/**
 * The connection to TigerBeetle. The official client never times out: it waits for a dead server
 * for ever. Here every call has a deadline, and a limit on how many may wait.
 *
 * One process shares one client, because the client packs concurrent calls into one request.
 */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import {
  type Client,
  type CreateTransferResult,
  createClient,
  ErrorCodes,
  RequestError,
  type Transfer,
} from 'tigerbeetle-node'
import { createPacker } from './packing.ts'

/** Nothing was submitted: too many calls wait, or the ledger is known not to answer. */
export class LedgerUnavailable extends Error {}

/** Something was submitted and no answer came: it may have happened, or still happen. */
export class LedgerOutcomeUnknown extends Error {}

/** Nothing was submitted: the server takes smaller requests. `requestEventsMax` tells how large ones. */
export class RequestTooLarge extends Error {}

export interface LedgerOptions {
  /** `host:port`, `[ipv6]:port` or `port`, one per replica. Host names are resolved once. */
  addresses: readonly string[]
  clusterId: bigint
  /** How long a call may take before its outcome counts as unknown. */
  deadlineMs: number
  /** How many calls may be under way at once; further ones are refused. */
  queueLimit: number
}

type Operations = Omit<Client, 'destroy'>

/** TigerBeetle's operations, each rejecting with LedgerUnavailable or LedgerOutcomeUnknown. */
export interface Ledger extends Operations {
  /** Calls under way, for metrics and tests. */
  readonly pending: number
  /**
   * How many events a request may have, as far as it is known: what a server in production takes, until
   * a larger request than `requestEventsMax` was refused.
   */
  largestRequest(): number
  close(): void
}

/**
 * How many events or results one request may have. TigerBeetle takes 8,189, but 253 when it was
 * started with `--development`: every server takes this many.
 */
export const requestEventsMax = 250

/** What a server takes that was not started for development. */
const largeRequestEventsMax = 8_189

/** Half of that, so that single calls still join a pack. */
const packEventsMax = 125

/** How often at most a client that was evicted is replaced. */
const reconnectIntervalMs = 5_000

/** Connects to TigerBeetle. Resolves at once: the client connects when it is first called. */
export async function createLedger(options: LedgerOptions): Promise<Ledger> {
  const { clusterId: cluster_id, deadlineMs, queueLimit } = options
  const replica_addresses = await Promise.all(options.addresses.map(resolveAddress))
  const connect = () => createClient({ cluster_id, replica_addresses })

  let client: Client | null = connect()
  let connectedAtMs = performance.now()
  let closed = false
  let pending = 0
  /** Calls past their deadline that the client still works on: while there is one, the ledger is down. */
  let overdue = 0
  let largestRequest = largeRequestEventsMax

  /** The client for one more call. An evicted one is left alone: destroying it would abort the process (0.17.9). */
  function admit(): Client {
    if (closed) throw new LedgerUnavailable('the ledger client is closed')
    if (!client) {
      if (performance.now() - connectedAtMs < reconnectIntervalMs) {
        throw new LedgerUnavailable('the ledger evicted this client')
      }
      client = connect()
      connectedAtMs = performance.now()
    }
    if (overdue > 0) throw new LedgerUnavailable('the ledger does not answer')
    if (pending >= queueLimit) throw new LedgerUnavailable('too many calls wait for the ledger')
    pending += 1
    return client
  }

  /** Waits for a request, which stands for this many of the calls that were admitted. */
  function submit<T>(
    used: Client,
    calls: number,
    send: (client: Client) => Promise<T>,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        overdue += 1
        reject(new LedgerOutcomeUnknown(`no answer from the ledger within ${deadlineMs} ms`))
      }, deadlineMs)
      const settle = () => {
        pending -= calls
        if (late) overdue -= 1
        else clearTimeout(timer)
      }
      send(used).then(
        (answer) => {
          settle()
          resolve(answer)
        },
        (error: unknown) => {
          settle()
          if (isEviction(error) && client === used) client = null
          if (isTooLarge(error)) largestRequest = requestEventsMax
          reject(toLedgerError(error))
        },
      )
    })
  }

  async function call<T>(send: (client: Client) => Promise<T>): Promise<T> {
    return submit(admit(), 1, send)
  }

  const packed = createPacker<Transfer, CreateTransferResult>(
    async (transfers, calls) => {
      if (client) return submit(client, calls, (used) => used.createTransfers(transfers))
      pending -= calls
      throw new LedgerUnavailable('the ledger client has gone before this was submitted')
    },
    { eventsMax: packEventsMax, isFaultOfOne: isRefusedByClient },
  )

  return {
    createAccounts: (batch) => call((client) => client.createAccounts(batch)),
    async createTransfers(batch) {
      admit()
      return packed(batch)
    },
    lookupAccounts: (batch) => call((client) => client.lookupAccounts(batch)),
    lookupTransfers: (batch) => call((client) => client.lookupTransfers(batch)),
    getAccountTransfers: (filter) => call((client) => client.getAccountTransfers(filter)),
    getAccountBalances: (filter) => call((client) => client.getAccountBalances(filter)),
    queryAccounts: (filter) => call((client) => client.queryAccounts(filter)),
    queryTransfers: (filter) => call((client) => client.queryTransfers(filter)),
    get pending() {
      return pending
    },
    largestRequest: () => largestRequest,
    close() {
      closed = true
      client?.destroy()
      client = null
    },
  }
}

/** The client throws anything else when it cannot even write a value down. */
function isRefusedByClient(error: unknown): boolean {
  const kinds = [RequestError, LedgerOutcomeUnknown, LedgerUnavailable]
  return !kinds.some((kind) => error instanceof kind)
}

function isEviction(error: unknown): boolean {
  return (
    error instanceof RequestError &&
    (error.code === ErrorCodes.ERR_CLIENT_EVICTED ||
      error.code === ErrorCodes.ERR_CLIENT_RELEASE_TOO_LOW ||
      error.code === ErrorCodes.ERR_CLIENT_RELEASE_TOO_HIGH)
  )
}

function isClientGone(error: unknown): boolean {
  return (
    isEviction(error) ||
    (error instanceof RequestError && error.code === ErrorCodes.ERR_CLIENT_CLOSED)
  )
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RequestError && error.code === ErrorCodes.ERR_TOO_MUCH_DATA
}

/** What the client's error means; anything else is one of the caller's. */
function toLedgerError(error: unknown): unknown {
  if (isClientGone(error)) return new LedgerOutcomeUnknown(String(error))
  return isTooLarge(error) ? new RequestTooLarge(String(error)) : error
}

/** The client takes IP addresses only; a host name (as in docker compose) is resolved here. */
async function resolveAddress(text: string): Promise<string> {
  if (/^\d+$/.test(text)) return `127.0.0.1:${text}`
  const match = /^\[?(.+?)\]?:(\d+)$/.exec(text)
  if (!match) throw new Error(`not a TigerBeetle address (host:port): ${text}`)
  const [, host, port] = match
  const address = isIP(host!) ? host! : (await lookup(host!)).address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
