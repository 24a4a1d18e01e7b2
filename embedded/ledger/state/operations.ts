/** Operation numbers of TigerBeetle 0.17 client requests, as they stand in the message header. */
export const operations = {
  lookupAccounts: 140,
  lookupTransfers: 141,
  getAccountTransfers: 142,
  getAccountBalances: 143,
  queryAccounts: 144,
  queryTransfers: 145,
  createAccounts: 146,
  createTransfers: 147,
} as const

/** Bytes of an event in the request and of a result in the reply, and what the operation may do. */
export interface OperationShape {
  readonly eventBytes: number
  readonly resultBytes: number
  /** True when a batch may hold any number of events; queries have exactly one filter a batch. */
  readonly batchable: boolean
  /** True when the operation never changes the state. */
  readonly read: boolean
}

const shapes = new Map<number, OperationShape>([
  [operations.lookupAccounts, { eventBytes: 16, resultBytes: 128, batchable: true, read: true }],
  [operations.lookupTransfers, { eventBytes: 16, resultBytes: 128, batchable: true, read: true }],
  [
    operations.getAccountTransfers,
    { eventBytes: 128, resultBytes: 128, batchable: false, read: true },
  ],
  [
    operations.getAccountBalances,
    { eventBytes: 128, resultBytes: 128, batchable: false, read: true },
  ],
  [operations.queryAccounts, { eventBytes: 64, resultBytes: 128, batchable: false, read: true }],
  [operations.queryTransfers, { eventBytes: 64, resultBytes: 128, batchable: false, read: true }],
  [operations.createAccounts, { eventBytes: 128, resultBytes: 16, batchable: true, read: false }],
  [operations.createTransfers, { eventBytes: 128, resultBytes: 16, batchable: true, read: false }],
])

/** The shape of an operation, or undefined for a number that is no client operation. */
export function operationShape(operation: number): OperationShape | undefined {
  return shapes.get(operation)
}

/** Whether an operation leaves the state as it is, so that it needs no place in the journal. */
export function isRead(operation: number): boolean {
  return shapes.get(operation)?.read === true
}
