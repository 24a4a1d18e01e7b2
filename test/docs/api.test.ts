import { problemKinds } from '../../server/http/errors.ts'
import { routes } from '../../server/routes/index.ts'
import { createBindings, readDocument } from '../lib/examples.ts'
import type { Client } from '../lib/http.ts'
import { madeUp, passOf, record } from '../lib/recorded.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('docs/api.md')
let world: World

test.before(async () => {
  world = await createWorld()
  await record(world, statementPass)
})
test.after(() => world.stop())

/** What the examples show of a comparison with a bank's statement. */
const line = madeUp('DE02120300000000202051/A-17', {
  kind: 'bank_only',
  statementLines: ['A-17'],
  currency: 'USD',
  found: 950n,
  since: new Date('2026-11-27'),
  detail: 'november.csv:18, 9.50 USD of 2026-11-27 (A-17): the ledger has nothing of it.',
})
const amounts = { bank: 512735n, ledger: 511785n, 'bank only': 950n }
const statementPass = {
  ...passOf([line], {
    counts: { statements: 1, lines: 41, entries: 40 },
    totals: [{ currency: 'USD', amounts }],
  }),
  name: 'statement',
}

const document = await readDocument('docs/api.md')

test('has a section for each route, and for no other', () => {
  const documented = [...document.matchAll(/^#+ `([A-Z]+ \/\S+)`$/gm)].map(([, route]) => route)
  const existing = routes
    .filter(({ spec }) => !spec.hidden)
    .map(({ spec: { method, path } }) => `${method} ${path}`)
  assert.equal(documented.toSorted(), existing.toSorted())
})

test('names each section at its head', () => {
  const [head = ''] = document.split(/^## /m)
  const sections = [...document.matchAll(/^## (.+)$/gm)].map(([, title]) => title)
  const named = [...head.matchAll(/\[([^\]]+)\]\(#/g)].map(([, title]) => title)
  assert.equal(named, sections)
})

test('lists each refusal with its status and title', () => {
  const rows = [...document.matchAll(/^\| `(\w+)` \| (\d+) \| (.*) \|$/gm)].map(
    ([, code, status, title]) => [code, { status: Number(status), title }],
  )
  assert.equal(Object.fromEntries(rows), problemKinds)
})

/** A request by somebody, and the reply when it is shown. */
const example = /```http (\w+)\n([\s\S]*?)```\n(?:\n```http\n([\s\S]*?)```\n)?/g

test('its examples answer what it shows', async () => {
  const clients = new Map<string, Client>([
    ['bank', await world.paymentSystem()],
    ['operator', await world.operator()],
  ])
  const bindings = createBindings()
  const examples = [...document.matchAll(example)]
  assert.ok(examples.length > 20)
  for (const [, actor = '', request = '', reply] of examples) {
    const client = clients.get(actor) ?? world.client()
    clients.set(actor, client)
    const sent = readMessage(bindings.resolve(request))
    const [method = '', path = ''] = sent.start.split(' ')
    const headers = { 'content-type': 'application/json', ...sent.headers }
    const answer = await client.send(method, path, {
      headers,
      ...(sent.body === '' ? {} : { text: sent.body }),
    })
    if (reply === undefined) {
      assert.ok(answer.status < 300, answer.text)
      continue
    }
    const shown = readMessage(reply)
    assert.is(String(answer.status), shown.start.split(' ')[1], `${sent.start}: ${answer.text}`)
    for (const [name, value] of Object.entries(shown.headers)) {
      assert.is(answer.headers[name.toLowerCase()], value)
    }
    bindings.match(shown.body, answer.text, sent.start)
  }
})

/** A request or reply as HTTP/1.1 writes it. */
function readMessage(text: string): {
  start: string
  headers: Record<string, string>
  body: string
} {
  const [head = '', ...body] = text.trim().split('\n\n')
  const [start = '', ...lines] = head.split('\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  return { start, headers, body: body.join('\n\n') }
}

test.run()
