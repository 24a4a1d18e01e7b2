/** What tests about money do again and again, over HTTP. */
import { randomUUID } from 'node:crypto'
import type { Transfer } from 'tigerbeetle-node'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { insertPaymentSystem } from '../../db/payment-systems.ts'
import type { Client, Json, Reply } from './http.ts'
import { assert } from './suite.ts'
import { defaultPassword, must, type World } from './world.ts'

/** A key or reference that nobody else uses, also on a ledger that other tests share. */
export const unique = (name: string) => `${name}-${randomUUID()}`

/** A body that is sent as it is written, to the last digit. */
export function postText(client: Client, path: string, text: string): Promise<Reply> {
  return client.send('POST', path, { text, headers: { 'content-type': 'application/json' } })
}

/** Books a deposit with a fresh reference; answers it. */
export function fund(
  bank: Client,
  wallet: string,
  amount: string,
  currency = 'USD',
): Promise<Json> {
  const reference = unique('funding')
  return must(bank.post('/v1/deposits', { wallet_id: wallet, amount, currency, reference }), 201)
}

/** Opens another wallet of a customer. */
export function openWallet(client: Client, currency: string): Promise<Json> {
  return must(client.post('/v1/wallets', { currency }), 201)
}

/** A payer with one wallet of the currency that holds this much, and a payee with one. */
export async function pair(world: World, bank: Client, amount: string, currency = 'USD') {
  const [payer, payee] = await Promise.all([world.signUp(), world.signUp()])
  const isDefault = currency === 'USD'
  const from = isDefault ? payer.walletId : (await openWallet(payer.client, currency)).id
  const to = isDefault ? payee.walletId : (await openWallet(payee.client, currency)).id
  if (amount !== '0') await fund(bank, from, amount, currency)
  return { payer: payer.client, payee: payee.client, from, to }
}

/** The posted balance of one of the customer's wallets. */
export async function posted(client: Client, walletId: string): Promise<string> {
  return (await must(client.get(`/v1/wallets/${walletId}`), 200)).balance.posted
}

/** Posts a transfer, with an idempotency key if one is given. */
export function pay(client: Client, input: Json, key?: string): Promise<Reply> {
  const headers = key === undefined ? undefined : { headers: { 'idempotency-key': key } }
  return client.post('/v1/transfers', input, headers)
}

/** Asserts a problem document of this status and code. */
export function assertRefused(reply: Reply, status: number, code: string, about = ''): void {
  assert.is(`${reply.status} ${reply.body?.code}`, `${status} ${code}`, about || reply.text)
  assert.match(String(reply.headers['content-type']), /^application\/problem\+json/)
  assert.is(reply.body.status, status)
  assert.is(reply.body.type, `urn:kassa:problem:${code}`)
}

/** Another payment system, signed in. */
export async function addPaymentSystem(world: World): Promise<Client> {
  const { db, passwords } = world.deps
  const email = `${randomUUID()}@bank.example.com`
  const passwordHash = await passwords.hash(defaultPassword)
  await insertPaymentSystem(db, { name: email, email, passwordHash })
  const client = world.client()
  await must(client.post('/v1/sessions', { email, password: defaultPassword }), 201)
  return client
}

/** TigerBeetle's bits of `flags` on a transfer (docs/reference/transfer.md of TigerBeetle). */
const pendingFlag = 1 << 1
const voidPendingFlag = 1 << 3
const closingCreditFlag = 1 << 7
/** And its status of a transfer that was created. */
const createdStatus = 2 ** 32 - 1

/**
 * Closes a wallet's account for debits and credits, as freezing does: by a pending transfer of nothing
 * from another wallet of the same currency. Answers how to open it again.
 */
export function closeAccount(
  ledger: Ledger,
  wallet: { id: string; currency: string },
  otherWalletId: string,
): Promise<() => Promise<void>> {
  return reserve(ledger, {
    debit_account_id: toLedgerId(otherWalletId),
    credit_account_id: toLedgerId(wallet.id),
    amount: 0n,
    ledger: assetOf(wallet.currency).ledger,
    flags: pendingFlag | closingCreditFlag,
  })
}

/** Holds a part of a wallet's money in favour of another wallet. Answers how to release it. */
export function hold(
  ledger: Ledger,
  wallet: { id: string; currency: string },
  otherWalletId: string,
  amountMinor: bigint,
): Promise<() => Promise<void>> {
  return reserve(ledger, {
    debit_account_id: toLedgerId(wallet.id),
    credit_account_id: toLedgerId(otherWalletId),
    amount: amountMinor,
    ledger: assetOf(wallet.currency).ledger,
    flags: pendingFlag,
  })
}

type Reservation = Pick<
  Transfer,
  'debit_account_id' | 'credit_account_id' | 'amount' | 'ledger' | 'flags'
>

async function reserve(ledger: Ledger, reservation: Reservation): Promise<() => Promise<void>> {
  const pending: Transfer = {
    ...reservation,
    id: toLedgerId(randomUUID()),
    pending_id: 0n,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    timeout: 0,
    code: TransferCode.payment,
    timestamp: 0n,
  }
  await create(ledger, pending)
  const voiding = { id: toLedgerId(randomUUID()), pending_id: pending.id, flags: voidPendingFlag }
  return () => create(ledger, { ...pending, ...voiding })
}

async function create(ledger: Ledger, transfer: Transfer): Promise<void> {
  const [result] = await ledger.createTransfers([transfer])
  if (result?.status !== createdStatus) throw new Error(`not created: ${result?.status}`)
}
