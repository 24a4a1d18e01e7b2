import { z } from 'zod'
import { parseInput } from '../../server/http/input.ts'
import { parseJson, textOrNumber } from '../../server/http/json.ts'
import { Refusal } from '../../server/refusals.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('What is wrong with a request')

const body = z.strictObject({
  amount: textOrNumber,
  atomic: z.boolean(),
  basis_points: z.int().min(1).max(100),
  items: z.array(z.string().min(2).max(3)).min(1).max(2),
  order: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('reward') }),
    z.object({ kind: z.enum(['settlement', 'prefunding']) }),
  ]),
  state: z.enum(['open', 'closed']),
})
const right =
  '{"amount": 1.50, "atomic": true, "basis_points": 7, "items": ["ab"], "order": {"kind": "reward"}, "state": "open"}'

/** What is told of a field when it has another value than the right one. */
function tell(field: string, value: string | undefined): string {
  const sent = parseJson(right) as Record<string, unknown>
  if (value === undefined) delete sent[field]
  else sent[field] = parseJson(value)
  try {
    parseInput(body, sent)
  } catch (error) {
    assert.instance(error, Refusal)
    const errors = (error as Refusal).options.errors ?? []
    return errors.map(({ pointer, message }) => `${pointer} ${message}`).join(', ')
  }
  return 'nothing'
}

const kinds = '"reward" or "settlement" or "prefunding"'
const faults: [field: string, value: string | undefined, told: string][] = [
  ['atomic', 'true', 'nothing'],
  ...Object.keys(body.shape).map((field): [string, undefined, string] => [
    field,
    undefined,
    `/${field} is missing`,
  ]),
  ['amount', 'true', '/amount must be a string or a number'],
  ['atomic', '"yes"', '/atomic must be true or false'],
  ['basis_points', '"7"', '/basis_points must be a whole number'],
  ['basis_points', '7.5', '/basis_points must be a whole number'],
  ['basis_points', '101', '/basis_points must be at most 100'],
  ['basis_points', '0', '/basis_points must be at least 1'],
  ['items', '{}', '/items must be a list'],
  ['items', '[]', '/items must not be empty'],
  ['items', '["ab", "cd", "ef"]', '/items must have at most 2 items'],
  [
    'items',
    '["a", "abcd"]',
    '/items/0 must have at least 2 characters, /items/1 must have at most 3 characters',
  ],
  ['items', '[7]', '/items/0 must be a string'],
  ['order', '7', '/order must be an object'],
  ['order', '{"kind": "gift"}', `/order/kind must be ${kinds}`],
  ['state', '"shut"', '/state must be "open" or "closed"'],
  ['more', '1', '/more is not known here'],
]

test('is told in the words of what it has to be', () => {
  for (const [field, value, told] of faults) assert.is(tell(field, value), told)
})

test.run()
