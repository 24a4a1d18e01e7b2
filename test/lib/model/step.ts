/** The sequential model: what Kassa answers to one request after the other. */
import * as adjustments from './adjustments.ts'
import * as batches from './batches.ts'
import * as budgets from './budgets.ts'
import * as deposits from './deposits.ts'
import type {
  Circumstances,
  Exchange,
  Kind,
  ModelPart,
  ModelRequest,
  RequestOf,
  StepOf,
} from './exchange.ts'
import * as fees from './fees.ts'
import * as holds from './holds.ts'
import * as paymentRequests from './payment-requests.ts'
import * as payments from './payments.ts'
import * as quotes from './quotes.ts'
import * as refunds from './refunds.ts'
import * as reversals from './reversals.ts'
import * as standing from './standing.ts'
import type { Model } from './state.ts'
import { expire, releaseHold, uncertainHolds } from './time.ts'
import * as withdrawals from './withdrawals.ts'

const steps: { readonly [K in Kind]: StepOf<RequestOf<K>> } = {
  transfer: payments.transfer,
  hold: holds.hold,
  capture: holds.capture,
  void: holds.release,
  deposit: deposits.deposit,
  reversal: reversals.reversal,
  assign: deposits.assign,
  return: deposits.giveBack,
  refund: refunds.refund,
  request: paymentRequests.request,
  accept: paymentRequests.accept,
  decline: paymentRequests.end,
  cancel: paymentRequests.end,
  block: paymentRequests.block,
  unblock: paymentRequests.block,
  withdrawal: withdrawals.withdrawal,
  'cancel withdrawal': withdrawals.cancelWithdrawal,
  take: withdrawals.take,
  confirm: withdrawals.settle,
  fail: withdrawals.settle,
  freeze: standing.freeze,
  thaw: standing.freeze,
  close: standing.close,
  schedule: fees.schedule,
  batch: batches.together,
  'batch claim': batches.claim,
  'batch item': batches.item,
  rate: quotes.rate,
  adjustment: adjustments.adjust,
  limit: budgets.limit,
  'default limit': budgets.limit,
  quote: quotes.quote,
  exchange: quotes.execute,
  'pay by quote': quotes.execute,
}

const isRequest = (kind: Kind): kind is ModelRequest['kind'] =>
  kind !== 'batch claim' && kind !== 'batch item'

/** Every kind of request there is. */
export const kinds = (Object.keys(steps) as Kind[]).filter(isRequest)

/** So many holds that may have run out are tried in every combination; further ones count as open. */
const uncertainMax = 6

/**
 * The models after an exchange, none when its answer is not the model's. What may have run out at that
 * time is open at first, and given back when the answer needs it.
 */
export function* step(
  model: Model,
  exchange: Exchange,
  circumstances: Circumstances,
): Generator<Model> {
  const kind = steps[exchange.request.kind] as StepOf<ModelRequest | ModelPart>
  const take: StepOf<ModelRequest | ModelPart> = (...input) =>
    kind(...input).filter((after) => fees.isFeeTold(after, exchange.answer))
  const settled = expire(model, exchange.sentAt)
  yield* take(settled, exchange, circumstances)
  const uncertain = uncertainHolds(settled, exchange.answeredAt).slice(0, uncertainMax)
  for (let chosen = 1; chosen < 1 << uncertain.length; chosen += 1) {
    const ids = uncertain.filter((_, index) => chosen & (1 << index))
    yield* take(ids.reduce(releaseHold, settled), exchange, circumstances)
  }
}
