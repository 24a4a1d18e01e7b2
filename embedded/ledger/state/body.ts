import { bodyBytesMax, elementsMax, readBatches, trailerBytes } from './multi-batch.ts'
import { type OperationShape, operationShape, operations } from './operations.ts'

/** Where in a query's filter its limit stands, in bytes. */
const limitByte = new Map<number, number>([
  [operations.getAccountTransfers, 120],
  [operations.getAccountBalances, 120],
  [operations.queryAccounts, 56],
  [operations.queryTransfers, 56],
])

/** The batches of a request body: what each holds, and its operation's shape. */
export interface RequestBody {
  readonly shape: OperationShape
  readonly batches: Uint16Array
}

/**
 * Reads how a request body is divided, or gives null when it is not well formed: an unknown
 * operation, a wrong trailer, more events in a batch than one message may have, a query without
 * exactly one filter a batch, or more results than a reply can hold.
 */
export function readRequestBody(operation: number, body: Uint8Array): RequestBody | null {
  const shape = operationShape(operation)
  if (!shape) return null
  const batches = readBatches(body, shape.eventBytes)
  if (!batches) return null
  const resultsMax = elementsMax(shape.resultBytes)
  const eventsMax = Math.min(elementsMax(shape.eventBytes), resultsMax)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  let results = 0
  for (let batch = 0; batch < batches.length; batch += 1) {
    const events = batches[batch]!
    if (shape.batchable) {
      if (events > eventsMax) return null
      results += events
    } else {
      if (events !== 1) return null
      const limit = view.getUint32(batch * shape.eventBytes + limitByte.get(operation)!, true)
      results += Math.min(limit, resultsMax)
    }
  }
  const bytes = results * shape.resultBytes + trailerBytes(shape.resultBytes, batches.length)
  return bytes > bodyBytesMax ? null : { shape, batches }
}
