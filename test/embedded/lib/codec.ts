/** The bodies of requests and replies, from and to the objects of the official client. */
import type {
  Account,
  AccountBalance,
  AccountFilter,
  CreateAccountResult,
  CreateTransferResult,
  QueryFilter,
  Transfer,
} from 'tigerbeetle-node'

type Value = bigint | number
/** Name, bytes, and whether the client has it as a bigint; in the order of the bytes. */
type Layout = readonly (readonly [name: string, bytes: number, big: boolean])[]

const userData: Layout = [
  ['user_data_128', 16, true],
  ['user_data_64', 8, true],
  ['user_data_32', 4, false],
]
const balances: Layout = [
  ['debits_pending', 16, true],
  ['debits_posted', 16, true],
  ['credits_pending', 16, true],
  ['credits_posted', 16, true],
]
const recordEnd: Layout = [
  ['ledger', 4, false],
  ['code', 2, false],
  ['flags', 2, false],
  ['timestamp', 8, true],
]
const filterEnd: Layout = [
  ['timestamp_min', 8, true],
  ['timestamp_max', 8, true],
  ['limit', 4, false],
  ['flags', 4, false],
]
const account: Layout = [
  ['id', 16, true],
  ...balances,
  ...userData,
  ['reserved', 4, false],
  ...recordEnd,
]
const transfer: Layout = [
  ['id', 16, true],
  ['debit_account_id', 16, true],
  ['credit_account_id', 16, true],
  ['amount', 16, true],
  ['pending_id', 16, true],
  ...userData,
  ['timeout', 4, false],
  ...recordEnd,
]
const accountFilter: Layout = [
  ['account_id', 16, true],
  ...userData,
  ['code', 2, false],
  ['', 58, false],
  ...filterEnd,
]
const queryFilter: Layout = [
  ...userData,
  ['ledger', 4, false],
  ['code', 2, false],
  ['', 6, false],
  ...filterEnd,
]
const balance: Layout = [...balances, ['timestamp', 8, true], ['', 56, false]]
const result: Layout = [
  ['timestamp', 8, true],
  ['status', 4, false],
  ['', 4, false],
]

const sizeOf = (layout: Layout): number => layout.reduce((sum, [, bytes]) => sum + bytes, 0)

function encode(layout: Layout, objects: readonly object[]): Uint8Array {
  const bytes = new Uint8Array(sizeOf(layout) * objects.length)
  let at = 0
  for (const object of objects) {
    const values = new Map<string, Value>(Object.entries(object))
    for (const [name, size] of layout) {
      let rest = name === '' ? 0n : BigInt(values.get(name) ?? 0)
      for (let byte = 0; byte < size; byte += 1, rest >>= 8n)
        bytes[at + byte] = Number(rest & 0xffn)
      at += size
    }
  }
  return bytes
}

function decode(layout: Layout, bytes: Uint8Array): Record<string, Value>[] {
  const objects: Record<string, Value>[] = []
  for (let at = 0; at < bytes.length; ) {
    const object: Record<string, Value> = {}
    for (const [name, size, big] of layout) {
      let value = 0n
      for (let byte = size - 1; byte >= 0; byte -= 1)
        value = (value << 8n) | BigInt(bytes[at + byte]!)
      if (name !== '') object[name] = big ? value : Number(value)
      at += size
    }
    objects.push(object)
  }
  return objects
}

/** How one operation's events and results look in bytes. */
export interface Codec<Event, Result> {
  readonly eventBytes: number
  readonly resultBytes: number
  encode(events: readonly Event[]): Uint8Array
  decode(bytes: Uint8Array): Result[]
}

function codec<Event extends object, Result>(
  events: Layout,
  results: Layout,
): Codec<Event, Result> {
  return {
    eventBytes: sizeOf(events),
    resultBytes: sizeOf(results),
    encode: (objects) => encode(events, objects),
    // The layout has the fields of the type, one by one.
    decode: (bytes) => decode(results, bytes) as Result[],
  }
}

function lookupCodec<Result>(results: Layout): Codec<bigint, Result> {
  const ids = codec<{ id: bigint }, Result>([['id', 16, true]], results)
  return { ...ids, encode: (events) => ids.encode(events.map((id) => ({ id }))) }
}

export const codecs = {
  create_accounts: codec<Account, CreateAccountResult>(account, result),
  create_transfers: codec<Transfer, CreateTransferResult>(transfer, result),
  lookup_accounts: lookupCodec<Account>(account),
  lookup_transfers: lookupCodec<Transfer>(transfer),
  get_account_transfers: codec<AccountFilter, Transfer>(accountFilter, transfer),
  get_account_balances: codec<AccountFilter, AccountBalance>(accountFilter, balance),
  query_accounts: codec<QueryFilter, Account>(queryFilter, account),
  query_transfers: codec<QueryFilter, Transfer>(queryFilter, transfer),
}
