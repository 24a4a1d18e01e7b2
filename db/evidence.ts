/** The signed chain over both stores: its records, and the salted digests of texts that are in it. */
import { sql } from 'kysely'
import type { Database } from './database.ts'

/** What a record says of an interval. Hashes are SHA-256; times are ledger times (ns since 1970). */
export interface IntervalRecord {
  /** From 1, without gaps. */
  number: bigint
  /** The first is in the interval, the second is not. */
  fromTime: bigint
  toTime: bigint
  transferCount: number
  transfersHash: Buffer
  factCount: number
  factsHash: Buffer
  /** Of the record before. */
  previousHash: Buffer
  /** Of the key that has signed it. */
  keyId: string
}

export interface EvidenceRecord extends IntervalRecord {
  hash: Buffer
  signature: Buffer
}

/** A salted digest of what people have written in a row. */
export interface TextDigest {
  kind: string
  id: string
  inputHash: string
  salt: Buffer
  digest: Buffer
}

/** The newest record; undefined before there is one. */
export async function readHead(db: Database): Promise<EvidenceRecord | undefined> {
  const query = db.selectFrom('evidence_records').selectAll().orderBy('number', 'desc').limit(1)
  const row = await query.executeTakeFirst()
  return row && toRecord(row)
}

/** Records after a number and up to one, in their order. */
export async function listRecords(
  db: Database,
  { after, upTo, limit }: { after: bigint; upTo: bigint; limit: number },
): Promise<EvidenceRecord[]> {
  const rows = await db
    .selectFrom('evidence_records')
    .selectAll()
    .where('number', '>', after)
    .where('number', '<=', upTo)
    .orderBy('number')
    .limit(limit)
    .execute()
  return rows.map(toRecord)
}

function toRecord(row: {
  number: bigint
  from_time: bigint
  to_time: bigint
  transfer_count: number
  transfers_hash: Buffer
  fact_count: number
  facts_hash: Buffer
  previous_hash: Buffer
  key_id: string
  hash: Buffer
  signature: Buffer
}): EvidenceRecord {
  return {
    number: row.number,
    fromTime: row.from_time,
    toTime: row.to_time,
    transferCount: row.transfer_count,
    transfersHash: row.transfers_hash,
    factCount: row.fact_count,
    factsHash: row.facts_hash,
    previousHash: row.previous_hash,
    keyId: row.key_id,
    hash: row.hash,
    signature: row.signature,
  }
}

/** What follows the head: the record, and the digests that are new with it. */
export interface Continuation {
  record: EvidenceRecord
  digests: readonly TextDigest[]
}

/**
 * Appends a record, and the digests that are new with it, both or neither. `makeNext` gets the head, while nobody
 * else appends and no text is erased; what it gives undefined for is left as it is. Answers whether
 * something was appended.
 */
export async function appendRecord(
  db: Database,
  makeNext: (trx: Database, head: EvidenceRecord | undefined) => Promise<Continuation | undefined>,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await sql`SELECT pg_advisory_xact_lock('evidence_records'::regclass::oid::bigint)`.execute(trx)
    const next = await makeNext(trx, await readHead(trx))
    if (!next) return false
    await insertDigests(trx, next.digests)
    const { record } = next
    await trx
      .insertInto('evidence_records')
      .values({
        number: record.number,
        from_time: record.fromTime,
        to_time: record.toTime,
        transfer_count: record.transferCount,
        transfers_hash: record.transfersHash,
        fact_count: record.factCount,
        facts_hash: record.factsHash,
        previous_hash: record.previousHash,
        key_id: record.keyId,
        hash: record.hash,
        signature: record.signature,
      })
      .execute()
    return true
  })
}

async function insertDigests(trx: Database, digests: readonly TextDigest[]): Promise<void> {
  if (digests.length === 0) return
  await sql`
    INSERT INTO evidence_digests (kind, id, input_hash, salt, digest)
    SELECT * FROM unnest(
      ${digests.map(({ kind }) => kind)}::text[],
      ${digests.map(({ id }) => id)}::uuid[],
      ${digests.map(({ inputHash }) => inputHash)}::bigint[],
      ${digests.map(({ salt }) => salt)}::bytea[],
      ${digests.map(({ digest }) => digest)}::bytea[]
    )`.execute(trx)
}
