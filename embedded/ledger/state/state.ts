import type { SavedState, StateMachine, StateSnapshot } from '../state-machine.ts'
import { type RequestBody, readRequestBody } from './body.ts'
import { accountKind, createEvents, transferKind } from './create-events.ts'
import { expireTransfer } from './effects.ts'
import { Expiries } from './expiries.ts'
import { none } from './hash-table.ts'
import { commonKeys, Indexes, transferKeys } from './indexes.ts'
import { batchTime, eventTime, Ledger } from './ledger.ts'
import { bodyBytesMax, elementsMax, writeTrailer } from './multi-batch.ts'
import { operations } from './operations.ts'
import {
  accountBalances,
  accountTransfers,
  lookupAccounts,
  lookupTransfers,
  queryAccounts,
  queryTransfers,
} from './queries.ts'
import { recordBytes } from './record.ts'
import { loadSnapshot, takeSnapshot } from './snapshot.ts'
import { read64, write64 } from './words.ts'

/** Most pending transfers that one call of `expire` ends: as many as one request can create. */
const expiriesMax = elementsMax(recordBytes)

/** The state machine behind the interface of state-machine.ts. */
export class State implements StateMachine {
  timestamp = 0n
  private readonly ledger = new Ledger()
  private readonly expiries = new Expiries(this.ledger.transfers)
  private readonly accountIndexes = new Indexes(this.ledger.accounts.rows, commonKeys)
  private readonly transferIndexes = new Indexes(this.ledger.transfers.rows, transferKeys)
  /** Bodies are read and written here as words, whatever their place in memory outside. */
  private readonly inputBytes = new Uint8Array(bodyBytesMax)
  private readonly input = new Uint32Array(this.inputBytes.buffer)
  private readonly outputBytes = new Uint8Array(bodyBytesMax)
  private readonly output = new Uint32Array(this.outputBytes.buffer)

  constructor(saved?: SavedState) {
    if (!saved) return
    this.timestamp = loadSnapshot(this.ledger, saved)
    this.catchUp()
  }

  get nextExpiry(): bigint {
    return this.expiries.next
  }

  countEvents(operation: number, body: Uint8Array): number | null {
    const request = readRequestBody(operation, body)
    return request && eventCount(request)
  }

  commit(operation: number, body: Uint8Array, timestamp: bigint): Uint8Array {
    const request = readRequestBody(operation, body)
    if (!request) throw new Error(`malformed body of operation ${operation}`)
    const { shape, batches } = request
    this.inputBytes.set(body)
    if (!shape.read) this.advance(timestamp, eventCount(request))
    const resultCounts = new Uint16Array(batches.length)
    let from = 0
    let to = 0
    for (let batch = 0; batch < batches.length; batch += 1) {
      const events = batches[batch]!
      const results = this.execute(operation, from, events, to)
      resultCounts[batch] = results
      from += (events * shape.eventBytes) / 4
      to += (results * shape.resultBytes) / 4
    }
    if (!shape.read) this.catchUp()
    const length = writeTrailer(this.outputBytes, to * 4, shape.resultBytes, resultCounts)
    return this.outputBytes.subarray(0, length)
  }

  expire(timestamp: bigint): void {
    const { expired, transfers } = this.ledger
    for (let count = 0; count < expiriesMax; count += 1) {
      const row = this.expiries.takeDue(timestamp)
      if (row === none) break
      expireTransfer(this.ledger, row)
      const entry = expired.append()
      expired.words(entry)[expired.at(entry)] = row
      expired.words(entry)[expired.at(entry) + 1] = transfers.rows.count
    }
    if (timestamp > this.timestamp) this.timestamp = timestamp
  }

  snapshot(): StateSnapshot {
    return takeSnapshot(this.ledger, this.timestamp)
  }

  /** Sets the time of the first of `events` events, the last being at `timestamp`. */
  private advance(timestamp: bigint, events: number): void {
    const first = timestamp - BigInt(events) + 1n
    if (first <= this.timestamp) {
      throw new Error(`timestamp ${first} is not after ${this.timestamp}`)
    }
    write64(this.ledger.times, eventTime, first)
    this.timestamp = timestamp
  }

  /** Lets everything follow that is kept beside the records. */
  private catchUp(): void {
    this.accountIndexes.catchUp()
    this.transferIndexes.catchUp()
    this.expiries.catchUp()
  }

  /** One batch, from `input` at word `from` to `output` at word `to`: the number of results. */
  private execute(operation: number, from: number, events: number, to: number): number {
    const { input, ledger, output } = this
    const query = { input, from, output, to }
    switch (operation) {
      case operations.createAccounts:
        return this.create(accountKind, from, events, to)
      case operations.createTransfers:
        return this.create(transferKind, from, events, to)
      case operations.lookupAccounts:
        return lookupAccounts(ledger, events, query)
      case operations.lookupTransfers:
        return lookupTransfers(ledger, events, query)
      case operations.getAccountTransfers:
        return accountTransfers(ledger, this.transferIndexes, query)
      case operations.getAccountBalances:
        return accountBalances(ledger, this.transferIndexes, query)
      case operations.queryAccounts:
        return queryAccounts(ledger, this.accountIndexes, query)
      case operations.queryTransfers:
        return queryTransfers(ledger, this.transferIndexes, query)
      default:
        throw new Error(`operation ${operation} has a shape but no rule`)
    }
  }

  private create(kind: typeof accountKind, from: number, events: number, to: number): number {
    const { times } = this.ledger
    write64(times, batchTime, read64(times, eventTime) + BigInt(events) - 1n)
    createEvents(this.ledger, kind, this.input, from, events, this.output, to)
    return events
  }
}

/** How many timestamps a request takes. */
function eventCount({ shape, batches }: RequestBody): number {
  if (shape.read) return 0
  let count = 0
  for (const events of batches) count += events
  return count
}
