import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { findFee } from '../../accounting/fees.ts'
import { findAttempted } from '../../accounting/history.ts'
import type { Uuid } from '../../accounting/ids.ts'
import {
  acceptanceId,
  acceptRequest,
  endRequest,
  type RequestState,
} from '../../accounting/requests.ts'
import type { Step } from '../../accounting/steps.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { chainPayment, readCharges } from './charges.ts'
import { explainDecline, readDecline } from './pay.ts'
import { type DescribedRequest, findRequest, type RequestDeps } from './payment-requests.ts'
import { resolveOwnWallet } from './resolve-wallets.ts'
import { type Payment, toPayment } from './send.ts'
import {
  afterMoving,
  declineCodes,
  keepDecline,
  nextAttempt,
  refuseInvalid,
  settle,
} from './settle.ts'

type AcceptDeps = RequestDeps & Pick<Deps, 'memos' | 'settings' | 'log'>

/**
 * Pays what somebody has asked the caller for, once, from the named wallet or from the only one of the
 * currency. A request that is accepted already answers its payment again (`replayed`), from whichever
 * wallet that was. Whatever else is refused leaves it open. Whether it has run out is the ledger's to
 * say, not this process's clock.
 * Refusals: payment_request_not_found, not_the_payer, payment_request_declined, _cancelled, _expired,
 * wallet_not_found, wallet_number_mistyped, wallet_ambiguous, wallet_closed, currency_mismatch,
 * insufficient_funds, limit_exceeded, recipient_not_found, recipient_closed, amount_too_large, outcome_unknown.
 */
export async function accept(
  deps: AcceptDeps,
  caller: Customer,
  requestId: Uuid,
  fromWallet: string | undefined,
): Promise<{ payment: Payment; replayed: boolean }> {
  const request = await findRequest(deps, caller, requestId, 'payer')
  const { currency, memo, inputHash, state } = request
  if (state !== 'open' && state !== 'expired') return answerEnded(deps, request)
  const from = await resolveOwnWallet(deps, caller, { name: fromWallet, currency })
  const operationId = acceptanceId(requestId)
  if (memo !== null) await deps.memos.add({ operationId, inputHash, memo })
  const { amountMinor, toWalletId } = request
  const asset = assetOf(currency)
  const leg = {
    debitAccountId: from.id,
    creditAccountId: toWalletId,
    amountMinor,
    asset,
    code: TransferCode.payment,
  }
  const { fee, ...plan } = chainPayment(await readCharges(deps, caller, asset), leg)
  const firstAttempt = await nextAttempt(deps.db, operationId)
  const { step, attempt } = await settle(
    operationId,
    acceptRequest(deps.ledger, request, plan, firstAttempt),
  )
  switch (step.kind) {
    case 'done':
      if (step.replayed) return answerAgain()
      return { payment: toPayment(step.operation, fee, memo), replayed: false }
    case 'stale':
      return answerAgain()
    case 'expired':
      throw new Refusal('payment_request_expired')
    case 'invalid':
      throw refuseInvalid(step.status)
    case 'declined': {
      const decline = readDecline(plan, step.leg, declineCodes[step.reason])
      const { code } = decline
      await keepDecline(deps, { operationId, inputHash, attempt, code })
      throw await explainDecline(deps, decline.leg, code, decline.feeMinor)
    }
    case 'conflict':
      throw impossible(requestId, step)
    default:
      throw step satisfies never
  }

  function answerAgain(): Promise<{ payment: Payment; replayed: true }> {
    return afterMoving(
      operationId,
      findRequest(deps, caller, requestId).then((ended) => answerEnded(deps, ended)),
    )
  }
}

/** What accepting a request that has ended answers: its payment, or why there is none. */
async function answerEnded(
  deps: Pick<Deps, 'ledger'>,
  { id, state, memo, paymentId }: DescribedRequest,
): Promise<{ payment: Payment; replayed: true }> {
  if (!paymentId) throw refuseEnded(state)
  const payment = await findAttempted(deps.ledger, paymentId, 'payment')
  if (!payment) throw new Error(`request ${id} was accepted and its payment is not there`)
  const fee = await findFee(deps.ledger, payment)
  return { payment: toPayment(payment, fee, memo), replayed: true }
}

/**
 * Ends a request that the caller shall pay, without paying it. Repeating it answers the same.
 * Refusals: payment_request_not_found, not_the_payer, payment_request_accepted, _cancelled, _expired,
 * outcome_unknown.
 */
export async function decline(
  deps: RequestDeps,
  caller: Customer,
  requestId: Uuid,
): Promise<DescribedRequest> {
  const request = await findRequest(deps, caller, requestId, 'payer')
  return end(deps, caller, request, 'declined')
}

/**
 * Takes back a request that the caller has made. Repeating it answers the same.
 * Refusals: payment_request_not_found, not_the_requester, payment_request_accepted, _declined,
 * _expired, outcome_unknown.
 */
export async function cancel(
  deps: RequestDeps,
  caller: Customer,
  requestId: Uuid,
): Promise<DescribedRequest> {
  const request = await findRequest(deps, caller, requestId, 'requester')
  return end(deps, caller, request, 'cancelled')
}

async function end(
  deps: RequestDeps,
  caller: Customer,
  request: DescribedRequest,
  wanted: 'declined' | 'cancelled',
): Promise<DescribedRequest> {
  const { id } = request
  const step = await settle(id, endRequest(deps.ledger, request, wanted))
  if (step.kind === 'expired') throw new Refusal('payment_request_expired')
  if (step.kind !== 'done' && step.kind !== 'stale') throw impossible(id, step)
  const ended = await afterMoving(id, findRequest(deps, caller, id))
  if (ended.state === wanted) return ended
  throw refuseEnded(ended.state)
}

function refuseEnded(state: RequestState): Refusal {
  if (state === 'open') throw new Error('a request that was resolved is open')
  return new Refusal(`payment_request_${state}`)
}

const impossible = (id: Uuid, step: Step) => new Error(`request ${id} was answered by ${step.kind}`)
