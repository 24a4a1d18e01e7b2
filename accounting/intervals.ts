/**
 * Intervals of the ledger's time: what was committed within one, as a hash that anybody can make again
 * from what the ledger answers, and what its transfers name of what is kept elsewhere. docs/evidence.md
 * tells both in words.
 */
import { createHash } from 'node:crypto'
import type { Transfer } from 'tigerbeetle-node'
import { ControlCode, TransferCode } from './chart.ts'
import type { Ledger } from './client.ts'
import { toUuid } from './ids.ts'
import { scanTransfers } from './scan.ts'

/** Ledger times (ns): the first is in the interval, the second is not. */
export interface Interval {
  fromTime: bigint
  toTime: bigint
}

/** What was committed within an interval. */
export interface Committed {
  count: number
  /** SHA-256 of all transfers by timestamp. */
  hash: Buffer
  names: TransferNames
}

/** What transfers name that is described elsewhere, as text. */
export interface TransferNames {
  /** `id/input hash` of operations. */
  operation: ReadonlySet<string>
  operation_id: ReadonlySet<string>
  account: ReadonlySet<string>
  ledger: ReadonlySet<string>
  /** Numbers of the schedules that fees were taken or given back by. */
  fee_schedule: ReadonlySet<string>
  /** Versions of the limits that were put into force. */
  limit: ReadonlySet<string>
}

/**
 * The oldest transfers from a ledger time on and up to one (ns, both inclusive), at most `countMax`, and the
 * interval that they make. Undefined when there are none. The interval ends right after the last of them, so that
 * nothing can be committed in it any more. Rejects as the ledger's calls do.
 */
export async function readNextInterval(
  ledger: Ledger,
  { fromTime, upTo, countMax }: { fromTime: bigint; upTo: bigint; countMax: number },
): Promise<(Committed & Interval) | undefined> {
  if (upTo <= 0n) return undefined
  const reading = createReading()
  let last = 0n
  scan: for await (const page of scanTransfers(ledger, { after: before(fromTime), upTo })) {
    for (const transfer of page) {
      if (reading.count === countMax) break scan
      reading.add(transfer)
      last = transfer.timestamp
    }
  }
  return reading.count === 0 ? undefined : { ...reading.end(), fromTime, toTime: last + 1n }
}

/** What was committed within intervals, each of which begins where the one before ends. */
export async function readIntervals(
  ledger: Ledger,
  intervals: readonly Interval[],
): Promise<Committed[]> {
  const readings = intervals.map(createReading)
  const [first, last] = [intervals.at(0), intervals.at(-1)]
  if (!first || !last) return []
  const range = { after: before(first.fromTime), upTo: last.toTime - 1n }
  let at = 0
  for await (const page of scanTransfers(ledger, range)) {
    for (const transfer of page) {
      while (transfer.timestamp >= intervals[at]!.toTime) at += 1
      readings[at]!.add(transfer)
    }
  }
  return readings.map((reading) => reading.end())
}

const before = (time: bigint): bigint => (time > 0n ? time - 1n : 0n)

const transferBytes = 128
const feeCodes: readonly number[] = [TransferCode.fee, TransferCode.fee_refund]
const limitCodes: readonly number[] = [ControlCode.budget_grant, ControlCode.budget_take]

function createReading() {
  const bytes = Buffer.allocUnsafe(transferBytes)
  const hash = createHash('sha256')
  const operations = new Set<string>()
  const [operationIds, accountIds] = [new Set<bigint>(), new Set<bigint>()]
  const [ledgers, feeSchedules, limits] = [new Set<number>(), new Set<bigint>(), new Set<bigint>()]
  let count = 0
  return {
    get count() {
      return count
    },
    add(transfer: Transfer): void {
      count += 1
      writeTransfer(bytes, transfer)
      hash.update(bytes)
      const { code, user_data_64: ruleNumber } = transfer
      operations.add(`${toUuid(transfer.user_data_128)}/${transfer.user_data_32}`)
      operationIds.add(transfer.user_data_128)
      accountIds.add(transfer.debit_account_id).add(transfer.credit_account_id)
      ledgers.add(transfer.ledger)
      if (feeCodes.includes(code)) feeSchedules.add(ruleNumber)
      if (limitCodes.includes(code)) limits.add(ruleNumber)
    },
    end(): Committed {
      const names = {
        operation: operations,
        operation_id: toTexts(operationIds, toUuid),
        account: toTexts(accountIds, toUuid),
        ledger: toTexts(ledgers, String),
        fee_schedule: toTexts(feeSchedules, String),
        limit: toTexts(limits, String),
      }
      return { count, hash: hash.digest(), names }
    },
  }
}

const toTexts = <T>(values: ReadonlySet<T>, toText: (value: T) => string): Set<string> =>
  new Set(Array.from(values, toText))

/** The 128 bytes, little endian, that TigerBeetle's protocol has for a transfer. */
function writeTransfer(bytes: Buffer, transfer: Transfer): void {
  let at = write128(bytes, transfer.id, 0)
  at = write128(bytes, transfer.debit_account_id, at)
  at = write128(bytes, transfer.credit_account_id, at)
  at = write128(bytes, transfer.amount, at)
  at = write128(bytes, transfer.pending_id, at)
  at = write128(bytes, transfer.user_data_128, at)
  at = bytes.writeBigUInt64LE(transfer.user_data_64, at)
  at = bytes.writeUInt32LE(transfer.user_data_32, at)
  at = bytes.writeUInt32LE(transfer.timeout, at)
  at = bytes.writeUInt32LE(transfer.ledger, at)
  at = bytes.writeUInt16LE(transfer.code, at)
  at = bytes.writeUInt16LE(transfer.flags, at)
  bytes.writeBigUInt64LE(transfer.timestamp, at)
}

const low64 = 2n ** 64n - 1n

/** Writes 128 bits; answers where the next field begins. */
function write128(bytes: Buffer, value: bigint, at: number): number {
  bytes.writeBigUInt64LE(value & low64, at)
  return bytes.writeBigUInt64LE(value >> 64n, at + 8)
}
