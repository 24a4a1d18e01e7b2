/**
 * A plain model of what Kassa's money API answers: one request after the other, in memory. It knows
 * two currencies and none of the product's code.
 */

export const scales = { USD: 2, JPY: 0 } as const
export type Currency = keyof typeof scales

export interface Entry {
  id: string
  direction: 'in' | 'out'
  minor: bigint
}

export interface ModelWallet {
  readonly id: string
  readonly number: string
  readonly userId: string
  readonly currency: Currency
  readonly minor: bigint
  readonly entries: readonly Entry[]
}

export interface DepositRequest {
  kind: 'deposit'
  wallet: string
  amount: string
  currency: Currency
  reference: string
}

export interface TransferRequest {
  kind: 'transfer'
  userId: string
  from?: string | undefined
  to: { wallet: string } | { username: string; userId: string }
  amount: string
  currency?: Currency | undefined
  memo?: string | undefined
  key?: string | undefined
}

export type ModelRequest = DepositRequest | TransferRequest

/** What was answered: the id of what has happened, or why not. */
export interface Answer {
  id?: string | undefined
  code?: string | undefined
  isReplay: boolean
}

/** What happened under a key or a reference: an id, or a decline that is final. */
interface Remembered {
  input: string
  id?: string | undefined
  declined?: string | undefined
}

export interface Model {
  /** In the order of their opening. */
  readonly wallets: readonly ModelWallet[]
  readonly remembered: ReadonlyMap<string, Remembered>
}

export const emptyModel: Model = { wallets: [], remembered: new Map() }

/** The model after the request, or undefined when the answer is not the model's. */
export function step(model: Model, request: ModelRequest, answer: Answer): Model | undefined {
  return request.kind === 'deposit'
    ? stepDeposit(model, request, answer)
    : stepTransfer(model, request, answer)
}

const when = (holds: boolean, model: Model): Model | undefined => (holds ? model : undefined)

function stepDeposit(model: Model, request: DepositRequest, answer: Answer): Model | undefined {
  const { currency, reference } = request
  const known = model.remembered.get(reference)
  const minor = readMinor(request.amount, currency)
  const wallet = findWallet(model, request.wallet)
  if (!wallet) throw new Error('the model has no such wallet')
  const input = [wallet.id, currency, minor].join()
  if (known?.id !== undefined) {
    if (known.input !== input) return when(answer.code === 'reference_reused', model)
    return when(answer.id === known.id && answer.isReplay, model)
  }
  if (typeof minor === 'string') return when(answer.code === minor, model)
  if (wallet.currency !== currency) return when(answer.code === 'currency_mismatch', model)
  const { id } = answer
  if (id === undefined || answer.isReplay) return undefined
  const booked = move(model, wallet.id, { id, direction: 'in', minor })
  return remember(booked, reference, { input, id })
}

function stepTransfer(model: Model, request: TransferRequest, answer: Answer): Model | undefined {
  const { userId, from, to, amount, currency, memo, key } = request
  const canonical = canonicalAmount(amount)
  if (canonical === undefined) return when(answer.code === 'amount_malformed', model)
  const input = JSON.stringify([from, to, canonical, currency, memo])
  const name = key === undefined ? undefined : `${userId} ${key}`
  const known = name === undefined ? undefined : model.remembered.get(name)
  if (known?.id !== undefined) {
    if (known.input !== input) return when(answer.code === 'idempotency_key_reused', model)
    return when(answer.id === known.id && answer.isReplay, model)
  }
  const route = findRoute(model, request)
  if (typeof route === 'string') return when(answer.code === route, model)
  const minor = readMinor(amount, route.payer.currency)
  if (typeof minor === 'string') return when(answer.code === minor, model)
  if (known?.declined !== undefined) {
    // The reason is kept after the decline: another copy at the same time may not know it.
    if (answer.code === 'declined') return when(answer.isReplay, model)
    if (known.input !== input) return when(answer.code === 'idempotency_key_reused', model)
    return when(answer.code === known.declined && answer.isReplay, model)
  }
  const declined = declineOf(route, minor)
  if (declined !== undefined) {
    if (answer.code !== declined || answer.isReplay) return undefined
    if (name === undefined || declined === 'currency_mismatch') return model
    return remember(model, name, { input, declined })
  }
  const { id } = answer
  if (id === undefined || answer.isReplay || !route.payee) return undefined
  const paid = move(model, route.payer.id, { id, direction: 'out', minor })
  const received = move(paid, route.payee.id, { id, direction: 'in', minor })
  return name === undefined ? received : remember(received, name, { input, id })
}

interface Route {
  payer: ModelWallet
  /** Undefined when the ledger has no such account. */
  payee: ModelWallet | undefined
}

function declineOf({ payer, payee }: Route, minor: bigint): string | undefined {
  if (!payee) return 'recipient_not_found'
  if (payee.currency !== payer.currency) return 'currency_mismatch'
  return minor > payer.minor ? 'insufficient_funds' : undefined
}

/** Which wallet pays which, or why that cannot be told. */
function findRoute(model: Model, { userId, from, to, currency }: TransferRequest): Route | string {
  const own = model.wallets.filter((wallet) => wallet.userId === userId)
  const named = own.filter(({ id, number }) => from === undefined || id === from || number === from)
  if (named.length === 0) return 'wallet_not_found'
  const payers = named.filter((wallet) => currency === undefined || wallet.currency === currency)
  if (payers.length === 0) return 'currency_mismatch'

  const payee = 'wallet' in to ? findWallet(model, to.wallet) : undefined
  const isForeignId = 'wallet' in to && to.wallet.includes('-') && payee?.userId !== userId
  const [payer] = payers
  // An id of somebody else's is not looked up: the ledger itself knows its currency.
  if (isForeignId && payer && payers.length === 1) return { payer, payee }
  const payees = 'wallet' in to ? (payee ? [payee] : []) : oldestOfEach(model, to.userId)
  if (payees.length === 0) return 'recipient_not_found'
  const routes = payers.flatMap((p) =>
    payees
      .filter(({ id, currency: c }) => id !== p.id && c === p.currency)
      .map((r) => ({ payer: p, payee: r })),
  )
  const [route, second] = routes
  if (second) return 'wallet_ambiguous'
  if (route) return route
  const isOwn = payers.every((p) => payees.some(({ id }) => id === p.id))
  return isOwn ? 'same_wallet' : 'currency_mismatch'
}

function oldestOfEach({ wallets }: Model, userId: string): ModelWallet[] {
  const own = wallets.filter((wallet) => wallet.userId === userId)
  return own.filter(
    ({ currency }, index) => own.findIndex((w) => w.currency === currency) === index,
  )
}

const findWallet = ({ wallets }: Model, name: string): ModelWallet | undefined =>
  wallets.find(({ id, number }) => id === name || number === name)

function move(model: Model, walletId: string, entry: Entry): Model {
  const change = entry.direction === 'in' ? entry.minor : -entry.minor
  const wallets = model.wallets.map((wallet) =>
    wallet.id === walletId
      ? { ...wallet, minor: wallet.minor + change, entries: [...wallet.entries, entry] }
      : wallet,
  )
  return { ...model, wallets }
}

const remember = (model: Model, name: string, what: Remembered): Model => ({
  ...model,
  remembered: new Map(model.remembered).set(name, what),
})

const plain = /^-?\d+(\.\d+)?$/

/** One text for all that mean the same amount; undefined when it is none. */
export function canonicalAmount(amount: string): string | undefined {
  if (!plain.test(amount) || amount.length > 64) return undefined
  const [whole = '', fraction = ''] = amount.split('.')
  return `${BigInt(whole.replace('-', ''))}.${fraction.replace(/0+$/, '')}${amount.startsWith('-')}`
}

/** Minor units, or the code of the refusal. */
export function readMinor(amount: string, currency: Currency): bigint | string {
  if (!plain.test(amount)) return 'amount_malformed'
  const [whole = '', fraction = ''] = amount.split('.')
  const scale = scales[currency]
  if (fraction.length > scale) return 'amount_too_precise'
  const minor = BigInt(whole + fraction.padEnd(scale, '0'))
  if (minor <= 0n) return 'amount_not_positive'
  return minor > 2n ** 127n ? 'amount_too_large' : minor
}

/** Minor units as the API writes them. */
export function showMinor(minor: bigint, currency: Currency): string {
  const scale = scales[currency]
  const digits = String(minor).padStart(scale + 1, '0')
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
