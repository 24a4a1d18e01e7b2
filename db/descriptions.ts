/**
 * What describes money without being money: memos, deposits as payment systems told them, reasons of
 * declines. Insert-only, and keyed by the hash of the input that the ledger keeps with the transfer.
 */
import { sql } from 'kysely'
import { createBatcher } from './batcher.ts'
import type { Database } from './database.ts'

/** Names a description: the operation, and the hash of the input it was asked with. */
export interface DescriptionKey {
  operationId: string
  inputHash: number
}

/** Tells the descriptions that were asked for from those of other inputs. */
export function isAmong(keys: readonly DescriptionKey[]): (key: DescriptionKey) => boolean {
  const wanted = new Set(keys.map(keyText))
  return (key) => wanted.has(keyText(key))
}

const keyText = ({ operationId, inputHash }: DescriptionKey) => `${operationId}/${inputHash}`

export type Memo = DescriptionKey & { memo: string }

/** Keeps memos, those that are written at about the same time in one statement. */
export interface MemoWriter {
  /**
   * Keeps a memo; the same key again changes nothing. It comes before the transfer: a memo without
   * one harms nobody. @throws BatcherFull
   */
  add(memo: Memo): Promise<void>
}

const memosPerStatement = 500
const memosWaitingMax = 10_000

export function createMemoWriter(db: Database): MemoWriter {
  return createBatcher({
    batchMax: memosPerStatement,
    queueMax: memosWaitingMax,
    write: (memos) => insertMemos(db, memos),
  })
}

/** Keeps memos in one statement, however many; the same key again changes nothing. */
export async function insertMemos(db: Database, memos: readonly Memo[]): Promise<void> {
  if (memos.length === 0) return
  await sql`
    INSERT INTO memos (transfer_id, input_hash, memo)
    SELECT * FROM unnest(
      ${memos.map(({ operationId }) => operationId)}::uuid[],
      ${memos.map(({ inputHash }) => inputHash)}::bigint[],
      ${memos.map(({ memo }) => memo)}::text[]
    )
    ON CONFLICT DO NOTHING`.execute(db)
}

/** The memos of transfers, by operation id; none that was erased. */
export async function findMemos(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map()
  const isWanted = isAmong(keys)
  const rows = await db
    .selectFrom('memos')
    .select(['transfer_id', 'input_hash', 'memo'])
    .where(
      'transfer_id',
      'in',
      keys.map((key) => key.operationId),
    )
    .execute()
  return new Map(
    rows.flatMap(({ transfer_id: operationId, input_hash, memo }) =>
      memo !== null && isWanted({ operationId, inputHash: Number(input_hash) })
        ? [[operationId, memo]]
        : [],
    ),
  )
}

/** What a payment system told about a deposit. */
export interface DepositDescription extends DescriptionKey {
  paymentSystemId: string
  reference: string
  sender: string | null
  details: string | null
  /** The wallet as it was named: an id or a number, be it of no wallet. */
  namedWallet: string | null
}

/** Keeps what was told about a deposit. Answers what is kept: the first telling of the same input. */
export async function keepDeposit(
  db: Database,
  deposit: DepositDescription,
): Promise<DepositDescription> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('deposits')
    .values({
      id: deposit.operationId,
      input_hash: BigInt(deposit.inputHash),
      payment_system_id: deposit.paymentSystemId,
      reference: deposit.reference,
      sender: deposit.sender,
      details: deposit.details,
      named_wallet: deposit.namedWallet,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows === 1n) return deposit
  const first = (await findDeposits(db, [deposit])).get(deposit.operationId)
  if (!first) throw new Error(`deposit ${deposit.operationId} was told and is not there`)
  return first
}

/** A description with the name of the payment system, for showing where a deposit came from. */
export interface NamedDeposit extends DepositDescription {
  paymentSystemName: string
}

/** What was told about deposits, by operation id. */
export async function findDeposits(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, NamedDeposit>> {
  if (keys.length === 0) return new Map()
  const rows = await db
    .selectFrom('deposits')
    .innerJoin('payment_systems', 'payment_systems.user_id', 'deposits.payment_system_id')
    .selectAll('deposits')
    .select('payment_systems.name')
    .where(
      'deposits.id',
      'in',
      keys.map((key) => key.operationId),
    )
    .execute()
  const deposits = rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    paymentSystemId: row.payment_system_id,
    paymentSystemName: row.name,
    reference: row.reference,
    sender: row.sender,
    details: row.details,
    namedWallet: row.named_wallet,
  }))
  const matching = deposits.filter(isAmong(keys))
  return new Map(matching.map((deposit) => [deposit.operationId, deposit]))
}

/** The references of deposits, by their ids, which are made of them: whatever else was told. */
export async function findDepositReferences(
  db: Database,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('deposits')
    .select(['id', 'reference'])
    .where('id', 'in', ids)
    .execute()
  return new Map(rows.map(({ id, reference }) => [id, reference]))
}

/** Why an attempt at an operation was declined, as a refusal code. */
export interface Decline extends DescriptionKey {
  /** 0 for an operation that is tried once only. */
  attempt: number
  code: string
}

/** Keeps reasons of declines, after the attempts' ids are burnt; the first reason of one stays. */
export async function insertDeclines(db: Database, declines: readonly Decline[]): Promise<void> {
  if (declines.length === 0) return
  await sql`
    INSERT INTO declines (operation_id, attempt, input_hash, code)
    SELECT * FROM unnest(
      ${declines.map(({ operationId }) => operationId)}::uuid[],
      ${declines.map(({ attempt }) => attempt)}::integer[],
      ${declines.map(({ inputHash }) => inputHash)}::bigint[],
      ${declines.map(({ code }) => code)}::text[]
    )
    ON CONFLICT DO NOTHING`.execute(db)
}

/** The newest decline of an operation: every attempt up to this one is burnt. */
export async function findLastDecline(
  db: Database,
  operationId: string,
): Promise<Decline | undefined> {
  return (await findLastDeclines(db, [operationId])).get(operationId)
}

/** The newest declines of operations, by operation id. */
export async function findLastDeclines(
  db: Database,
  operationIds: readonly string[],
): Promise<Map<string, Decline>> {
  if (operationIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('declines')
    .distinctOn('operation_id')
    .select(['operation_id', 'attempt', 'input_hash', 'code'])
    .where('operation_id', '=', sql<string>`ANY(${operationIds}::uuid[])`)
    .orderBy('operation_id')
    .orderBy('attempt', 'desc')
    .execute()
  const declines = rows.map((row) => ({
    operationId: row.operation_id,
    attempt: row.attempt,
    inputHash: Number(row.input_hash),
    code: row.code,
  }))
  return new Map(declines.map((decline) => [decline.operationId, decline]))
}
