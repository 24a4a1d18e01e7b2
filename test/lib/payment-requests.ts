/** What tests about payment requests do again and again, over HTTP. */
import { randomUUID } from 'node:crypto'
import type { Client, Json, Reply } from './http.ts'
import { must, type Person, type World } from './world.ts'

/** Somebody who can be asked for money. */
export type NamedPerson = Person & { username: string }

/** Signs somebody up with a username. */
export async function signUpNamed(world: World, name: string): Promise<NamedPerson> {
  const username = `${name}_${randomUUID().replaceAll('-', '')}`.slice(0, 30)
  return { ...(await world.signUp({ username })), username }
}

/** Asks somebody for 1.00 into the first wallet, unless told otherwise. */
export function ask(
  requester: Person,
  payer: NamedPerson,
  more: Json = {},
  { key, by = requester.client }: { key?: string; by?: Client } = {},
): Promise<Reply> {
  const input = { from_username: payer.username, to_wallet_id: requester.walletId, amount: '1.00' }
  const options = key ? { headers: { 'idempotency-key': key } } : undefined
  return by.post('/v1/payment-requests', { ...input, ...more }, options)
}

/** The request of somebody who asks and is not refused. */
export function asked(requester: Person, payer: NamedPerson, more: Json = {}): Promise<Json> {
  return must(ask(requester, payer, more), 201)
}

export function accept({ id }: Json, by: Client, fromWallet?: string): Promise<Reply> {
  return by.post(`/v1/payment-requests/${id}/accept`, { from_wallet_id: fromWallet })
}

/** Ends a request without paying it. */
export function end({ id }: Json, step: 'decline' | 'cancel', by: Client): Promise<Reply> {
  return by.send('POST', `/v1/payment-requests/${id}/${step}`)
}

/** A request as somebody sees it. */
export function seen({ id }: Json, by: Client): Promise<Json> {
  return must(by.get(`/v1/payment-requests/${id}`), 200)
}
