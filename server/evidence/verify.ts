import { type Committed, readIntervals } from '../../accounting/intervals.ts'
import { type EvidenceRecord, listRecords, readHead } from '../../db/evidence.ts'
import { findFacts } from '../../db/facts.ts'
import type { Deps } from '../deps.ts'
import { intervalTransfersMax } from './close.ts'
import { type HashedFacts, hashFacts, indexFacts, isErased, joinNames } from './facts.ts'
import type { ExportedHead } from './head.ts'
import type { PublicEvidenceKey } from './keys.ts'
import { noHash, toRecordText, verifyText } from './record.ts'

/** Where something differs from what was signed; `chain` is the chain itself. */
export type EvidenceStore = 'chain' | 'ledger' | 'postgresql'

/** An interval that differs from its record. */
export interface Difference {
  number: bigint
  store: EvidenceStore
  /** A sentence. */
  what: string
  /** Ledger times (ns) as the record has them; undefined where there is no record. */
  interval: { fromTime: bigint; toTime: bigint } | undefined
}

export interface Verification {
  /** The newest record; undefined when there is none. */
  head: EvidenceRecord | undefined
  /** What was recomputed. */
  intervals: bigint
  transfers: bigint
  facts: bigint
  /** Facts whose texts were erased: their digests are taken as they are kept. */
  erased: bigint
  /** How many intervals differ, and the first of them. */
  differing: number
  differences: Difference[]
}

export interface VerifyOptions {
  /** Whose signatures count. */
  trusted: readonly PublicEvidenceKey[]
  /** A head that was exported before, which must be in the chain. */
  against?: ExportedHead | undefined
  /** Is told how many of the intervals were recomputed. */
  onProgress?: (done: bigint, all: bigint) => void
}

const recordsPerPage = 500
/** Further ones are only counted. */
const differencesMax = 100

/**
 * Recomputes the chain from its beginning to the head that is there now. It needs memory for a page of
 * records and for the transfers of one interval, however long the chain is. Rejects when one of the
 * servers does not answer.
 */
export async function verifyChain(
  deps: Pick<Deps, 'db' | 'ledger'>,
  { trusted, against, onProgress = () => {} }: VerifyOptions,
): Promise<Verification> {
  const head = await readHead(deps.db)
  const end = head?.number ?? 0n
  const result = { head, intervals: 0n, transfers: 0n, facts: 0n, erased: 0n }
  const found = createFindings()
  const checkLink = createLinkCheck(trusted, against)
  for (let after = 0n; after < end; ) {
    const records = await listRecords(deps.db, { after, upTo: end, limit: recordsPerPage })
    const sound: EvidenceRecord[] = []
    for (const record of records) {
      const problems = checkLink(record)
      problems.forEach(found.add)
      if (problems.length === 0) sound.push(record)
    }
    for (const group of toGroups(sound)) {
      const recomputed = await recompute(deps, group)
      recomputed.differences.forEach(found.add)
      result.intervals += BigInt(group.length)
      result.transfers += recomputed.transfers
      result.facts += recomputed.facts
      result.erased += recomputed.erased
    }
    after = records.at(-1)?.number ?? end
    onProgress(after, end)
  }
  if (against && against.number > end) found.add(toCut(against))
  return { ...result, ...found.end() }
}

function createFindings() {
  const differences: Difference[] = []
  let differing = 0
  return {
    add(difference: Difference): void {
      differing += 1
      if (differences.length < differencesMax) differences.push(difference)
    },
    end: () => ({
      differing,
      differences: differences.sort((a, b) => (a.number < b.number ? -1 : 1)),
    }),
  }
}

const toCut = ({ number }: ExportedHead): Difference => ({
  number,
  store: 'chain',
  what: 'the head that was exported is not in the chain, which ends before it',
  interval: undefined,
})

const beginning = { number: 0n, toTime: 0n, hash: noHash }

/** Checks records in their order, each by itself and as the next of the one before it. */
function createLinkCheck(
  trusted: readonly PublicEvidenceKey[],
  against: ExportedHead | undefined,
): (record: EvidenceRecord) => Difference[] {
  const keys = new Map(trusted.map((key) => [key.id, key]))
  let previous: Pick<EvidenceRecord, 'number' | 'toTime' | 'hash'> = beginning

  function problemOf(record: EvidenceRecord): string | undefined {
    const key = keys.get(record.keyId)
    if (record.fromTime !== previous.toTime) return 'it does not begin where the one before it ends'
    if (!record.previousHash.equals(previous.hash)) return 'it does not follow the one before it'
    if (!key) return `it is signed by the key ${record.keyId}, which is not trusted`
    if (!verifyText(toRecordText(record), record, key)) return 'its record is not as it was signed'
    const isExported = against?.number === record.number
    if (isExported && !record.hash.equals(against.hash)) {
      return 'it is not the record that was exported: it or one before it was made anew'
    }
    return undefined
  }

  return (record) => {
    const { number, fromTime, toTime } = record
    const isNext = number === previous.number + 1n
    const what = isNext ? problemOf(record) : 'records before it are missing'
    const missing = isNext ? number : previous.number + 1n
    previous = record
    const interval = isNext ? { fromTime, toTime } : undefined
    return what === undefined ? [] : [{ number: missing, store: 'chain', what, interval }]
  }
}

/** Records that follow each other, and that together have no more transfers than an interval may have. */
function* toGroups(records: readonly EvidenceRecord[]): Generator<EvidenceRecord[]> {
  let group: EvidenceRecord[] = []
  let transfers = 0
  for (const record of records) {
    const isNext = group.length === 0 || group.at(-1)?.toTime === record.fromTime
    if (!isNext || transfers + record.transferCount > intervalTransfersMax) {
      if (group.length > 0) yield group
      group = []
      transfers = 0
    }
    group.push(record)
    transfers += record.transferCount
  }
  if (group.length > 0) yield group
}

interface Recomputed {
  transfers: bigint
  facts: bigint
  erased: bigint
  differences: Difference[]
}

/** Recomputes intervals that follow each other. */
async function recompute(
  { db, ledger }: Pick<Deps, 'db' | 'ledger'>,
  records: readonly EvidenceRecord[],
): Promise<Recomputed> {
  const committed = await readIntervals(ledger, records)
  const all = await findFacts(db, joinNames(committed.map(({ names }) => names)))
  const factsOf = indexFacts(all)
  const result: Recomputed = { transfers: 0n, facts: 0n, erased: 0n, differences: [] }
  for (const [index, record] of records.entries()) {
    const interval = committed[index]!
    const facts = factsOf(interval.names)
    result.transfers += BigInt(interval.count)
    result.facts += BigInt(facts.length)
    result.erased += BigInt(facts.filter(isErased).length)
    // What transfers name depends on them: where they differ, nothing is known about the facts.
    const difference = compareLedger(record, interval) ?? compareFacts(record, hashFacts(facts))
    if (difference) {
      const { number, fromTime, toTime } = record
      result.differences.push({ number, interval: { fromTime, toTime }, ...difference })
    }
  }
  return result
}

type Comparison = Pick<Difference, 'store' | 'what'> | undefined

function compareLedger(record: EvidenceRecord, { count, hash }: Committed): Comparison {
  if (count !== record.transferCount) {
    const what = `it has ${record.transferCount} transfers by the record, ${count} in the ledger`
    return { store: 'ledger', what }
  }
  if (hash.equals(record.transfersHash)) return undefined
  return { store: 'ledger', what: 'its transfers are not those that were recorded' }
}

function compareFacts(record: EvidenceRecord, { count, hash }: HashedFacts): Comparison {
  if (count !== record.factCount) {
    const what = `${record.factCount} facts describe its transfers by the record, ${count} are there`
    return { store: 'postgresql', what }
  }
  if (hash.equals(record.factsHash)) return undefined
  return { store: 'postgresql', what: 'facts that describe its transfers were changed' }
}
