/** What is measured over HTTP: ways in which one person pays another. */

/** A request: who sends it, and its body, in which what differs stands in angle brackets. */
export interface Step {
  by: 'payer' | 'payee'
  body: string
}

/** What can stand in the brackets: ids of two wallets, and the username of the one who pays. */
type Blank = 'from' | 'to' | 'payer'

/**
 * A `POST` to `path`. Where there is a second request, it follows what the first has made, which the
 * answer names by `Location`, and moves the money. The first carries who it is about as
 * `X-Request-Id`, which comes back as well.
 */
export interface Operation {
  path: string
  first: Step
  /** To the path of what the first has made, with this ending. */
  second?: Step & { ending: string }
}

/** One minor unit of a currency with two decimals. */
const amount = '"amount":"0.01"'

const pays: Step = {
  by: 'payer',
  body: `{"from_wallet_id":"<from>","to_wallet_id":"<to>",${amount}}`,
}

/** A payment, or what takes the same request at another address. */
export const transferAt = (path: string): Operation => ({ path, first: pays })

/** In Kassa a route that only answers a constant. */
export const constantPath = '/v1/constant'
export const transferPath = '/v1/transfers'

export const transfer = transferAt(transferPath)

export const holdAndCapture: Operation = {
  path: '/v1/holds',
  first: pays,
  second: { ending: '/capture', by: 'payee', body: '{}' },
}

export const requestAndAccept: Operation = {
  path: '/v1/payment-requests',
  first: { by: 'payee', body: `{"from_username":"<payer>","to_wallet_id":"<to>",${amount}}` },
  second: { ending: '/accept', by: 'payer', body: '{"from_wallet_id":"<from>"}' },
}

/** All that move money in Kassa. */
export const payments: readonly Operation[] = [transfer, holdAndCapture, requestAndAccept]

/** How many requests a payment takes. */
export const requestsOf = ({ second }: Operation): number => (second ? 2 : 1)

/** A step's body with the blanks filled in. */
export function renderBody({ body }: Step, fill: (blank: Blank) => string): string {
  return body.replaceAll(/<(\w+)>/g, (_, blank: Blank) => fill(blank))
}
