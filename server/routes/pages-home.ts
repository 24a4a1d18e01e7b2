/** The page of a signed-in customer, and its forms: pay someone, open a wallet. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { readOpenCurrencies } from '../flows/currencies.ts'
import { openWallet } from '../flows/open-wallet.ts'
import type { PayInput } from '../flows/pay.ts'
import type { Recipient } from '../flows/resolve-wallets.ts'
import { send } from '../flows/send.ts'
import {
  listWalletsWithBalances,
  readTransactions,
  type WalletWithBalance,
} from '../flows/wallet-history.ts'
import { explainRefusal, problemKinds } from '../http/errors.ts'
import { parseInput } from '../http/input.ts'
import {
  formFields,
  goTo,
  nameCaller,
  orSayWhy,
  type PageAnswer,
  pageSpec,
  refusalOf,
  showFailure,
  showPage,
} from '../http/page.ts'
import { toBounds, toPage } from '../http/paging.ts'
import { memoInput } from '../http/pay-input.ts'
import { defineRoute } from '../http/route.ts'
import { uuid } from '../http/schemas.ts'
import { type HomeView, homePage } from '../pages/home.ts'
import { messagePage } from '../pages/layout.ts'
import { emptyPayment, type PaymentForm, paidNotice, paymentAgainPage } from '../pages/payment.ts'

const transactionsPerPage = 20

interface Wanted {
  /** The number of the wallet to show; the oldest active one when there is no such wallet. */
  wallet?: string | undefined
  cursor?: string | undefined
  /** The payment that has just been made. */
  paid?: string | undefined
  /** Whether its form was sent before. */
  again?: boolean
  payment?: PaymentForm
}

/** Everything that the page shows. Refusals: invalid_cursor, ledger_unavailable. */
async function viewHome(deps: Deps, caller: Customer, wanted: Wanted): Promise<HomeView> {
  const wallets = await listWalletsWithBalances(deps, caller.userId)
  const currencies = await readOpenCurrencies(deps)
  const who = nameCaller(caller)
  const isActive = ({ state }: WalletWithBalance) => state === 'active'
  const selected =
    wallets.find(({ number }) => number === wanted.wallet) ?? wallets.find(isActive) ?? wallets[0]
  if (!selected) return { who, currencies, wallets, selected: undefined }
  const page = { limit: transactionsPerPage, cursor: wanted.cursor }
  const entries = await readTransactions(deps, selected, toBounds(page))
  const { data, next_cursor } = toPage(entries, page, (entry) => entry)
  const [paid, fee] = (['payment', 'fee'] as const).map((kind) =>
    data.find(
      (entry) =>
        entry.operationId === wanted.paid && entry.kind === kind && entry.direction === 'out',
    ),
  )
  return {
    who,
    currencies,
    wallets,
    selected,
    transactions: data,
    nextCursor: next_cursor,
    payment: wanted.payment ?? emptyPayment(selected.number),
    notice: paid && paidNotice(paid, fee, wanted.again ?? false),
  }
}

const documentation = { address: '/docs', text: 'Its documentation' }

const getHome = defineRoute(
  {
    ...pageSpec,
    method: 'GET',
    path: '/',
    summary: 'Your wallets',
    caller: 'visitor',
    query: z.object({
      wallet: z.string().optional(),
      cursor: z.string().max(100).optional(),
      paid: z.string().optional(),
      again: z.string().optional(),
    }),
  },
  async (deps, { caller, query }) => {
    if (!caller) return goTo('/login')
    const who = nameCaller(caller)
    if (caller.role !== 'customer') {
      const message = 'Only customers have wallets. Operators and payment systems use the API.'
      return showPage(messagePage('No wallets here', message, who, documentation))
    }
    const wanted = { ...query, again: query.again !== undefined }
    return orSayWhy(who, async () => showPage(homePage(await viewHome(deps, caller, wanted))))
  },
)

const postWallet = defineRoute(
  {
    ...pageSpec,
    method: 'POST',
    path: '/wallets',
    summary: 'Open a wallet',
    caller: 'visitor',
    form: true,
    body: formFields,
  },
  async (deps, { caller, body }) => {
    if (caller?.role !== 'customer') return goTo('/')
    const { userId } = caller
    return orSayWhy(nameCaller(caller), async () => {
      const { number } = await openWallet(deps, { userId, currency: body.currency ?? '' })
      deps.sessions.forgetUser(userId)
      return goTo(`/?wallet=${number}`)
    })
  },
)

/** A form that came back stands at the form's address: who loads that again sees the wallets. */
const getForms = (['/wallets', '/pay'] as const).map((path) =>
  defineRoute(
    { ...pageSpec, method: 'GET', path, summary: 'Your wallets', caller: 'visitor' },
    async () => goTo('/'),
  ),
)

const paymentInput = z.object({
  from: z.string().min(1),
  to: z.string().trim().min(1, 'is needed').max(64),
  amount: z.string().trim().min(1, 'is needed'),
  memo: memoInput.optional(),
  key: z.string().min(1).max(255),
})

/** What to send for a form. Refusal: invalid_request. */
function readPayment(form: PaymentForm): PayInput {
  const { memo, ...rest } = form
  const input = parseInput(paymentInput, memo.trim() === '' ? rest : form)
  return {
    fromWalletId: input.from,
    to: readRecipient(input.to),
    // People group the digits of an amount, and copy it from where it is grouped.
    amount: input.amount.replace(/\s/g, ''),
    memo: input.memo,
  }
}

/** Digits are a wallet number, in groups or not; `@` marks a username that has digits only. */
function readRecipient(to: string): Recipient {
  const compact = to.replace(/\s/g, '')
  const id = uuid.safeParse(compact)
  if (id.success) return { kind: 'wallet', wallet: id.data }
  if (/^\d+$/.test(compact)) return { kind: 'wallet', wallet: compact }
  return { kind: 'username', username: to.replace(/^@/, '').toLowerCase() }
}

const postPayment = defineRoute(
  {
    ...pageSpec,
    method: 'POST',
    path: '/pay',
    summary: 'Pay someone',
    caller: 'visitor',
    form: true,
    body: formFields,
  },
  async (deps, { caller, body }) => {
    if (caller?.role !== 'customer') return goTo('/')
    const { from = '', to = '', amount = '', memo = '', key = '' } = body
    const form = { from, to, amount, memo, key }
    try {
      const { payment, replayed } = await send(deps, caller, readPayment(form), key)
      const again = replayed ? '&again' : ''
      return goTo(`/?wallet=${encodeURIComponent(from)}&paid=${payment.id}${again}#notice`)
    } catch (error) {
      return answerUnpaid(deps, caller, form, error)
    }
  },
)

/**
 * Where the outcome may not be known, or nothing was done for now, the same form is offered again with its
 * key. Else the key is spent: the form comes back with a new one.
 */
function answerUnpaid(
  deps: Deps,
  caller: Customer,
  form: PaymentForm,
  error: unknown,
): Promise<PageAnswer> | PageAnswer {
  const refusal = refusalOf(error)
  const who = nameCaller(caller)
  if (problemKinds[refusal.code].status >= 500) {
    const message = explainRefusal(refusal)
    return showFailure(refusal, () => paymentAgainPage(form, message, who))
  }
  const payment = { ...form, key: randomUUID() }
  return orSayWhy(who, async () => {
    const view = await viewHome(deps, caller, { wallet: form.from, payment })
    return showFailure(refusal, (failure) => homePage({ ...view, failure }))
  })
}

export const homeRoutes = [getHome, ...getForms, postWallet, postPayment]
