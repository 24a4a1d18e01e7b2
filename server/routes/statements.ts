import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { readWalletBalanceAt, writeStatement } from '../flows/statements.ts'
import { findVisibleWallet } from '../flows/visible-wallet.ts'
import { createFewAtOnce } from '../http/few-at-once.ts'
import { momentInput, readMoment } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { amountOutput, downloadBody, time, uuid, walletName } from '../http/schemas.ts'
import { statementFormatNames, statementFormats } from '../statements/formats.ts'
import { statementKinds } from '../statements/statement.ts'

const tags = ['Wallets'] as const

const params = z.object({ id: walletName })

const balanceBody = z
  .object({
    wallet_id: uuid,
    currency: z.string(),
    at: time,
    posted: amountOutput,
    held: amountOutput,
    available: amountOutput,
  })
  .meta({ id: 'BalanceAt' })

const getBalance = defineRoute(
  {
    method: 'GET',
    path: '/v1/wallets/{id}/balance',
    summary: 'The balance of one of your wallets at any moment; of any wallet for an operator',
    tags,
    caller: ['customer', 'operator'],
    params,
    query: z.strictObject({
      at: momentInput
        .optional()
        .meta({ description: 'Everything before this moment counts; by default the present' }),
    }),
    responses: { 200: { description: 'The balance', body: balanceBody } },
    refusals: ['wallet_not_found', 'wallet_number_mistyped', 'ledger_unavailable'],
  },
  async (deps, { caller, params: { id }, query }) => {
    const wallet = await findVisibleWallet(deps, caller, id)
    const moment = query.at === undefined ? undefined : readMoment(query.at)
    const { at, balance } = await readWalletBalanceAt(deps, wallet, moment)
    const show = (minor: bigint) => showAmount(minor, wallet.currency)
    const body = {
      wallet_id: wallet.id,
      currency: wallet.currency,
      at: showLedgerTime(at),
      posted: show(balance.postedMinor),
      held: show(balance.heldMinor),
      available: show(balance.availableMinor),
    }
    return { status: 200, body }
  },
)

/** The longest period of a statement. */
const daysMax = 366
const msPerDay = 86_400_000

const turnoverBody = z.object({ count: z.int(), amount: amountOutput })

export const statementBody = z
  .strictObject({
    number: z.string().meta({ description: "The wallet's number and 16 digits in groups of four" }),
    wallet_id: uuid,
    wallet_number: z.string(),
    holder: z.string().nullable(),
    currency: z.string(),
    from: time,
    to: time,
    as_of: time.meta({ description: '`to`, or the present while the period is not over' }),
    final: z.boolean().meta({ description: 'Whether the period is over' }),
    opening_balance: amountOutput,
    received: turnoverBody,
    paid: turnoverBody,
    closing_balance: amountOutput,
    held: amountOutput,
    available: amountOutput,
    checksum: z.string(),
    entries: z.array(
      z.strictObject({
        date: time,
        id: uuid,
        kind: z.enum(statementKinds),
        counterparty: z.string().nullable(),
        memo: z.string().nullable(),
        reference: z.string().nullable(),
        amount: amountOutput.meta({ description: 'Less than nothing for what was paid' }),
        balance: amountOutput,
      }),
    ),
  })
  .meta({ id: 'Statement' })

const statementQuery = z
  .strictObject({
    from: momentInput.meta({ description: 'The first moment of the period' }),
    to: momentInput.meta({
      description: `The end, which is not in it; at most ${daysMax} days on`,
    }),
    format: z.enum(statementFormatNames).default('json').meta({ description: 'By default json' }),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), {
    path: ['to'],
    message: 'must be later than `from`',
  })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) <= daysMax * msPerDay, {
    path: ['to'],
    message: `must be at most ${daysMax} days after \`from\``,
  })

const { json, ...others } = statementFormats

/** How many statements each caller has at once. */
const atOnceMax = 8
const takeOne = createFewAtOnce(atOnceMax)

const getStatement = defineRoute(
  {
    method: 'GET',
    path: '/v1/wallets/{id}/statement',
    summary: 'A statement of one of your wallets as a file; of any wallet for an operator',
    description:
      'Opening balance, entries and closing balance were proven to tie before the first byte is sent. ' +
      `At most ${atOnceMax} at once for each caller.`,
    tags,
    caller: ['customer', 'operator'],
    params,
    query: statementQuery,
    responses: {
      200: {
        description: 'The statement',
        body: downloadBody,
        contentTypes: {
          [json.contentType]: statementBody,
          ...Object.fromEntries(
            Object.values(others).map(({ contentType }) => [contentType, downloadBody]),
          ),
        },
        headers: { 'Content-Disposition': 'The name of the file: `statement-NUMBER.EXTENSION`' },
      },
    },
    refusals: [
      'wallet_not_found',
      'wallet_number_mistyped',
      'format_not_possible',
      'busy',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params: { id }, query }) => {
    const wallet = await findVisibleWallet(deps, caller, id)
    const period = { from: readMoment(query.from), to: readMoment(query.to) }
    const { contentType, name, content } = await takeOne(caller.userId, () =>
      writeStatement(deps, wallet, period, query.format),
    )
    return {
      status: 200,
      body: content,
      headers: {
        'Content-Type': contentType,
        'Content-Disposition': `attachment; filename="${name}"`,
      },
    }
  },
)

export const statementRoutes = [getBalance, getStatement]
