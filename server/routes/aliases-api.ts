/**
 * Addresses under /api/ for clients that were written for an older wallet service. The use cases are
 * those of /v1; only names and forms differ: one wallet a person (the oldest), amounts and balances
 * as JSON numbers, the wallet's number as a JSON integer.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { walletKinds } from '../../accounting/chart.ts'
import { showAmount } from '../flows/amount.ts'
import { deposit } from '../flows/deposit.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import { findOldestWallet, oldestWallet, readAvailableAfter } from '../flows/oldest-wallet.ts'
import { findNamedWallet } from '../flows/resolve-wallets.ts'
import { send } from '../flows/send.ts'
import { signIn } from '../flows/sign-in.ts'
import { signUp } from '../flows/sign-up.ts'
import { findVisibleWallet } from '../flows/visible-wallet.ts'
import {
  postedChangeMinor,
  readTransactions,
  type Transaction,
  withBalances,
} from '../flows/wallet-history.ts'
import { writeNumber } from '../http/json.ts'
import { payRefusals } from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import {
  amountInput,
  exactNumber,
  replayHeader,
  replayHeaders,
  text,
  time,
  uuid,
  walletName,
} from '../http/schemas.ts'
import { Refusal } from '../refusals.ts'
import { depositRefusals } from './deposits.ts'
import { emailInput, nameInput, passwordInput } from './users.ts'

const tags = ['For older clients'] as const
const ok = z.literal('OK')
const walletNumber = z.int().meta({ description: "The wallet's number" })

const operationBody = z.object({
  status: z.enum(['OK', 'SUSPENSE']).meta({
    description:
      '`SUSPENSE`: received, but not credited, because the payment system has brought in more than it may',
  }),
  operation_id: uuid,
  wallet_id: walletNumber,
  balance: exactNumber.nullable().meta({ description: 'null when it could not be read' }),
})

const showNumber = (minor: bigint, currency: string) => writeNumber(showAmount(minor, currency))

const postSignup = defineRoute(
  {
    method: 'POST',
    path: '/api/signup',
    summary: 'Sign up',
    tags,
    caller: 'anyone',
    startsSession: true,
    body: z.strictObject({ name: nameInput, email: emailInput, password: passwordInput }),
    responses: {
      201: {
        description: 'Signed up and signed in',
        body: z.object({ status: ok, user_id: uuid, wallet_id: walletNumber }),
      },
    },
    refusals: ['email_taken', 'too_many_attempts', 'busy', 'ledger_unavailable'],
  },
  async (deps, { body, address }) => {
    const user = await signUp(deps, { ...body, address })
    const wallet = await findOldestWallet(deps, user.id)
    return {
      status: 201,
      body: { status: 'OK' as const, user_id: user.id, wallet_id: Number(wallet.number) },
      signIn: { userId: user.id },
    }
  },
)

const postLogin = defineRoute(
  {
    method: 'POST',
    path: '/api/login',
    summary: 'Sign in',
    tags,
    caller: 'anyone',
    startsSession: true,
    body: z.strictObject({ email: z.string().max(254), password: z.string().max(1_000) }),
    responses: {
      200: { description: 'Signed in', body: z.object({ status: ok, user_id: uuid }) },
    },
    refusals: ['wrong_credentials', 'too_many_attempts', 'busy'],
  },
  async (deps, { body, address }) => {
    const entry = await signIn(deps, { ...body, address })
    return { status: 200, body: { status: 'OK' as const, user_id: entry.userId }, signIn: entry }
  },
)

const operationsMax = 100

const getWallet = defineRoute(
  {
    method: 'GET',
    path: '/api/wallet',
    summary: `Your oldest wallet and its newest ${operationsMax} operations`,
    tags,
    caller: 'customer',
    responses: {
      200: {
        description: 'The wallet',
        body: z.object({
          wallet_id: walletNumber,
          user_id: uuid,
          balance: exactNumber,
          operations: z.array(
            z.object({
              operation_id: uuid,
              type: z.enum(walletKinds),
              amount: exactNumber.meta({ description: 'Negative when it went out' }),
              balance: exactNumber.meta({ description: 'Right after this operation' }),
              details: z.string().nullable(),
              created_at: time,
            }),
          ),
        }),
      },
    },
    refusals: ['wallet_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller }) => {
    const stored = await findVisibleWallet(deps, caller, oldestWallet(caller).id)
    const [wallet] = await withBalances(deps, [stored])
    const newest = { timestampMin: 0n, timestampMax: 0n, limit: operationsMax }
    const operations = await readTransactions(deps, stored, newest)
    return {
      status: 200,
      body: {
        wallet_id: Number(stored.number),
        user_id: caller.userId,
        balance: showNumber(wallet!.balance.availableMinor, stored.currency),
        operations: operations.map(showOperation),
      },
    }
  },
)

function showOperation(entry: Transaction) {
  const { currency } = entry
  return {
    operation_id: entry.operationId,
    type: entry.kind,
    amount: showNumber(postedChangeMinor(entry), currency),
    balance: showNumber(entry.balanceAfterMinor, currency),
    details: entry.memo,
    created_at: showLedgerTime(entry.timestamp),
  }
}

const moved = { description: 'It has happened', body: operationBody, headers: replayHeader }

const postExternalToWallet = defineRoute(
  {
    method: 'POST',
    path: '/api/external_to_wallet',
    summary: 'Tell of money received for a wallet',
    description:
      "In the wallet's currency. The Idempotency-Key, when it is sent, is the reference of the " +
      'deposit; without one each request is a deposit of its own.',
    tags,
    caller: 'payment_system',
    body: z.strictObject({
      wallet_id: walletName,
      amount: amountInput,
      details: text(500).optional(),
    }),
    idempotent: true,
    responses: { 200: moved },
    refusals: depositRefusals,
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const wallet = await findNamedWallet(deps, body.wallet_id)
    if (!wallet) throw new Refusal('wallet_not_found')
    const { deposit: booked, replayed } = await deposit(deps, caller, {
      wallet: wallet.id,
      amount: body.amount,
      currency: wallet.currency,
      reference: idempotencyKey ?? randomUUID(),
      details: body.details,
      onUnmatched: 'refuse',
    })
    const status = booked.walletId === null ? 'SUSPENSE' : 'OK'
    return showMoved(deps, booked.id, wallet, replayed, status)
  },
)

const postWalletToWallet = defineRoute(
  {
    method: 'POST',
    path: '/api/wallet_to_wallet',
    summary: 'Pay from your oldest wallet',
    tags,
    caller: 'customer',
    body: z.strictObject({ wallet_id: walletName, amount: amountInput }),
    idempotent: true,
    responses: { 200: moved },
    refusals: payRefusals,
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const wallet = oldestWallet(caller)
    const { payment, replayed } = await send(
      deps,
      caller,
      {
        fromWalletId: wallet.id,
        to: { kind: 'wallet', wallet: body.wallet_id },
        amount: body.amount,
      },
      idempotencyKey,
    )
    return showMoved(deps, payment.id, wallet, replayed)
  },
)

async function showMoved(
  deps: Parameters<typeof readAvailableAfter>[0],
  operationId: string,
  wallet: { id: string; number: string; currency: string },
  replayed: boolean,
  status: 'OK' | 'SUSPENSE' = 'OK',
) {
  const available = await readAvailableAfter(deps, wallet.id)
  return {
    status: 200 as const,
    body: {
      status,
      operation_id: operationId,
      wallet_id: Number(wallet.number),
      balance: available === null ? null : showNumber(available, wallet.currency),
    },
    headers: replayHeaders(replayed),
  }
}

export const apiAliasRoutes = [
  postSignup,
  postLogin,
  getWallet,
  postExternalToWallet,
  postWalletToWallet,
]
