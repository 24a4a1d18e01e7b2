/** What tests about the house's own books do again and again. */
import { randomUUID } from 'node:crypto'
import type { AccountPlan } from '../../accounting/accounts.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import type { Client, Json, Reply } from './http.ts'
import { must, type World } from './world.ts'

/** Another operator, signed in, with the id. */
export async function addOperator(
  world: World,
  by: Client,
): Promise<{ client: Client; id: string; email: string }> {
  const email = `${randomUUID()}@operators.example.com`
  const { operator, password } = await must(by.post('/v1/operators', { email }), 201)
  const client = world.client()
  await must(client.post('/v1/sessions', { email, password }), 201)
  return { client, id: operator.id, email }
}

/** Asks for an adjustment of dollars, unless told otherwise. */
export function adjust(by: Client, input: Json, key?: string): Promise<Reply> {
  const body = { currency: 'USD', reason: 'a test', ...input }
  return by.post('/v1/adjustments', body, key ? { headers: { 'idempotency-key': key } } : undefined)
}

export function approve({ id }: Json, by: Client): Promise<Reply> {
  return by.send('POST', `/v1/approvals/${id}/approve`)
}

export function reject({ id }: Json, by: Client): Promise<Reply> {
  return by.post(`/v1/approvals/${id}/reject`, { reason: 'not now' })
}

export function withdraw({ id }: Json, by: Client): Promise<Reply> {
  return by.send('POST', `/v1/approvals/${id}/withdraw`)
}

/** An approval as operators see it. */
export function approvalOf({ id }: Json, by: Client): Promise<Json> {
  return must(by.get(`/v1/approvals/${id}`), 200)
}

/** Debits less credits of an account, in minor units; 0 when it does not exist. */
export async function debitBalance({ deps }: World, { id }: AccountPlan): Promise<bigint> {
  const [account] = await deps.ledger.lookupAccounts([toLedgerId(id)])
  return account ? account.debits_posted - account.credits_posted : 0n
}
