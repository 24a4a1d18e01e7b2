import { z } from 'zod'
import { scaleMax } from '../../accounting/chart.ts'
import type { CurrencyRow } from '../../db/currencies.ts'
import { readCurrencies, registerAsset, setCurrency } from '../flows/currencies.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { currencyInput, replayHeader, replayHeaders, text } from '../http/schemas.ts'

const tags = ['Currencies'] as const

const nameLengthMax = 100
const nameInput = text(nameLengthMax)

const state = z
  .enum(['open', 'closed'])
  .meta({ description: 'Closed: no new wallets; those that exist go on working' })

const currencyBody = z
  .object({
    currency: z.string().meta({ examples: ['USD'] }),
    name: z.string(),
    scale: z.int().meta({ description: 'How many decimals amounts have' }),
    kind: z.enum(['iso_4217', 'own']),
    state,
  })
  .meta({ id: 'Currency' })

function showCurrency(row: CurrencyRow): z.output<typeof currencyBody> {
  const { currency, name, scale, isOwn, closedAt } = row
  return {
    currency,
    name,
    scale,
    kind: isOwn ? 'own' : 'iso_4217',
    state: closedAt ? 'closed' : 'open',
  }
}

const getCurrencies = defineRoute(
  {
    method: 'GET',
    path: '/v1/currencies',
    summary: 'The currencies that wallets can be in',
    description: 'All in one answer, in the order in which they were added.',
    tags,
    caller: 'anyone',
    responses: { 200: { description: 'All of them', body: pageOf(currencyBody) } },
    refusals: [],
  },
  async (deps) => {
    const currencies = await readCurrencies(deps)
    return { status: 200, body: { data: currencies.map(showCurrency), next_cursor: null } }
  },
)

const postCurrency = defineRoute(
  {
    method: 'POST',
    path: '/v1/currencies',
    summary: "Register an asset of the house's own",
    description: 'Its code and its decimals are for ever. The same again answers the same.',
    tags,
    caller: 'operator',
    body: z.strictObject({
      // Longer than those of ISO 4217, so that no currency to come can have it.
      currency: z.string().regex(/^[A-Z][A-Z0-9]{3,11}$/, 'must be 4 to 12 of A-Z and 0-9'),
      name: nameInput,
      scale: z.int().min(0).max(scaleMax),
    }),
    responses: {
      201: { description: 'It is registered, and open', body: currencyBody, headers: replayHeader },
    },
    refusals: ['currency_exists', 'currency_limit_reached'],
  },
  async (deps, { body }) => {
    const { currency, replayed } = await registerAsset(deps, body)
    return { status: 201, headers: replayHeaders(replayed), body: showCurrency(currency) }
  },
)

const putCurrency = defineRoute(
  {
    method: 'PUT',
    path: '/v1/currencies/{currency}',
    summary: 'Open a currency for new wallets, or close it',
    description: 'Any currency of ISO 4217, or an own asset that was registered.',
    tags,
    caller: 'operator',
    params: z.object({ currency: currencyInput }),
    body: z.strictObject({ state, name: nameInput.optional() }),
    responses: { 200: { description: 'How it stands now', body: currencyBody } },
    refusals: ['currency_not_found', 'default_currency'],
  },
  async (deps, { params, body }) => {
    const change = { isClosed: body.state === 'closed', name: body.name }
    return { status: 200, body: showCurrency(await setCurrency(deps, params.currency, change)) }
  },
)

export const currencyRoutes = [getCurrencies, postCurrency, putCurrency]
