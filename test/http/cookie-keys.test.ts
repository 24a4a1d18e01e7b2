import { createCookieKeys } from '../../server/http/cookie-keys.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('cookie keys')

const older = 'a secret that has served its time'
const newer = 'a secret that has come in its place'

test('a signature is good for its data and its secret alone', () => {
  const keys = createCookieKeys([newer])
  const signature = keys.sign('kassa=1')
  assert.ok(keys.verify('kassa=1', signature))
  for (const [data, wrong] of [
    ['kassa=2', signature],
    ['kassa=1', `${signature}A`],
    ['kassa=1', signature.slice(1)],
    ['kassa=1', `${signature.slice(0, -2)}é`],
    ['kassa=1', ''],
    ['kassa=1', createCookieKeys([older]).sign('kassa=1')],
  ] as const) {
    assert.not.ok(keys.verify(data, wrong), `${data} ${wrong}`)
  }
})

test('the newest secret signs, older ones are still taken', () => {
  const signature = createCookieKeys([older]).sign('kassa=1')
  const rotated = createCookieKeys([newer, older])
  assert.is(rotated.index('kassa=1', signature), 1)
  assert.is(rotated.sign('kassa=1'), createCookieKeys([newer]).sign('kassa=1'))
  assert.is(rotated.index('kassa=1', rotated.sign('kassa=1')), 0)
})

test('without a secret there are no signatures', () => {
  assert.throws(() => createCookieKeys([]), /no secret/)
})

test.run()
