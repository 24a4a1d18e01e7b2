/** The model's requests as HTTP, and what was answered. */
import type { Client, Reply } from '../http.ts'
import type { Answer, ModelRequest, PayTerms } from './exchange.ts'
import { scheduleText } from './fees.ts'

/** Who sends a request: a customer or a payment system by its id, or the operator. */
export function senderOf(request: ModelRequest): string {
  switch (request.kind) {
    case 'deposit':
    case 'reversal':
    case 'take':
    case 'confirm':
    case 'fail':
      return request.system
    case 'assign':
    case 'return':
    case 'freeze':
    case 'thaw':
    case 'schedule':
    case 'rate':
    case 'adjustment':
    case 'limit':
    case 'default limit':
      return operator
    case 'refund':
      return request.userId ?? operator
    default:
      return request.userId
  }
}

export const operator = 'operator'

const reason = 'the model asks for it'

const toRecipient = (to: PayTerms['to']) =>
  'wallet' in to ? { to_wallet_id: to.wallet } : { to_username: to.username }

/** Sends a request; `client` has the sender's session. */
export function send(client: Client, request: ModelRequest): Promise<Reply> {
  const post = (path: string, body?: object, key?: string) =>
    client.post(
      `/v1/${path}`,
      body,
      key === undefined ? {} : { headers: { 'idempotency-key': key } },
    )
  const put = (path: string, json: object, key: string) =>
    client.send('PUT', `/v1/${path}`, { json, headers: { 'idempotency-key': key } })
  switch (request.kind) {
    case 'transfer':
    case 'hold': {
      const { from: from_wallet_id, to, amount, currency, memo, key } = request
      const body = { from_wallet_id, ...toRecipient(to), amount, currency, memo }
      if (request.kind === 'transfer') return post('transfers', body, key)
      return post('holds', { ...body, expires_in: request.seconds }, key)
    }
    case 'capture': {
      const { id, amount, isFinal, key } = request
      return post(`holds/${id}/capture`, { amount, final: isFinal }, key)
    }
    case 'void':
      return post(`holds/${request.id}/void`)
    case 'deposit': {
      const { wallet: wallet_id, amount, currency, reference, isForSuspense } = request
      const wanted = isForSuspense ? { on_unmatched: 'suspense' } : {}
      return post('deposits', { wallet_id, amount, currency, reference, ...wanted })
    }
    case 'reversal': {
      const { id, amount, reference } = request
      return post(`deposits/${id}/reversals`, { amount, reference, reason })
    }
    case 'assign':
      return post(`suspense/${request.id}/assign`, { wallet_id: request.wallet, reason })
    case 'return':
      return post(`suspense/${request.id}/return`, { reason })
    case 'refund':
      return post(`transfers/${request.id}/refunds`, { amount: request.amount }, request.key)
    case 'request': {
      const { payer: from_username, wallet: to_wallet_id, amount, seconds: expires_in } = request
      return post(
        'payment-requests',
        { from_username, to_wallet_id, amount, expires_in },
        request.key,
      )
    }
    case 'accept':
      return post(`payment-requests/${request.id}/accept`, { from_wallet_id: request.from })
    case 'decline':
    case 'cancel':
      return post(`payment-requests/${request.id}/${request.kind}`)
    case 'block':
      return client.send('PUT', `/v1/blocks/${request.username}`)
    case 'unblock':
      return client.delete(`/v1/blocks/${request.username}`)
    case 'withdrawal': {
      const { wallet: wallet_id, amount, system: payment_system, key } = request
      const body = { wallet_id, amount, payment_system, destination: 'DE02120300000000202051' }
      return post('withdrawals', body, key)
    }
    case 'cancel withdrawal':
      return post(`withdrawals/${request.id}/cancel`)
    case 'take':
      return post(`withdrawals/${request.id}/take`, undefined, request.key)
    case 'confirm':
      return post(`withdrawals/${request.id}/confirm`, { reference: request.told })
    case 'fail':
      return post(`withdrawals/${request.id}/fail`, { reason: request.told })
    case 'freeze':
    case 'thaw':
      return post(`wallets/${request.wallet}/${request.kind}`, { reason })
    case 'close':
      return post(`wallets/${request.wallet}/close`)
    case 'schedule': {
      const { operation, currency, schedule, key } = request
      return post(
        'fee-schedules',
        { operation, currency, ...scheduleText(schedule, currency) },
        key,
      )
    }
    case 'limit': {
      const { userId, currency, window, amount, key } = request
      return put(`users/${userId}/limits`, { currency, window, amount }, key)
    }
    case 'default limit': {
      const { limited: kind, currency, window, amount, key } = request
      return put('limit-defaults', { kind, currency, window, amount }, key)
    }
    case 'batch': {
      const { atomic, items, key } = request
      const transfers = items.map(({ from: from_wallet_id, to, amount, currency, memo }) => ({
        from_wallet_id,
        ...toRecipient(to),
        amount,
        currency,
        memo,
      }))
      return post('transfers/batch', { atomic, transfers }, key)
    }
    case 'adjustment': {
      const { adjustment, currency, amount, key } = request
      const money = adjustment === 'suspense_payout' ? {} : { amount, currency }
      const parties = {
        payment_system: request.system,
        user_id: request.userId,
        wallet_id: request.wallet,
        deposit_id: request.deposit,
      }
      return post('adjustments', { kind: adjustment, ...money, ...parties, reason }, key)
    }
    case 'rate': {
      const { base, quote, mid, spreadBasisPoints: spread_basis_points, validUntil } = request.rate
      const valid_until = new Date(validUntil).toISOString()
      const json = { mid, spread_basis_points, source: 'the model', valid_until }
      return put(`exchange-rates/${base}/${quote}`, json, request.key)
    }
    case 'quote': {
      const { from, to, amount, side, seconds: expires_in } = request
      return post('quotes', { from, to, amount, side, expires_in })
    }
    case 'exchange': {
      const { quoteId: quote_id, from: from_wallet_id, to: to_wallet_id } = request
      return post('exchanges', { quote_id, from_wallet_id, to_wallet_id })
    }
    case 'pay by quote': {
      const { quoteId: quote_id, from: from_wallet_id, to } = request
      return post('transfers', { quote_id, from_wallet_id, ...toRecipient(to) })
    }
    default:
      throw request satisfies never
  }
}

export const toAnswer = ({ body = {}, headers }: Reply): Answer => ({
  code: body.code,
  body,
  isReplay: headers['idempotency-replayed'] === 'true',
})

/** Refusals after which the same request can be sent again; of some it is unknown what they leave behind. */
const passing: ReadonlyMap<string, 'nothing' | 'doubt'> = new Map([
  ['busy', 'nothing'],
  ['ledger_unavailable', 'nothing'],
  ['database_unavailable', 'doubt'],
  ['outcome_unknown', 'doubt'],
])

/** What a reply leaves open; no reply at all leaves everything open. */
export function readDoubt(reply: Reply | undefined): 'answered' | 'nothing' | 'doubt' {
  if (!reply) return 'doubt'
  return passing.get(reply.body?.code) ?? 'answered'
}
