import { z } from 'zod'
import { isFeeKind, walletKinds } from '../../accounting/chart.ts'
import { showAmount } from '../flows/amount.ts'
import { closeWallet } from '../flows/close-wallet.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { openWallet } from '../flows/open-wallet.ts'
import { findVisibleWallet, readOwner } from '../flows/visible-wallet.ts'
import {
  listWalletsWithBalances,
  readTransactions,
  type Transaction,
  transactionIdOf,
  type WalletWithBalance,
  withBalanceAfter,
  withBalances,
} from '../flows/wallet-history.ts'
import { pageOf, pageQuery, toBounds, toPage } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountOutput,
  currencyInput,
  partyFields,
  time,
  uuid,
  walletName,
} from '../http/schemas.ts'

const tags = ['Wallets'] as const

export const walletBody = z
  .object({
    id: uuid,
    number: z.string().meta({ description: 'For people: ten digits, the last a check digit' }),
    currency: z.string(),
    state: z.enum(['active', 'frozen', 'closing', 'closed']),
    balance: z.object({
      posted: amountOutput,
      held: amountOutput,
      available: amountOutput,
      owed: amountOutput.optional().meta({
        description:
          'What you owe in this currency since a deposit was taken back; the next deposits pay it first. ' +
          'Left out when it is nothing',
      }),
    }),
    created_at: time,
  })
  .meta({ id: 'Wallet' })

const ownedWalletBody = walletBody
  .extend({
    owner: z.object(partyFields).optional().meta({ description: 'Told to operators only' }),
  })
  .meta({ id: 'WalletOfSomebody' })

/** A wallet with its balance as JSON. */
export function showWallet(wallet: WalletWithBalance): z.output<typeof walletBody> {
  const show = (minor: bigint) => showAmount(minor, wallet.currency)
  return {
    id: wallet.id,
    number: wallet.number,
    currency: wallet.currency,
    state: wallet.state,
    balance: {
      posted: show(wallet.balance.postedMinor),
      held: show(wallet.balance.heldMinor),
      available: show(wallet.balance.availableMinor),
      ...(wallet.owedMinor > 0n ? { owed: show(wallet.owedMinor) } : {}),
    },
    created_at: wallet.createdAt.toISOString(),
  }
}

const transactionBody = z
  .object({
    id: uuid,
    kind: z.enum(walletKinds),
    phase: z.enum(['single', 'pending', 'post', 'void']).meta({
      description:
        'Most move money in a single step. A hold or withdrawal is pending first and moves money when ' +
        'it is posted (captured, confirmed); a void gives it back',
    }),
    direction: z.enum(['in', 'out']),
    amount: amountOutput,
    currency: z.string(),
    balance: amountOutput.meta({ description: 'Posted balance right after this transaction' }),
    counterparty: z
      .object({
        wallet_id: uuid.nullable(),
        number: z.string().nullable(),
        username: z.string().nullable(),
        name: z.string().nullable(),
      })
      .nullable(),
    memo: z.string().nullable(),
    reference: z.string().nullable(),
    fee_of: uuid.optional().meta({
      description:
        'Of a fee, and of what went back of one: the transfer, deposit, withdrawal or refund',
    }),
    hold_id: uuid.nullable(),
    withdrawal_id: uuid.nullable(),
    exchange_id: uuid.optional().meta({ description: 'Of an exchange' }),
    exchanged: z
      .object({ amount: amountOutput, currency: z.string() })
      .optional()
      .meta({ description: 'Of an exchange: what was got or given in the other currency' }),
    created_at: time,
  })
  .meta({ id: 'Transaction' })

/** A transaction of a wallet as JSON. */
function showTransaction(entry: Transaction): z.output<typeof transactionBody> {
  const { counterparty } = entry
  return {
    id: transactionIdOf(entry),
    kind: entry.kind,
    phase: entry.phase,
    direction: entry.direction,
    amount: showAmount(entry.amountMinor, entry.currency),
    currency: entry.currency,
    balance: showAmount(entry.balanceAfterMinor, entry.currency),
    counterparty: counterparty && {
      wallet_id: counterparty.walletId,
      number: counterparty.number,
      username: counterparty.username,
      name: counterparty.name,
    },
    memo: entry.memo,
    reference: entry.reference,
    ...(isFeeKind(entry.kind) ? { fee_of: entry.operationId } : {}),
    hold_id: entry.kind === 'hold' ? entry.operationId : null,
    withdrawal_id: entry.kind === 'withdrawal' ? entry.operationId : null,
    ...(entry.exchanged && {
      exchange_id: entry.operationId,
      exchanged: {
        amount: showAmount(entry.exchanged.amountMinor, entry.exchanged.currency),
        currency: entry.exchanged.currency,
      },
    }),
    created_at: showLedgerTime(entry.timestamp),
  }
}

const idParams = z.object({ id: walletName })

const listWallets = defineRoute(
  {
    method: 'GET',
    path: '/v1/wallets',
    summary: 'Your wallets, oldest first',
    tags,
    caller: 'customer',
    responses: { 200: { description: 'All of them', body: pageOf(walletBody) } },
    refusals: ['ledger_unavailable'],
  },
  async (deps, { caller }) => {
    const wallets = await listWalletsWithBalances(deps, caller.userId)
    return { status: 200, body: { data: wallets.map(showWallet), next_cursor: null } }
  },
)

const postWallet = defineRoute(
  {
    method: 'POST',
    path: '/v1/wallets',
    summary: 'Open a wallet',
    tags,
    caller: 'customer',
    body: z.strictObject({ currency: currencyInput }),
    responses: { 201: { description: 'The new wallet', body: walletBody } },
    refusals: [
      'currency_not_supported',
      'currency_closed',
      'wallet_limit_reached',
      'outcome_unknown',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, body }) => {
    const wallet = await openWallet(deps, { userId: caller.userId, currency: body.currency })
    const opened = await withBalanceAfter(deps, wallet)
    return {
      status: 201,
      body: showWallet(opened),
      headers: { Location: `/v1/wallets/${wallet.id}` },
    }
  },
)

const getWallet = defineRoute(
  {
    method: 'GET',
    path: '/v1/wallets/{id}',
    summary: 'One of your wallets; any wallet for an operator',
    tags,
    caller: ['customer', 'operator'],
    params: idParams,
    responses: { 200: { description: 'The wallet', body: ownedWalletBody } },
    refusals: ['wallet_not_found', 'wallet_number_mistyped', 'ledger_unavailable'],
  },
  async (deps, { caller, params }) => {
    const found = await findVisibleWallet(deps, caller, params.id)
    const [[wallet], owner] = await Promise.all([
      withBalances(deps, [found]),
      readOwner(deps, caller, found),
    ])
    return { status: 200, body: { ...showWallet(wallet!), ...(owner && { owner }) } }
  },
)

const listTransactions = defineRoute(
  {
    method: 'GET',
    path: '/v1/wallets/{id}/transactions',
    summary: 'What went in and out of a wallet, newest first',
    tags,
    caller: ['customer', 'operator'],
    params: idParams,
    query: z.strictObject({
      ...pageQuery,
      kind: z.enum(walletKinds).optional().meta({ description: 'Only this kind' }),
    }),
    responses: { 200: { description: 'A page of them', body: pageOf(transactionBody) } },
    refusals: [
      'wallet_not_found',
      'wallet_number_mistyped',
      'invalid_cursor',
      'ledger_unavailable',
    ],
  },
  async (deps, { caller, params, query }) => {
    const wallet = await findVisibleWallet(deps, caller, params.id)
    const entries = await readTransactions(deps, wallet, { ...toBounds(query), kind: query.kind })
    return { status: 200, body: toPage(entries, query, showTransaction) }
  },
)

const postClose = defineRoute(
  {
    method: 'POST',
    path: '/v1/wallets/{id}/close',
    summary: 'Close one of your wallets for ever',
    description:
      'Only an empty wallet, of which and for which nothing is held. Its history stays readable. ' +
      'Repeating it answers the same.',
    tags,
    caller: 'customer',
    params: idParams,
    responses: { 200: { description: 'It is closed', body: walletBody } },
    refusals: [
      'wallet_not_found',
      'wallet_number_mistyped',
      'wallet_not_empty',
      'wallet_closed',
      'outcome_unknown',
      'ledger_unavailable',
      'busy',
    ],
  },
  async (deps, { caller, params }) => {
    const wallet = await withBalanceAfter(deps, await closeWallet(deps, caller, params.id))
    return { status: 200, body: showWallet(wallet) }
  },
)

export const walletRoutes = [listWallets, postWallet, getWallet, listTransactions, postClose]
