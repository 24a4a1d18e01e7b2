import fc from 'fast-check'
import { readWalletBalanceAt } from '../../server/flows/statements.ts'
import { postedChangeMinor } from '../../server/flows/wallet-history.ts'
import { checkBooks } from '../lib/books.ts'
import type { Json } from '../lib/http.ts'
import { cents, createStatementWorld, type StatementWorld, stated } from '../lib/statement-world.ts'
import { assert, suite } from '../lib/suite.ts'
import { must, type Person, type World } from '../lib/world.ts'

const test = suite('periods of statements')

let here: StatementWorld
let world: World
let ada: Person
let wallet: StatementWorld['wallet']
let history: StatementWorld['history']
test.before(async () => {
  here = await createStatementWorld()
  ;({ world, ada, wallet, history } = here)
})
test.after(async () => {
  await checkBooks(here.world.deps.ledger)
  await here.world.stop()
})

test('an entry at the beginning of a period is in it, one at the end is not', async () => {
  const booked = history.filter((entry) => postedChangeMinor(entry) !== 0n)
  for (const { timestamp, balanceAfterMinor, ...entry } of booked) {
    const change = postedChangeMinor({ ...entry, timestamp, balanceAfterMinor })
    const alone = await stated(here, timestamp, timestamp + 1n)
    assert.equal(
      alone.entries.map(({ amount }: Json) => cents(amount)),
      [change],
    )
    assert.is(cents(alone.closing_balance), balanceAfterMinor)
    assert.is(cents(alone.opening_balance), balanceAfterMinor - change)
    assert.is(
      cents((await stated(here, 1n, timestamp)).closing_balance),
      balanceAfterMinor - change,
    )
    const after = await stated(here, timestamp + 1n, timestamp + 2n)
    const isNext = booked.some((other) => other.timestamp === timestamp + 1n)
    assert.is(after.entries.length, isNext ? 1 : 0)
    assert.is(cents(after.opening_balance), balanceAfterMinor)
  }
})

test('consecutive statements tie, wherever time is cut, and balances are the fold of entries', async () => {
  const [first, last] = [history[0]!.timestamp - 2n, history.at(-1)!.timestamp + 2n]
  const moments = history.flatMap(({ timestamp }) => [timestamp - 1n, timestamp, timestamp + 1n])
  const cut = fc.oneof(fc.constantFrom(...moments), fc.bigInt({ min: first, max: last }))
  const whole = await stated(here, first, last)
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 4 }), async (cuts) => {
      const ends = [...new Set([first, ...cuts, last])].sort((a, b) => (a < b ? -1 : 1))
      const parts: Json[] = []
      for (const [index, to] of ends.entries()) {
        if (index > 0) parts.push(await stated(here, ends[index - 1]!, to))
      }
      assert.equal(
        parts.flatMap(({ entries }) => entries),
        whole.entries,
      )
      for (const [index, part] of parts.entries()) {
        const before = parts[index - 1]?.closing_balance ?? whole.opening_balance
        assert.is(part.opening_balance, before)
        const { balance } = await readWalletBalanceAt(world.deps, wallet, ends[index + 1]!)
        assert.is(cents(part.closing_balance), balance.postedMinor)
        assert.is(cents(part.held), balance.heldMinor)
        const changes = history.filter(({ timestamp }) => timestamp < ends[index + 1]!)
        const sum = changes.reduce((total, entry) => total + postedChangeMinor(entry), 0n)
        assert.is(balance.postedMinor, sum)
      }
      assert.is(parts.at(-1)!.closing_balance, whole.closing_balance)
    }),
    { numRuns: 12 },
  )
})

test('the balance at a moment: held is what had not run out', async () => {
  const at = async (moment: bigint | string) => {
    const { balance } = await readWalletBalanceAt(world.deps, wallet, BigInt(moment))
    return [balance.postedMinor, balance.heldMinor, balance.availableMinor]
  }
  const expiring = history.find(
    ({ phase, amountMinor }) => phase === 'pending' && amountMinor === 700n,
  )
  assert.ok(expiring)
  const deadline = expiring.timestamp + 1_000_000_000n
  assert.equal(await at(expiring.timestamp), [97_940n, 0n, 97_940n])
  assert.equal(await at(expiring.timestamp + 1n), [97_940n, 700n, 97_240n])
  const [, heldBefore = 0n] = await at(deadline)
  const [, heldAfter = 0n] = await at(deadline + 1n)
  assert.is(heldBefore - heldAfter, 700n)

  const shown = await must(ada.client.get(`/v1/wallets/${ada.walletId}/balance`), 200)
  const { posted, held, available } = shown
  const { balance } = await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)
  assert.equal({ posted, held, available }, balance)
  const early = await must(
    ada.client.get(`/v1/wallets/${ada.walletNumber}/balance?at=2020-01-01`),
    200,
  )
  assert.equal(early, {
    wallet_id: ada.walletId,
    currency: 'USD',
    at: '2020-01-01T00:00:00.000Z',
    posted: '0.00',
    held: '0.00',
    available: '0.00',
  })
})

test.run()
