/** A Kassa whose ledger can be kept from answering, beside one that reaches the same ledger directly. */
import type { Ledger } from '../../accounting/client.ts'
import type { Kassa } from '../../server/main.ts'
import { type Client, type Reply, sameSession } from './http.ts'
import { assertRefused, fund } from './money.ts'
import { assert } from './suite.ts'
import { type Direction, startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { until } from './until.ts'
import { createWorld, must, type Person, type World } from './world.ts'

const deadlineMs = 1_000
/** How many calls wait for the ledger at most. */
export const queueLimit = 4

export interface DoubtfulWorld {
  world: World
  /** The Kassa that reaches the ledger through the proxy. */
  kassa: Kassa
  proxy: TcpProxy
  bank: Client
  /** The same session, sent to that Kassa. */
  through(client: Client): Client
  /** Two people, the first with this much; `payer` pays through the proxy. */
  pair(amount: string): Promise<{ ada: Person; ben: Person; payer: Client }>
  /**
   * Sends a request and holds the ledger when it submits something, until it is in doubt. What is under
   * way is let through first: the client sends one request after the other, and would keep this one back.
   */
  bringIntoDoubt(direction: Direction, send: () => Promise<Reply>): Promise<Reply>
  /** Lets the ledger answer again and waits until Kassa knows it. */
  recover(): Promise<void>
  stop(): Promise<void>
}

/** With four eyes. */
export async function createDoubtfulWorld(): Promise<DoubtfulWorld> {
  /** Called before transfers are submitted through the proxy. */
  let atSubmission = async () => {}
  const world = await createWorld({ env: { FOUR_EYES: 'on' } })
  const bank = await world.paymentSystem()
  const proxy = await startTcpProxy({ target: world.deps.config.tigerbeetleAddresses[0] ?? '' })
  const kassa = await world.startAnother({
    env: {
      TIGERBEETLE_ADDRESSES: proxy.address,
      LEDGER_DEADLINE_MS: String(deadlineMs),
      LEDGER_QUEUE_LIMIT: String(queueLimit),
      FOUR_EYES: 'on',
    },
    adapt: (deps) => ({ ...deps, ledger: watch(deps.ledger, () => atSubmission()) }),
  })
  // The ledger's client makes its connection with the first call.
  await must(world.client(kassa.url).get('/readyz'), 200)

  const through = (client: Client) => sameSession(client, world.client(kassa.url))

  return {
    world,
    kassa,
    proxy,
    bank,
    through,
    async pair(amount) {
      const [ada, ben] = await Promise.all([world.signUp(), world.signUp()])
      if (amount !== '0') await fund(bank, ada.walletId, amount)
      return { ada, ben, payer: through(ada.client) }
    },
    async bringIntoDoubt(direction, send) {
      let held: Promise<void> | undefined
      const hold = async () => {
        await until(() => kassa.deps.ledger.pending === 0)
        proxy.hold(direction)
      }
      atSubmission = () => (held ??= hold())
      const reply = await send()
      atSubmission = async () => {}
      assertUnknown(reply)
      return reply
    },
    async recover() {
      proxy.release()
      await until(() => kassa.deps.ledger.pending === 0)
    },
    async stop() {
      await world.stop()
      await proxy.close()
    },
  }
}

function watch(ledger: Ledger, atSubmission: () => Promise<void>): Ledger {
  const changes: Partial<Ledger> = {
    async createTransfers(batch) {
      // A transfer without an id only asks for the ledger's time, as the job does that follows it.
      if (batch.some(({ id }) => id > 0n)) await atSubmission()
      return ledger.createTransfers(batch)
    },
  }
  return Object.assign(Object.create(ledger), changes)
}

/** What an answer must tell of an operation that may have happened. */
export function assertUnknown(reply: Reply): void {
  assertRefused(reply, 503, 'outcome_unknown')
  assert.match(reply.body.operation_id, /^[0-9a-f-]{36}$/)
  assert.match(String(reply.headers['retry-after']), /^[1-9]\d*$/)
}
