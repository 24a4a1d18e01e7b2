import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { type HouseView, viewHouse } from '../flows/house.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { defineRoute } from '../http/route.ts'
import { amountOutput, currencyInput, time, uuid } from '../http/schemas.ts'

const amounts = <Name extends string>(...names: readonly Name[]) =>
  z.object(
    Object.fromEntries(names.map((name) => [name, amountOutput])) as Record<
      Name,
      typeof amountOutput
    >,
  )

const statementBody = z
  .object({
    currency: z.string(),
    assets: amounts('bank', 'receivables', 'total').extend({
      clearing: z.array(
        z.object({
          payment_system_id: uuid.nullable(),
          name: z.string().nullable(),
          amount: amountOutput,
        }),
      ),
    }),
    liabilities: amounts('wallets', 'suspense', 'liquidity', 'total'),
    equity: amountOutput,
    income: amounts('fees', 'spread', 'payment_systems', 'total'),
    expenses: amounts('rewards', 'payment_system_fees', 'write_offs', 'total'),
    difference: amountOutput.meta({
      description: 'Assets - liabilities - equity - income + expenses: always zero',
    }),
  })
  .meta({ id: 'HouseStatement' })

function showStatement(view: HouseView): z.output<typeof statementBody> {
  const { asset, totals, clearing, differenceMinor } = view
  const show = (minor: bigint) => showAmount(minor, asset.currency)
  return {
    currency: asset.currency,
    assets: {
      clearing: clearing.map(({ paymentSystem, amountMinor }) => ({
        payment_system_id: paymentSystem?.id ?? null,
        name: paymentSystem?.name ?? null,
        amount: show(amountMinor),
      })),
      bank: show(totals.bank),
      receivables: show(totals.receivable),
      total: show(totals.clearing + totals.bank + totals.receivable),
    },
    liabilities: {
      wallets: show(totals.wallet),
      suspense: show(totals.suspense),
      liquidity: show(totals.liquidity),
      total: show(totals.wallet + totals.suspense + totals.liquidity),
    },
    equity: show(totals.equity),
    income: {
      fees: show(totals.feeIncome),
      spread: show(totals.spreadIncome),
      payment_systems: show(totals.paymentSystemIncome),
      total: show(totals.feeIncome + totals.spreadIncome + totals.paymentSystemIncome),
    },
    expenses: {
      rewards: show(totals.rewards),
      payment_system_fees: show(totals.paymentSystemFees),
      write_offs: show(totals.writeOffs),
      total: show(totals.rewards + totals.paymentSystemFees + totals.writeOffs),
    },
    difference: show(differenceMinor),
  }
}

const getHouse = defineRoute(
  {
    method: 'GET',
    path: '/v1/house',
    summary: 'Balance sheet and income statement of each currency',
    description:
      'Read from the ledger, as of one moment for all currencies, while money moves. It reads every ' +
      'account: seconds for a million.',
    tags: ['Treasury'],
    caller: 'operator',
    query: z.strictObject({ currency: currencyInput.optional() }),
    responses: {
      200: {
        description: 'Each currency that has any account',
        body: z.object({ as_of: time, data: z.array(statementBody) }).meta({ id: 'House' }),
      },
    },
    refusals: ['currency_not_supported', 'ledger_unavailable', 'busy'],
  },
  async (deps, { query }) => {
    const { views, asOf } = await viewHouse(deps, query)
    return { status: 200, body: { as_of: showLedgerTime(asOf), data: views.map(showStatement) } }
  },
)

export const houseRoutes = [getHouse]
