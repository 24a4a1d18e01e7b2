import { z } from 'zod'
import type { ExchangeRateRow } from '../../db/exchange-rates.ts'
import { askExchangeRate } from '../flows/ask-exchange-rate.ts'
import { listRatesInForce, readRateHistory } from '../flows/exchange-rates.ts'
import { idPageQuery, readIdCursor, toIdPage } from '../http/id-paging.ts'
import { pageOf } from '../http/paging.ts'
import { rateFields } from '../http/rate-input.ts'
import { defineRoute } from '../http/route.ts'
import { currencyInput, replayHeader, replayHeaders, time, uuid } from '../http/schemas.ts'
import { approvalBody, showApproval } from './approvals.ts'

const tags = ['Exchange'] as const

const rateBody = z
  .object({
    id: uuid,
    base: z.string(),
    quote: z.string(),
    mid: z.string().meta({ description: 'What one base is worth in quote, in major units' }),
    spread_basis_points: z.int(),
    source: z.string(),
    valid_until: time,
    created_at: time,
  })
  .meta({ id: 'ExchangeRate' })

function showRate(rate: ExchangeRateRow): z.output<typeof rateBody> {
  return {
    id: rate.id,
    base: rate.base,
    quote: rate.quote,
    mid: rate.mid,
    spread_basis_points: rate.spreadBasisPoints,
    source: rate.source,
    valid_until: rate.validUntil.toISOString(),
    created_at: rate.createdAt.toISOString(),
  }
}

const params = z.object({ base: currencyInput, quote: currencyInput })

const putRate = defineRoute(
  {
    method: 'PUT',
    path: '/v1/exchange-rates/{base}/{quote}',
    summary: 'Set an exchange rate',
    description:
      'One base is worth mid of quote; the other direction is its exact inverse, and replaced as well. In ' +
      'force until valid_until or the next rate of the pair. Quotes that were made before keep their terms. ' +
      'With four eyes one that is far from the last rate is set when another operator approves it.',
    tags,
    caller: 'operator',
    params,
    body: z.strictObject(rateFields),
    idempotent: true,
    responses: {
      200: { description: 'It is in force', body: rateBody, headers: replayHeader },
      202: { description: 'It was asked for', body: approvalBody, headers: replayHeader },
    },
    refusals: [
      'currency_not_supported',
      'exchange_rate_expired',
      'superseded',
      'idempotency_key_reused',
      'busy',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params: pair, body, idempotencyKey }) => {
    const rate = {
      base: pair.base,
      quote: pair.quote,
      mid: body.mid,
      spreadBasisPoints: body.spread_basis_points,
      source: body.source,
      validUntil: new Date(body.valid_until),
    }
    const set = await askExchangeRate(deps, caller, rate, idempotencyKey)
    const headers = replayHeaders(set.replayed)
    return 'approval' in set
      ? { status: 202, body: showApproval(set.approval), headers }
      : { status: 200, body: showRate(set.rate), headers }
  },
)

const getRates = defineRoute(
  {
    method: 'GET',
    path: '/v1/exchange-rates',
    summary: 'The exchange rates in force, in the order in which they were set',
    tags,
    caller: ['customer', 'payment_system', 'operator'],
    query: idPageQuery,
    responses: { 200: { description: 'A page of them', body: pageOf(rateBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { query }) => {
    const page = { after: readIdCursor(query) ?? 0n, limit: query.limit + 1 }
    const rates = await listRatesInForce(deps, page)
    return { status: 200, body: toIdPage(rates, query, ({ number }) => number, showRate) }
  },
)

const getHistory = defineRoute(
  {
    method: 'GET',
    path: '/v1/exchange-rates/{base}/{quote}/history',
    summary: 'All rates that two currencies ever had, newest first',
    description: 'In whichever direction they were set.',
    tags,
    caller: 'operator',
    params,
    query: idPageQuery,
    responses: { 200: { description: 'A page of them', body: pageOf(rateBody) } },
    refusals: ['invalid_cursor'],
  },
  async (deps, { params: pair, query }) => {
    const page = { before: readIdCursor(query), limit: query.limit + 1 }
    const rates = await readRateHistory(deps, pair, page)
    return { status: 200, body: toIdPage(rates, query, ({ number }) => number, showRate) }
  },
)

export const exchangeRateRoutes = [putRate, getRates, getHistory]
