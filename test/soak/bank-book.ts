/** What a bank has booked for the house, written down from what people asked Kassa for and were answered. */
import { assetOf } from '../../accounting/chart.ts'
import { parseSignedAmount } from '../../accounting/money.ts'
import type { Day, Statement, StatementLine } from '../../server/reconciliation/statement.ts'
import { sumOf } from '../../server/reconciliation/statement-check.ts'
import type { Sent } from '../lib/model/exchange.ts'

export interface BankBook {
  /** Books what concerns a payment system's account, once, however often it was asked for. */
  tell(exchange: Sent): void
  /** A statement of each currency of a payment system, with everything so far; the chart has to know it. */
  statementsOf(system: string, days: { from: Day; to: Day }): Statement[]
}

interface Booking {
  /** Tells it from others of its system. */
  name: string
  reference: string
  /** Major units. */
  amount: string
  currency: string
}

export function createBankBook(): BankBook {
  const books = new Map<string, Map<string, { booking: Booking; bookedAtMs: number }>>()

  function tell(exchange: Sent): void {
    const { answer, answeredAt: bookedAtMs } = exchange
    if (answer.code !== undefined) return
    const found = toBooking(exchange)
    if (!found) return
    const { system, booking } = found
    const book = books.get(system) ?? new Map()
    books.set(system, book)
    if (!book.has(booking.name)) book.set(booking.name, { booking, bookedAtMs })
  }

  function statementsOf(system: string, days: { from: Day; to: Day }): Statement[] {
    const all = [...(books.get(system)?.values() ?? [])]
    const lines = all.map(({ booking, bookedAtMs }) => toLine(booking, bookedAtMs))
    return [...Map.groupBy(lines, ({ currency }) => currency)].map(([currency, some]) =>
      toStatement(`${system} ${currency}`, some, days),
    )
  }

  return { tell, statementsOf }
}

/** A statement of all lines of one currency, of an account that was empty before. */
export function toStatement(
  id: string,
  lines: readonly StatementLine[],
  days: { from: Day; to: Day },
): Statement {
  const [first] = lines
  if (!first) throw new Error(`statement ${id} of no line`)
  return {
    id,
    account: 'of the house',
    currency: first.currency,
    ...days,
    openingMinor: 0n,
    closingMinor: sumOf(lines),
    lines,
    skippedCount: 0,
    fileName: '',
    fileLine: 0,
  }
}

export const dayOf = (ms: number): Day => Math.floor(ms / 86_400_000)

export function toLine(
  { name, reference, amount, currency }: Booking,
  bookedAtMs: number,
): StatementLine {
  const amountMinor = parseSignedAmount(amount, assetOf(currency))
  if (typeof amountMinor !== 'bigint') throw new Error(`${name}: ${amount} ${currency}`)
  return {
    bankId: name,
    references: [reference],
    currency,
    amountMinor,
    bookingDay: dayOf(bookedAtMs),
    valueDay: undefined,
    text: '',
    fileLine: 0,
  }
}

/** What a request that was carried out did to a payment system's account; undefined for nothing. */
function toBooking({
  request,
  answer: { body },
}: Sent): { system: string; booking: Booking } | undefined {
  const { amount, currency } = body
  const booking = (name: string, reference: string, sign: '' | '-'): Booking => ({
    name: `${request.kind} ${name}`,
    reference,
    amount: `${sign}${amount}`,
    currency,
  })
  switch (request.kind) {
    case 'deposit':
      return { system: request.system, booking: booking(body.id, request.reference, '') }
    case 'reversal':
      return { system: request.system, booking: booking(body.id, request.reference, '-') }
    case 'return':
      return { system: body.payment_system.id, booking: booking(body.id, body.reference, '-') }
    case 'confirm':
      return { system: request.system, booking: booking(body.id, body.id, '-') }
    case 'adjustment': {
      const { adjustment, system } = request
      if (system === undefined) return undefined
      const isIn = adjustment === 'prefunding' || adjustment === 'payment_system_income'
      return { system, booking: booking(body.id, body.id, isIn ? '' : '-') }
    }
    default:
      return undefined
  }
}
