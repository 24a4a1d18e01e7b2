import { LedgerUnavailable } from '../../accounting/client.ts'
import type { Deps } from '../../server/deps.ts'
import { sameSession } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('what has happened is not told as "nothing was done"')
let world: World
let url: string
let away = false
test.before(async () => {
  world = await createWorld()
  const adapt = (deps: Deps): Deps => {
    const changes = {
      // Another call is past its deadline by now, or the queue is full: nothing is submitted.
      lookupAccounts: (batch: never) =>
        away
          ? Promise.reject(new LedgerUnavailable('the ledger does not answer'))
          : deps.ledger.lookupAccounts(batch),
    }
    return { ...deps, ledger: Object.assign(Object.create(deps.ledger), changes) }
  }
  url = (await world.startAnother({ adapt })).url
})
test.after(() => world.stop())

for (const step of ['freeze', 'thaw'] as const) {
  test(`${step} that cannot be shown any more is told as doubt`, async () => {
    const op = await world.operator()
    const ada = await world.signUp()
    if (step === 'thaw')
      await must(op.post(`/v1/wallets/${ada.walletId}/freeze`, { reason: 'x' }), 200)
    away = true
    const reply = await sameSession(op, world.client(url)).post(
      `/v1/wallets/${ada.walletId}/${step}`,
      { reason: 'x' },
    )
    away = false
    const { state } = await must(op.get(`/v1/wallets/${ada.walletId}`), 200)
    assert.is(reply.body.code, 'outcome_unknown', `the wallet is ${state}`)
  })
}

test('a wallet that was opened and cannot be shown any more is told as doubt', async () => {
  const ada = await world.signUp()
  away = true
  const reply = await sameSession(ada.client, world.client(url)).post(`/v1/wallets`, {
    currency: 'EUR',
  })
  away = false
  const { data } = await must(ada.client.get(`/v1/wallets`), 200)
  assert.is(reply.body.code, 'outcome_unknown', `there are ${data.length} wallets`)
})

test.run()
