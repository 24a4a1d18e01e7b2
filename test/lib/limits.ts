/** What tests about limits do again and again, over HTTP. */
import type { Client, Json, Reply } from './http.ts'
import { assertRefused, pair, pay } from './money.ts'
import { assert } from './suite.ts'
import { must, type World } from './world.ts'

/** Sets a limit of a user; dollars a day unless it is said otherwise. */
export function setLimit(
  operator: Client,
  userId: string,
  amount: string | null,
  other: { currency?: string; window?: string } = {},
): Promise<Json> {
  const input = { currency: 'USD', window: 'day', ...other, amount }
  return must(operator.send('PUT', `/v1/users/${userId}/limits`, { json: input }), 200)
}

/** What is left of the only limit of a user, or of the one of a window. */
export async function left(client: Client, window?: string): Promise<string> {
  const { data } = await must(client.get('/v1/limits'), 200)
  return data.find((limit: Json) => window === undefined || limit.window === window).left
}

/** Somebody with 100.00 dollars, who may spend this much a day when it is told, and somebody to pay. */
export async function limitedPair(
  { world, bank, operator }: { world: World; bank: Client; operator: Client },
  amount: string | null,
) {
  const { payer, payee, from, to } = await pair(world, bank, '100.00')
  const userId: string = (await must(payer.get('/v1/session'), 200)).user.id
  if (amount !== null) await setLimit(operator, userId, amount)
  const send = (amount: string, key?: string) => pay(payer, { to_wallet_id: to, amount }, key)
  return { payer, payee, from, to, userId, send }
}

/** Asserts that a limit, dollars a day unless it is said otherwise, has declined something. */
export function assertOver(reply: Reply, expected: Json): void {
  assertRefused(reply, 422, 'limit_exceeded')
  const { window, limit, left: rest, currency } = reply.body
  assert.equal(
    { window, limit, left: rest, currency },
    { window: 'day', currency: 'USD', ...expected },
  )
}
