/**
 * What describes withdrawals: where they shall go, and what payment systems told about them. Written
 * before the step in the ledger, and keyed by the hash of the input that the ledger keeps with it.
 */
import { sql } from 'kysely'
import type { Database } from './database.ts'
import { type DescriptionKey, isAmong } from './descriptions.ts'

export interface WithdrawalIntent extends DescriptionKey {
  userId: string
  walletId: string
  paymentSystemId: string
  /** Encrypted. */
  destination: Buffer
  destinationHint: string
}

/** Keeps where a withdrawal shall go; the same key again changes nothing. */
export async function insertWithdrawal(db: Database, intent: WithdrawalIntent): Promise<void> {
  await db
    .insertInto('withdrawals')
    .values({
      id: intent.operationId,
      input_hash: BigInt(intent.inputHash),
      user_id: intent.userId,
      wallet_id: intent.walletId,
      payment_system_id: intent.paymentSystemId,
      destination: intent.destination,
      destination_hint: intent.destinationHint,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** An intent with the payment system that it names. */
export interface NamedIntent extends DescriptionKey {
  paymentSystem: { id: string; number: number; name: string }
  destination: Buffer
  destinationHint: string
}

/** Through which payment systems withdrawals were asked for, by their ids; of one id there can be several. */
export async function findWithdrawalSystems(
  db: Database,
  ids: readonly string[],
): Promise<{ operationId: string; number: number; name: string }[]> {
  if (ids.length === 0) return []
  return db
    .selectFrom('withdrawals')
    .innerJoin('payment_systems', 'payment_systems.user_id', 'withdrawals.payment_system_id')
    .select(['withdrawals.id as operationId', 'payment_systems.number', 'payment_systems.name'])
    .where('withdrawals.id', 'in', ids)
    .execute()
}

/** All intents under these ids: of one id there can be several, of which at most one has happened. */
export async function findWithdrawalIntents(
  db: Database,
  ids: readonly string[],
): Promise<NamedIntent[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('withdrawals')
    .innerJoin('payment_systems', 'payment_systems.user_id', 'withdrawals.payment_system_id')
    .select([
      'withdrawals.id',
      'withdrawals.input_hash',
      'withdrawals.destination',
      'withdrawals.destination_hint',
      'payment_systems.user_id',
      'payment_systems.number',
      'payment_systems.name',
    ])
    .where('withdrawals.id', 'in', ids)
    .execute()
  return rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    paymentSystem: { id: row.user_id, number: row.number, name: row.name },
    destination: row.destination,
    destinationHint: row.destination_hint,
  }))
}

/** What a payment system told: the reference of what it has paid, or the reason why it has not. */
export interface WithdrawalOutcome extends DescriptionKey {
  reference: string | null
  reason: string | null
}

/** Keeps what was told about a withdrawal; the same key again changes nothing. */
export async function insertWithdrawalOutcome(
  db: Database,
  { operationId, inputHash, reference, reason }: WithdrawalOutcome,
): Promise<void> {
  await db
    .insertInto('withdrawal_outcomes')
    .values({ withdrawal_id: operationId, input_hash: BigInt(inputHash), reference, reason })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What was told about withdrawals, by their ids; the hash is that of the step in the ledger. */
export async function findWithdrawalOutcomes(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, WithdrawalOutcome>> {
  if (keys.length === 0) return new Map()
  const rows = await db
    .selectFrom('withdrawal_outcomes')
    .select(['withdrawal_id', 'input_hash', 'reference', 'reason'])
    .where(
      'withdrawal_id',
      'in',
      keys.map((key) => key.operationId),
    )
    .execute()
  const outcomes = rows.map(({ withdrawal_id: operationId, input_hash, ...told }) => ({
    operationId,
    inputHash: Number(input_hash),
    ...told,
  }))
  const matching = outcomes.filter(isAmong(keys))
  return new Map(matching.map((outcome) => [outcome.operationId, outcome]))
}

/** An encrypted destination and whose it is. */
export interface StoredDestination extends DescriptionKey {
  destination: Buffer
}

/** Destinations that do not begin with these bytes, by key after `after`. */
export async function findOtherDestinations(
  db: Database,
  { beginning, after, limit }: { beginning: Buffer; after: DescriptionKey; limit: number },
): Promise<StoredDestination[]> {
  const rows = await db
    .selectFrom('withdrawals')
    .select(['id', 'input_hash', 'destination'])
    .where(sql<boolean>`substring(destination FROM 1 FOR ${beginning.length}) <> ${beginning}`)
    .where(sql<boolean>`(id, input_hash) > (${after.operationId}::uuid, ${after.inputHash})`)
    .orderBy('id')
    .orderBy('input_hash')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    destination: row.destination,
  }))
}

/** Replaces an encrypted destination. */
export async function replaceDestination(
  db: Database,
  { operationId, inputHash, destination }: StoredDestination,
): Promise<void> {
  await db
    .updateTable('withdrawals')
    .set({ destination })
    .where('id', '=', operationId)
    .where('input_hash', '=', BigInt(inputHash))
    .execute()
}
