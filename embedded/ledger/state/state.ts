import type { StateMachine, StateSnapshot } from '../state-machine.ts'
import { type RequestBody, readRequestBody } from './body.ts'
import { accountKind, createEvents, transferKind } from './create-events.ts'
import { none } from './hash-table.ts'
import { batchTime, eventTime, Ledger } from './ledger.ts'
import { bodyBytesMax, writeTrailer } from './multi-batch.ts'
import { operations } from './operations.ts'
import { recordWords } from './record.ts'
import { read64, write64 } from './words.ts'

/** The state machine behind the interface of state-machine.ts. */
export class State implements StateMachine {
  timestamp = 0n
  readonly nextExpiry = 0n
  private readonly ledger = new Ledger()
  /** Where bodies are read and written as words, whatever their place in memory outside. */
  private readonly inputBytes = new Uint8Array(bodyBytesMax)
  private readonly input = new Uint32Array(this.inputBytes.buffer)
  private readonly outputBytes = new Uint8Array(bodyBytesMax)
  private readonly output = new Uint32Array(this.outputBytes.buffer)

  countEvents(operation: number, body: Uint8Array): number | null {
    const request = readRequestBody(operation, body)
    return request && eventCount(request)
  }

  commit(operation: number, body: Uint8Array, timestamp: bigint): Uint8Array {
    const request = readRequestBody(operation, body)
    if (!request) throw new Error(`malformed body of operation ${operation}`)
    const { shape, batches } = request
    this.inputBytes.set(body)
    const first = timestamp - BigInt(eventCount(request)) + 1n
    if (first <= this.timestamp && !shape.read) throw new Error('the clock went back')
    write64(this.ledger.times, eventTime, first)
    const resultCounts = new Uint16Array(batches.length)
    let inputAt = 0
    let outputAt = 0
    for (let batch = 0; batch < batches.length; batch += 1) {
      const events = batches[batch]!
      resultCounts[batch] = this.execute(operation, inputAt, events, outputAt)
      inputAt += (events * shape.eventBytes) / 4
      outputAt += (resultCounts[batch]! * shape.resultBytes) / 4
    }
    if (timestamp > this.timestamp) this.timestamp = timestamp
    const length = writeTrailer(this.outputBytes, outputAt * 4, shape.resultBytes, resultCounts)
    return this.outputBytes.subarray(0, length)
  }

  expire(timestamp: bigint): void {
    if (timestamp > this.timestamp) this.timestamp = timestamp
  }

  snapshot(): StateSnapshot {
    return { header: new Uint8Array(0), sections: [] }
  }

  /** Executes one batch from `input` at word `from` to `output` at word `to`; gives the number of results. */
  private execute(operation: number, from: number, events: number, to: number): number {
    switch (operation) {
      case operations.createAccounts:
        return this.create(accountKind, from, events, to)
      case operations.createTransfers:
        return this.create(transferKind, from, events, to)
      case operations.lookupAccounts:
        return this.lookupAccounts(from, events, to)
      case operations.lookupTransfers:
        return this.lookupTransfers(from, events, to)
      default:
        return 0
    }
  }

  private create(kind: typeof accountKind, from: number, events: number, to: number): number {
    const { times } = this.ledger
    write64(times, batchTime, read64(times, eventTime) + BigInt(events) - 1n)
    createEvents(this.ledger, kind, this.input, from, events, this.output, to)
    return events
  }

  private lookupAccounts(from: number, ids: number, to: number): number {
    const { accounts } = this.ledger
    let found = 0
    for (let index = 0; index < ids; index += 1) {
      const row = accounts.find(this.input, from + index * 4)
      if (row === none) continue
      accounts.write(row, this.output, to + found * recordWords)
      found += 1
    }
    return found
  }

  private lookupTransfers(from: number, ids: number, to: number): number {
    const { transfers } = this.ledger
    let found = 0
    for (let index = 0; index < ids; index += 1) {
      const row = transfers.find(this.input, from + index * 4)
      if (row < 0) continue
      const at = transfers.rows.at(row)
      const record = transfers.rows.words(row).subarray(at, at + recordWords)
      this.output.set(record, to + found * recordWords)
      found += 1
    }
    return found
  }
}

/** How many timestamps a request takes. */
function eventCount({ shape, batches }: RequestBody): number {
  if (shape.read) return 0
  let count = 0
  for (const events of batches) count += events
  return count
}
