import { openLoop } from '../../scripts/bench/open-loop.ts'
import { requestAndAccept, transfer } from '../../scripts/bench/operations.ts'
import { median, percentile } from '../../scripts/bench/stats.ts'
import { createScript, pickPair } from '../../scripts/bench/workload.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('parts of the bench')

test('medians and percentiles', () => {
  assert.is(median([3, 1, 2]), 2)
  assert.is(median([4, 1, 2, 3]), 2.5)
  assert.is(Number.isNaN(median([])), true)
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.is(percentile(hundred, 50), 50)
  assert.is(percentile(hundred, 99), 99)
  assert.is(percentile([7], 99), 7)
})

test('a fixed rate sends all that is due, also while answers are missing', async () => {
  const waiting: ((succeeded: boolean) => void)[] = []
  const run = openLoop(
    { ratePerSecond: 1_000, seconds: 0.02 },
    () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        if (waiting.length === 20) for (const answer of waiting) answer(true)
      }),
  )
  const { failures, p50Ms } = await run
  assert.is(waiting.length, 20)
  assert.is(failures, 0)
  assert.ok(p50Ms >= 5, 'those that waited for the last one have waited')
})

test('what fails is counted', async () => {
  let sent = 0
  const { failures } = await openLoop({ ratePerSecond: 1_000, seconds: 0.01 }, async () => {
    sent += 1
    if (sent === 1) throw new Error('no answer')
    return sent > 3
  })
  assert.is(sent, 10)
  assert.is(failures, 3)
})

const people = { url: '', cookies: ['first', 'second'], wallets: ['0', '1', '2', '3'], hot: false }

test('each transfer has another key, two people, and the cookie of the payer', () => {
  const script = createScript({ ...people, operation: transfer })
  const keys = new Set<string>()
  for (let count = 0; count < 200; count += 1) {
    const { path, headers, body } = script.next()
    const { from_wallet_id, to_wallet_id } = JSON.parse(body)
    assert.is(path, '/v1/transfers')
    assert.is.not(from_wallet_id < '2', to_wallet_id < '2')
    assert.is(headers.cookie, from_wallet_id < '2' ? 'first' : 'second')
    keys.add(headers['idempotency-key']!)
    script.answered({ location: `/v1/transfers/${count}`, requestId: undefined })
    assert.is(pickPair({ ...people, hot: true }).from, 0)
  }
  assert.is(keys.size, 200)
})

test('a second request follows what the first has made, by the other of the two people', () => {
  const script = createScript({ ...people, operation: requestAndAccept })
  for (let count = 0; count < 50; count += 1) {
    const first = script.next()
    const { from_username, to_wallet_id } = JSON.parse(first.body)
    const payer = to_wallet_id < '2' ? 'second' : 'first'
    assert.is(from_username, payer === 'first' ? 'payer_0' : 'payer_1')
    assert.is.not(first.headers.cookie, payer)
    const requestId = first.headers['x-request-id']
    script.answered({ location: `/v1/payment-requests/${count}`, requestId })
    const second = script.next()
    assert.is(second.path, `/v1/payment-requests/${count}/accept`)
    assert.is(second.headers.cookie, payer)
    assert.is(JSON.parse(second.body).from_wallet_id < '2', payer === 'first')
    script.answered({ location: '/v1/transfers/7', requestId: 'x' })
  }
})

test.run()
