/**
 * Addresses for clients that know one account a person, named by username. Amounts and balances
 * there are integers: minor units, because cents are the only integers that are exact.
 */
import { z } from 'zod'
import { showAmount } from '../flows/amount.ts'
import { describeTransaction } from '../flows/describe-transaction.ts'
import { oldestWallet, readAvailableAfter } from '../flows/oldest-wallet.ts'
import { send } from '../flows/send.ts'
import { signUp } from '../flows/sign-up.ts'
import { findVisibleWallet } from '../flows/visible-wallet.ts'
import { readTransactions, withBalances } from '../flows/wallet-history.ts'
import { textOrNumber, writeNumber } from '../http/json.ts'
import { payRefusals } from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import { exactNumber, replayHeader, replayHeaders, uuid } from '../http/schemas.ts'
import { emailInput, passwordInput, usernameInput } from './users.ts'

const tags = ['For older clients'] as const
const minorUnits = { description: 'Minor units of the currency, such as cents' }

const postUser = defineRoute(
  {
    method: 'POST',
    path: '/v1/user',
    summary: 'Sign up',
    tags,
    caller: 'anyone',
    startsSession: true,
    body: z.strictObject({
      Email: emailInput,
      Username: usernameInput,
      Password: passwordInput,
    }),
    responses: {
      201: {
        description: 'Signed up and signed in',
        body: z.object({ UserId: uuid, Username: z.string() }),
      },
    },
    refusals: ['email_taken', 'username_taken', 'too_many_attempts', 'busy', 'ledger_unavailable'],
  },
  async (deps, { body, address }) => {
    const { Email: email, Username: username, Password: password } = body
    const user = await signUp(deps, { email, username, password, address })
    return {
      status: 201,
      body: { UserId: user.id, Username: username },
      signIn: { userId: user.id },
    }
  },
)

const transactionsMax = 20

const getAccount = defineRoute(
  {
    method: 'GET',
    path: '/v1/account',
    summary: `Balance of your oldest wallet and its newest ${transactionsMax} transactions`,
    tags,
    caller: 'customer',
    responses: {
      200: {
        description: 'The account',
        body: z.object({
          Balance: exactNumber.meta(minorUnits),
          'Last transactions': z.array(z.string()).meta({ description: 'Sentences' }),
        }),
      },
    },
    refusals: ['wallet_not_found', 'ledger_unavailable'],
  },
  async (deps, { caller }) => {
    const stored = await findVisibleWallet(deps, caller, oldestWallet(caller).id)
    const [wallet] = await withBalances(deps, [stored])
    const newest = { timestampMin: 0n, timestampMax: 0n, limit: transactionsMax }
    const transactions = await readTransactions(deps, stored, newest)
    return {
      status: 200,
      body: {
        Balance: writeNumber(String(wallet!.balance.availableMinor)),
        'Last transactions': transactions.map(describeTransaction),
      },
    }
  },
)

const postTransfer = defineRoute(
  {
    method: 'POST',
    path: '/v1/transfer',
    summary: 'Pay someone from your oldest wallet',
    tags,
    caller: 'customer',
    body: z.strictObject({
      UserName: z.string().min(1).max(64),
      Amount: textOrNumber
        .refine((text) => /^-?\d{1,40}$/.test(text), 'must be an integer: minor units')
        .meta(minorUnits),
    }),
    idempotent: true,
    responses: {
      201: {
        description: 'It has happened',
        body: z.object({
          TransferId: uuid,
          Balance: exactNumber.nullable().meta({ description: 'null when it could not be read' }),
        }),
        headers: replayHeader,
      },
    },
    refusals: payRefusals,
  },
  async (deps, { caller, body, idempotencyKey }) => {
    const wallet = oldestWallet(caller)
    const { payment, replayed } = await send(
      deps,
      caller,
      {
        fromWalletId: wallet.id,
        to: { kind: 'username', username: body.UserName.toLowerCase() },
        amount: showAmount(BigInt(body.Amount), wallet.currency),
      },
      idempotencyKey,
    )
    const available = await readAvailableAfter(deps, wallet.id)
    const balance = available === null ? null : writeNumber(String(available))
    return {
      status: 201,
      body: { TransferId: payment.id, Balance: balance },
      headers: replayHeaders(replayed),
    }
  },
)

export const accountAliasRoutes = [postUser, getAccount, postTransfer]
