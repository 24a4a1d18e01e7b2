import type { Deps } from '../../server/deps.ts'
import { recover } from '../../server/flows/recovery.ts'
import { sameSession } from '../lib/http.ts'
import { fund, openWallet, pay } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('a closing that is cut off before its last statement')

let world: World
/** A Kassa whose PostgreSQL goes away before it notes that a wallet is closed. */
let url: string

test.before(async () => {
  world = await createWorld()
  const adapt = (deps: Deps): Deps => ({
    ...deps,
    db: deps.db.withPlugin({
      transformQuery({ node }) {
        const isNote = node.kind === 'UpdateQueryNode' && JSON.stringify(node).includes('closed_at')
        if (isNote) throw new Error('cut off')
        return node
      },
      transformResult: async ({ result }) => result,
    }),
  })
  url = (await world.startAnother({ adapt })).url
})
test.after(() => world.stop())

test('recovery notes what the ledger has: payments by username find the open wallet', async () => {
  const username = 'closes.one'
  const { client, walletId } = await world.signUp({ username })
  const second = await openWallet(client, 'USD')
  await must(client.get('/v1/wallets'), 200)
  const path = `/v1/wallets/${walletId}/close`
  assert.is((await sameSession(client, world.client(url)).send('POST', path)).status, 500)
  assert.is((await must(client.get(`/v1/wallets/${walletId}`), 200)).state, 'closed')

  const later = { ...world.deps, nowMs: () => Date.now() + 3_600_000 }
  assert.is((await recover(later)).closings, 1)
  const payer = await world.signUp()
  await fund(await world.paymentSystem(), payer.walletId, '5.00')
  const paid = await must(pay(payer.client, { to_username: username, amount: '1.00' }), 201)
  assert.is(paid.to_wallet_id, second.id)
  assert.is((await recover(later)).closings, undefined)
})

test.run()
