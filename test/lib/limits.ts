/** What tests about limits do again and again, over HTTP. */
import type { Client, Json } from './http.ts'
import { must } from './world.ts'

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
