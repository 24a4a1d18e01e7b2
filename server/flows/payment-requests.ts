import { type Asset, assetOf } from '../../accounting/chart.ts'
import { hashInput, type Uuid } from '../../accounting/ids.ts'
import {
  openRequestsMax,
  type PaymentRequest,
  provideAllowance,
  type RequestParties,
  type RequestState,
  readOpenRequests,
  readRequest,
  toRequestLeg,
} from '../../accounting/requests.ts'
import { submitOnce } from '../../accounting/transfers.ts'
import type { DescriptionKey } from '../../db/descriptions.ts'
import {
  findPaymentRequests,
  insertPaymentRequest,
  ofParty,
  type RequestDescription,
  type RequestSide,
} from '../../db/payment-requests.ts'
import { isBlocked } from '../../db/user-blocks.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { readAmount, readCanonicalAmount } from './amount.ts'
import { findCustomer } from './find-user.ts'
import { listFollowed, readSome } from './followed-list.ts'
import { toLedgerTime } from './ledger-time.ts'
import { nameOperation, planOrReplay } from './pay.ts'
import { resolveOwnWallet } from './resolve-wallets.ts'
import { afterMoving, keepDecline, refuseAgain, settle, settleIntent } from './settle.ts'

/** What somebody who asks for money writes down. */
export interface RequestInput {
  /** Who shall pay. */
  fromUsername: string
  /** One of the requester's wallets, by its id or number. */
  toWallet: string
  /** Decimal text in major units. */
  amount: string
  memo?: string | undefined
  expiresInSeconds: number
}

/** A request with who asks whom for how much. */
export type DescribedRequest = PaymentRequest & RequestDescription

export type RequestDeps = Pick<Deps, 'db' | 'ledger' | 'log' | 'nowMs'>

/** A request as it is going to be, after everything that it names was found. */
interface PlannedRequest {
  parties: RequestParties
  toWalletId: Uuid
  asset: Asset
  amountMinor: bigint
}

/**
 * Asks somebody for money: no money moves, but a right to accept is made in the ledger, after what is
 * asked for was written down. With an idempotency key it happens at most once.
 * Refusals: those of amounts, payer_not_found, own_account, requester_blocked, wallet_not_found,
 * wallet_number_mistyped, wallet_closed, too_many_requests_open, declined, abandoned,
 * idempotency_key_reused, outcome_unknown.
 */
export async function requestPayment(
  deps: RequestDeps,
  caller: Customer,
  input: RequestInput,
  idempotencyKey: string | undefined,
): Promise<{ request: DescribedRequest; replayed: boolean }> {
  const id = nameOperation(caller, idempotencyKey)
  const key = { operationId: id, inputHash: hashRequest(input) }
  const isKeyed = idempotencyKey !== undefined
  const plan = await planOrReplay(deps, key, isKeyed, () => planRequest(deps, caller, input))
  const replayed = 'replay' in plan || (await makeRight(deps, key, plan, input))
  return { request: await afterMoving(id, readMade(deps, id)), replayed }
}

/** The canonical input: what the caller wrote, before anything is looked up. */
function hashRequest(input: RequestInput): number {
  const { fromUsername, toWallet, amount, memo, expiresInSeconds } = input
  const canonical = readCanonicalAmount(amount)
  return hashInput('request', fromUsername, toWallet, canonical, memo ?? null, expiresInSeconds)
}

async function planRequest(
  deps: RequestDeps,
  caller: Customer,
  { fromUsername, toWallet, amount }: RequestInput,
): Promise<PlannedRequest> {
  const wallet = await resolveOwnWallet(deps, caller, { name: toWallet })
  if (wallet.isClosed) throw new Refusal('wallet_closed')
  const asset = assetOf(wallet.currency)
  const amountMinor = readAmount(amount, asset)
  const payer = await findCustomer(deps, fromUsername)
  if (!payer || payer.deactivatedAt) throw new Refusal('payer_not_found')
  if (payer.id === caller.userId) throw new Refusal('own_account')
  if (await isBlocked(deps.db, payer.id, caller.userId)) throw new Refusal('requester_blocked')
  const parties = { requesterId: caller.userId, payerId: payer.id }
  // The ledger decides below; this only keeps what it would decline from being written down.
  const open = await readOpenRequests(deps.ledger, parties, asset)
  if (open >= openRequestsMax) throw refuseMore()
  return { parties, toWalletId: wallet.id, asset, amountMinor }
}

/**
 * Writes the request down and makes the right to accept it; answers whether that was so before. The
 * allowance has to be there first: a request that did not find it would be declined for ever.
 */
async function makeRight(
  deps: RequestDeps,
  key: DescriptionKey,
  { parties, toWalletId, asset, amountMinor }: PlannedRequest,
  input: RequestInput,
): Promise<boolean> {
  const { operationId: id } = key
  const memo = input.memo ?? null
  await insertPaymentRequest(deps.db, { ...key, ...parties, toWalletId, amountMinor, memo })
  await provideAllowance(deps.ledger, parties, asset)
  const legs = [toRequestLeg(parties, asset, input.expiresInSeconds)] as const
  const submission = await settle(id, submitOnce(deps.ledger, { ...key, legs }))
  await settleIntent(deps, 'payment_requests', id)
  if (submission.kind === 'done') return submission.replayed
  if (submission.kind === 'conflict') throw new Refusal('idempotency_key_reused')
  if (submission.kind === 'invalid') throw new Error(`request ${id}: ${submission.status}`)
  if (!submission.reason) throw await refuseAgain(deps, key)
  if (submission.reason !== 'exceeds_credits') throw new Error(`request ${id}: no allowance`)
  const code = 'too_many_requests_open'
  await keepDecline(deps, { ...key, attempt: 0, code })
  throw refuseMore()
}

function refuseMore(): Refusal {
  const detail = `Up to ${openRequestsMax} of one currency can be open to one person.`
  return new Refusal('too_many_requests_open', detail)
}

async function readMade(deps: RequestDeps, id: Uuid): Promise<DescribedRequest> {
  const request = await findDescribed(deps, id)
  if (!request) throw new Error(`request ${id} was made and is not there`)
  return request
}

/**
 * A request that the caller has made or shall pay.
 * Refusals: payment_request_not_found, also for those of others; not_the_requester or not_the_payer for
 * one that the caller has on another side.
 */
export async function findRequest(
  deps: RequestDeps,
  caller: Customer,
  id: Uuid,
  side: RequestSide = 'both',
): Promise<DescribedRequest> {
  const request = await findDescribed(deps, id)
  const isRequester = request?.requester.id === caller.userId
  const isPayer = request?.payer.id === caller.userId
  if (!request || !(isRequester || isPayer)) throw new Refusal('payment_request_not_found')
  if (side === 'requester' && !isRequester) throw new Refusal('not_the_requester')
  if (side === 'payer' && !isPayer) throw new Refusal('not_the_payer')
  return request
}

export interface RequestQuery {
  side: RequestSide
  status?: RequestState | undefined
  timestampMin: bigint
  timestampMax: bigint
  limit: number
}

/**
 * A page of the requests that the caller has made or shall pay, newest first, each as the ledger has it
 * now. Which ones there are comes from the read model: `asOf` tells how fresh it is.
 */
export async function listRequests(
  deps: RequestDeps,
  caller: Customer,
  query: RequestQuery,
): Promise<{ requests: DescribedRequest[]; asOf: Date }> {
  const { entries, asOf } = await listFollowed(
    deps,
    { kind: 'payment_request', state: query.status, expiringState: 'open', ...query },
    ofParty(caller.userId, query.side),
  )
  const found = await readSome(entries, ({ id }) => readRequest(deps.ledger, id, now(deps)))
  return { requests: await describe(deps, found), asOf }
}

const now = (deps: Pick<Deps, 'nowMs'>) => toLedgerTime(deps.nowMs())

async function findDescribed(deps: RequestDeps, id: Uuid): Promise<DescribedRequest | undefined> {
  const [request] = await describe(deps, [await readRequest(deps.ledger, id, now(deps))])
  return request
}

async function describe(
  deps: Pick<Deps, 'db'>,
  found: readonly (PaymentRequest | undefined)[],
): Promise<DescribedRequest[]> {
  const requests = found.filter((request) => request !== undefined)
  const told = await findPaymentRequests(
    deps.db,
    requests.map(({ id, inputHash }) => ({ operationId: id, inputHash })),
  )
  return requests.flatMap((request) => {
    const description = told.get(request.id)
    return description ? [{ ...description, ...request }] : []
  })
}
