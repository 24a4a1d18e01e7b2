/**
 * Who asks whom for how much. A row is written before the right to accept is made in the ledger; of
 * several with one id the one counts whose input hash the ledger has.
 */
import type { Database } from './database.ts'
import type { DescriptionKey } from './descriptions.ts'
import type { LifecycleQuery } from './lifecycles.ts'
import type { Party } from './users.ts'

export interface NewPaymentRequest extends DescriptionKey {
  requesterId: string
  payerId: string
  toWalletId: string
  amountMinor: bigint
  memo: string | null
}

export interface RequestDescription extends DescriptionKey {
  requester: Party
  payer: Party
  toWalletId: string
  /** Of the wallet, and so of the amount. */
  currency: string
  amountMinor: bigint
  memo: string | null
}

/** Keeps what is asked for; the same key again changes nothing. */
export async function insertPaymentRequest(
  db: Database,
  request: NewPaymentRequest,
): Promise<void> {
  await db
    .insertInto('payment_requests')
    .values({
      id: request.operationId,
      input_hash: BigInt(request.inputHash),
      requester_user_id: request.requesterId,
      payer_user_id: request.payerId,
      to_wallet_id: request.toWalletId,
      amount_minor: String(request.amountMinor),
      memo: request.memo,
      settled_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** What requests ask for, by id. */
export async function findPaymentRequests(
  db: Database,
  keys: readonly DescriptionKey[],
): Promise<Map<string, RequestDescription>> {
  if (keys.length === 0) return new Map()
  const rows = await db
    .selectFrom('payment_requests as request')
    .innerJoin('users as requester', 'requester.id', 'request.requester_user_id')
    .innerJoin('users as payer', 'payer.id', 'request.payer_user_id')
    .innerJoin('wallets', 'wallets.id', 'request.to_wallet_id')
    .selectAll('request')
    .select([
      'requester.username as requester_username',
      'requester.name as requester_name',
      'payer.username as payer_username',
      'payer.name as payer_name',
      'wallets.currency',
    ])
    .where((eb) =>
      eb.or(
        keys.map(({ operationId, inputHash }) =>
          eb.and({ 'request.id': operationId, 'request.input_hash': BigInt(inputHash) }),
        ),
      ),
    )
    .execute()
  const requests = rows.map((row) => ({
    operationId: row.id,
    inputHash: Number(row.input_hash),
    requester: {
      id: row.requester_user_id,
      username: row.requester_username,
      name: row.requester_name,
    },
    payer: { id: row.payer_user_id, username: row.payer_username, name: row.payer_name },
    toWalletId: row.to_wallet_id,
    currency: row.currency,
    amountMinor: BigInt(row.amount_minor),
    memo: row.memo,
  }))
  return new Map(requests.map((request) => [request.operationId, request]))
}

export type RequestSide = 'requester' | 'payer' | 'both'

/** Those that a user has made, shall pay, or either. */
export function ofParty(userId: string, side: RequestSide) {
  return (query: LifecycleQuery): LifecycleQuery =>
    query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('payment_requests as request')
          .select('request.id')
          .whereRef('request.id', '=', 'lifecycles.id')
          .whereRef('request.input_hash', '=', 'lifecycles.input_hash')
          .where((eb) => {
            const isRequester = eb('request.requester_user_id', '=', userId)
            const isPayer = eb('request.payer_user_id', '=', userId)
            if (side === 'both') return eb.or([isRequester, isPayer])
            return side === 'payer' ? isPayer : isRequester
          }),
      ),
    )
}
