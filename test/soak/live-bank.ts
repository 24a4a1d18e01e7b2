/** A payment system that never stops telling of deposits, of today and of yesterday. */
import { randomUUID } from 'node:crypto'
import type { Statement, StatementLine } from '../../server/reconciliation/statement.ts'
import { type Account, makeStaff, type Place, reach, read, signUp } from '../lib/model/cast.ts'
import { dayOf, toLine, toStatement } from './bank-book.ts'

export interface LiveBank {
  readonly systemId: string
  /** How many deposits it has told of. */
  readonly count: number
  /** Tells of some more of yesterday, and answers the statement of that day. */
  yesterday(): Promise<Statement>
  stop(): void
  /** When it has stopped; rejects when a deposit was refused. */
  readonly ended: Promise<void>
}

const msPerDay = 86_400_000
const deposit = { currency: 'USD', amount: '1.25' } as const
/** How many of yesterday are told of for each statement. */
const lateCount = 20

/** Starts it, with somebody whose money it is. */
export async function startLiveBank(place: Place): Promise<LiveBank> {
  const { systems } = await makeStaff(place)
  const [[systemId, account]] = [...systems] as [[string, Account]]
  const person = await signUp(place, `b_${randomUUID().slice(0, 8)}`)
  const [wallet] = (await read(place, person, '/v1/wallets')).data
  const late: StatementLine[] = []
  const day = dayOf(Date.now()) - 1
  let count = 0
  let isOver = false

  async function tell(occurredAtMs: number): Promise<string> {
    const reference = randomUUID()
    const occurred_at = new Date(occurredAtMs).toISOString()
    const told = { wallet_id: wallet.id, reference, occurred_at, ...deposit }
    const reply = await reach(place, (url) => account.at(url).post('/v1/deposits', told))
    if (reply.status >= 300) throw new Error(`no deposit: ${reply.text}`)
    count += 1
    return reference
  }

  async function go(): Promise<void> {
    while (!isOver) await tell(Date.now())
  }

  return {
    systemId,
    get count() {
      return count
    },
    async yesterday() {
      const atMs = day * msPerDay + msPerDay / 2
      for (let told = 0; told < lateCount; told += 1) {
        const reference = await tell(atMs)
        late.push(toLine({ name: reference, reference, ...deposit }, atMs))
      }
      return toStatement('yesterday', late, { from: day, to: day })
    },
    stop() {
      isOver = true
    },
    ended: go(),
  }
}
