import { randomInt, randomUUID } from 'node:crypto'

/** Who pays whom. Every transfer moves one minor unit, so that the books count them. */
export interface Wallets {
  /** Ids of wallets; equally many belong to each user, in the order of the users. */
  wallets: readonly string[]
  /** Whether all pay from the first wallet. */
  hot: boolean
}

/** What the load generators send: `POST path`, each time another transfer under a new key. */
export interface Workload extends Wallets {
  url: string
  path: string
  /** The `Cookie` header of each user. */
  cookies: readonly string[]
}

/** One minor unit of a currency with two decimals. */
export const amount = '0.01'

export interface Request {
  headers: Record<string, string>
  body: string
}

/** Two different wallets at random, by their places in the list. */
export function pickPair({ wallets, hot }: Wallets): { from: number; to: number } {
  const from = hot ? 0 : randomInt(wallets.length)
  const to = (from + 1 + randomInt(wallets.length - 1)) % wallets.length
  return { from, to }
}

/** The next request. wrk.ts says the same in Lua. */
export function nextRequest(workload: Workload): Request {
  const { wallets, cookies } = workload
  const { from, to } = pickPair(workload)
  return {
    headers: {
      'content-type': 'application/json',
      cookie: cookies[Math.floor((from * cookies.length) / wallets.length)]!,
      'idempotency-key': randomUUID(),
    },
    body: JSON.stringify({ from_wallet_id: wallets[from], to_wallet_id: wallets[to], amount }),
  }
}
