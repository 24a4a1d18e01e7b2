import { once } from 'node:events'
import { Readable } from 'node:stream'
import { createFewAtOnce } from '../../server/http/few-at-once.ts'
import { Refusal } from '../../server/refusals.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('how many downloads a caller has at once')

const isBusy = (error: unknown) => error instanceof Refusal && error.code === 'busy'

test('as many as are allowed, until they are read, given up or could not be made', async () => {
  const take = createFewAtOnce(2)
  const make = async () => ({ content: Readable.from(['a', 'b']) })
  const [first, second] = [await take('ada', make), await take('ada', make)]
  await assert.rejects(take('ada', make), isBusy)
  const other = await take('grace', make)
  assert.equal(await other.content.toArray(), ['a', 'b'], 'another caller has their own')

  assert.equal(await first.content.toArray(), ['a', 'b'])
  const third = await take('ada', make)
  await assert.rejects(take('ada', make), isBusy)
  const closed = once(second.content, 'close')
  second.content.destroy()
  await closed
  const failing = take('ada', () => Promise.reject(new Error('no wallet')))
  await assert.rejects(take('ada', make), isBusy, 'also while it is made')
  await assert.rejects(failing, /no wallet/)
  const fourth = await take('ada', make)
  await assert.rejects(take('ada', make), isBusy)
  for (const { content } of [third, fourth]) await content.toArray()
  assert.ok(await take('ada', make))
})

test.run()
