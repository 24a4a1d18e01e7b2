/** Destinations of withdrawals: encrypted at rest, shown masked, and encrypted anew when keys change. */
import { randomBytes } from 'node:crypto'
import { mintId } from '../../db/ids.ts'
import { findWithdrawalIntents, insertWithdrawal } from '../../db/withdrawals.ts'
import { createDestinations, maskDestination } from '../../server/destinations.ts'
import { rotateDestinations } from '../../server/flows/rotate-destinations.ts'
import { sameSession } from '../lib/http.ts'
import { assertRefused, fund } from '../lib/money.ts'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, destinationKeys, must, type World } from '../lib/world.ts'

const test = suite('destinations')

let world: World

test.before(async () => {
  world = await createWorld()
})
test.after(() => world.stop())

const drawKey = (id: string) => ({ id, key: randomBytes(32) })
const [older, newer] = [drawKey('2025'), drawKey('2026-é')]
const [id, otherId] = [mintId(), mintId()]
const iban = 'DE89 3704 0044 0532 0130 00'

test('what is encrypted can be decrypted, is another text each time, and has none of the text', () => {
  const destinations = createDestinations([newer, older])
  for (const text of ['x', iban, '支付宝 138', 'y'.repeat(500)]) {
    const [first, second] = [destinations.encrypt(id, text), destinations.encrypt(id, text)]
    assert.is(destinations.decrypt(id, first), text)
    assert.not.equal(first, second)
    assert.is(text.length > 1 && first.includes(text.slice(0, 4)), false)
    assert.equal(first.subarray(0, destinations.beginning.length), destinations.beginning)
  }
})

test('an older key still decrypts; without it, it is told which one is missing', () => {
  const stored = createDestinations([older]).encrypt(id, iban)
  assert.is(createDestinations([newer, older]).decrypt(id, stored), iban)
  assert.throws(() => createDestinations([newer]).decrypt(id, stored), /has no key 2025,/)
  const sameName = { ...newer, id: older.id }
  assert.throws(() => createDestinations([sameName]).decrypt(id, stored), /authenticate/)
})

test('what was changed, or belongs to another withdrawal, is not decrypted', () => {
  const destinations = createDestinations([newer])
  const stored = destinations.encrypt(id, iban)
  assert.throws(() => destinations.decrypt(otherId, stored), /authenticate/)
  for (let at = 0; at < stored.length; at += 1) {
    const changed = Buffer.from(stored)
    changed[at]! ^= 1
    assert.throws(() => destinations.decrypt(id, changed), /authenticate|has no key/, `byte ${at}`)
  }
  for (const length of [0, 1, 8, 20, stored.length - 1]) {
    assert.throws(() => destinations.decrypt(id, stored.subarray(0, length)))
  }
})

/** A destination, and what may be shown of it. */
const masks: [destination: string, hint: string][] = [
  [iban, '…3000'],
  ['4111111111111111', '…1111'],
  ['123456789012', '…012'],
  ['12345678', '…78'],
  ['1234', '…4'],
  ['123', '…'],
  ['x', '…'],
  ['😀😀😀😀😀😀😀😎', '…😀😎'],
]
for (const [destination, hint] of masks) {
  test(`of ${destination} no more than ${hint} is shown`, () => {
    assert.is(maskDestination(destination), hint)
  })
}

test('rotating keys: everything is encrypted with the newest, and the older one can go', async () => {
  const { db, config } = world.deps
  const [payer, bank] = await Promise.all([world.signUp(), world.paymentSystem()])
  const { id: paymentSystemId } = (await must(bank.get('/v1/session'), 200)).user
  await fund(bank, payer.walletId, '100.00')
  const order = { wallet_id: payer.walletId, amount: '1', payment_system: paymentSystemId }
  const withdrawal = await must(
    payer.client.post('/v1/withdrawals', { ...order, destination: iban }),
    201,
  )
  const others = Array.from({ length: 501 }, () => mintId())
  const { userId, walletId } = payer
  for (const operationId of others) {
    const destination = world.deps.destinations.encrypt(operationId, `to ${operationId}`)
    const what = { operationId, inputHash: 1, userId, walletId, paymentSystemId }
    await insertWithdrawal(db, { ...what, destination, destinationHint: '…' })
  }

  const rotated = `new:${newer.key.toString('base64url')}`
  const keys = `${rotated},${destinationKeys}`
  const rotate = async (DESTINATION_KEYS: string) => {
    const variables = { DATABASE_URL: config.databaseUrl, DESTINATION_KEYS }
    const script = startScript('rotate-destinations.ts', variables)
    return [await script.ended, script.output()]
  }
  assert.equal(await rotate(rotated), [
    1,
    'DESTINATION_KEYS has no key test, which a destination was encrypted with\n',
  ])
  assert.equal(await rotate(''), [1, 'DESTINATION_KEYS is not set.\n'])
  assert.equal(await rotate(keys), [0, '502 destinations are encrypted anew, with the key new.\n'])
  assert.equal(await rotate(keys), [0, '0 destinations are encrypted anew, with the key new.\n'])

  const destinations = createDestinations([{ ...newer, id: 'new' }])
  assert.is(await rotateDestinations({ db, destinations }), 0)
  for (const { operationId, destination } of await findWithdrawalIntents(db, others)) {
    assert.is(destinations.decrypt(operationId, destination), `to ${operationId}`)
  }
  const path = `/v1/withdrawals/${withdrawal.id}/take`
  const [without, kassa] = await Promise.all([
    bank.send('POST', path),
    world.startAnother({ env: { DESTINATION_KEYS: rotated } }),
  ])
  assertRefused(without, 500, 'internal_error')
  const at = world.client(kassa.url)
  sameSession(bank, at)
  assert.is((await must(at.send('POST', path), 200)).destination, iban)
})

test.run()
