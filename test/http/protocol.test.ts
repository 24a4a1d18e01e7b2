import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Client } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type World } from '../lib/world.ts'

const test = suite('HTTP')
let world: World
let client: Client

test.before(async () => {
  world = await createWorld()
  client = world.client()
})
test.after(() => world.stop())

const json = { 'content-type': 'application/json' }
const signIn = '/v1/sessions'

interface Case {
  what: string
  method?: string
  path?: string
  headers?: Record<string, string>
  text?: string
  status: number
  code: string
}

/** What is wrong with a request, and how it is answered. */
const cases: Case[] = [
  { what: 'an unknown address', path: '/v1/nothing', status: 404, code: 'route_not_found' },
  { what: 'a slash too many', path: '/v1/users/', status: 404, code: 'route_not_found' },
  { what: 'other capitals', path: '/V1/users', status: 404, code: 'route_not_found' },
  { what: 'a method it has not', method: 'PUT', status: 405, code: 'method_not_allowed' },
  { what: 'no body', status: 422, code: 'invalid_request' },
  { what: 'no type', text: '{}', headers: {}, status: 415, code: 'unsupported_media_type' },
  {
    what: 'another type',
    text: '{}',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    what: 'form fields where there are none',
    path: '/v1/wallets',
    text: 'currency=EUR',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 401,
    code: 'not_signed_in',
  },
  { what: 'half a document', text: '{"email":', status: 400, code: 'malformed_body' },
  { what: 'an empty document', text: ' ', status: 400, code: 'malformed_body' },
  { what: 'a NUL', text: '{"email":"a\\u0000"}', status: 400, code: 'malformed_body' },
  { what: 'a NUL in a name', text: '{"a\\u0000":1}', status: 400, code: 'malformed_body' },
  { what: 'half a character', text: '{"email":"\\ud800"}', status: 400, code: 'malformed_body' },
  { what: 'deep nesting', text: '['.repeat(60_000), status: 400, code: 'malformed_body' },
  {
    what: 'deep nesting that is closed',
    text: '['.repeat(30_000) + ']'.repeat(30_000),
    status: 400,
    code: 'malformed_body',
  },
  {
    what: 'a field twice',
    text: 'email=a&email=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    status: 400,
    code: 'malformed_body',
  },
  {
    what: 'too long a body',
    text: `{"email":"${'x'.repeat(65_536)}"}`,
    status: 413,
    code: 'body_too_large',
  },
  {
    what: 'a name of the prototype',
    text: '{"__proto__":{"x":1},"email":"a","password":"b"}',
    status: 422,
    code: 'invalid_request',
  },
  {
    what: 'too long an Idempotency-Key',
    text: '{"email":"a","password":"b"}',
    headers: { ...json, 'idempotency-key': 'k'.repeat(256) },
    status: 422,
    code: 'invalid_request',
  },
]
for (const { what, method = 'POST', path = signIn, headers = json, text, status, code } of cases) {
  test(`${what}: ${status} ${code}`, async () => {
    const reply = await client.send(method, path, { headers, ...(text ? { text } : {}) })
    assert.is(reply.status, status)
    assert.is(reply.headers['content-type'], 'application/problem+json')
    const { type, title, request_id, ...problem } = reply.body
    assert.is(type, `urn:kassa:problem:${code}`)
    assert.ok(title.length > 0)
    assert.is(request_id, reply.headers['x-request-id'])
    assert.is(problem.status, status)
    assert.is(problem.code, code)
  })
}

test('405 tells the methods that there are, and OPTIONS too', async () => {
  const refused = await client.send('PATCH', '/v1/session')
  assert.equal(String(refused.headers.allow).split(', ').sort(), ['DELETE', 'GET', 'HEAD'])
  const options = await client.send('OPTIONS', '/v1/session')
  assert.is(options.status, 204)
  assert.is(options.headers.allow, refused.headers.allow)
})

test('HEAD answers as GET without the body', async () => {
  const head = await client.send('HEAD', '/livez')
  assert.is(head.status, 200)
  assert.is(head.text, '')
  assert.is(head.headers['content-length'], String('{"status":"ok"}'.length))
})

test('a body of exactly 64 KiB is read, compressed or not, and what unpacks to more is not', async () => {
  const pad = (bytes: number) => {
    const frame = '{"email":"","password":"x"}'
    return frame.replace('""', `"${'e'.repeat(bytes - frame.length)}"`)
  }
  const whole = await client.send('POST', signIn, { headers: json, text: pad(65_536) })
  assert.is(whole.body.code, 'invalid_request')
  const over = await client.send('POST', signIn, { headers: json, text: pad(65_537) })
  assert.is(over.body.code, 'body_too_large')
  const bomb = gzipSync('x'.repeat(10_000_000)).toString('latin1')
  assert.ok(bomb.length < 65_536)
  const packed = await sendRaw(
    `POST ${signIn} HTTP/1.1\r\nHost: kassa\r\nContent-Type: application/json\r\n` +
      `Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\nConnection: close\r\n\r\n${bomb}`,
  )
  assert.match(packed, /^HTTP\/1\.1 413 /)
})

test('a body that goes on and on is cut off', async () => {
  const answer = await sendRaw(
    `POST ${signIn} HTTP/1.1\r\nHost: kassa\r\nContent-Type: application/json\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n20000\r\n${'x'.repeat(0x20000)}\r\n`,
  )
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /connection: close/i)
})

/** The first line of a request that Node or Koa alone would answer without a problem document. */
const malformed: [line: string, status: number, code: string][] = [
  ['NONSENSE', 400, 'malformed_request'],
  ['FOO /livez HTTP/1.1', 400, 'malformed_request'],
  ['GET /livez HTTP/9.9', 400, 'malformed_request'],
  ['GET ? HTTP/1.1', 400, 'malformed_request'],
  ['GET http://[ HTTP/1.1', 400, 'malformed_request'],
  [`GET /${'x'.repeat(20_000)} HTTP/1.1`, 431, 'headers_too_large'],
  ['OPTIONS * HTTP/1.1', 404, 'route_not_found'],
  ['GET // HTTP/1.1', 404, 'route_not_found'],
  ['GET /% HTTP/1.1', 404, 'route_not_found'],
  ['GET /v1/users/%00 HTTP/1.1', 401, 'not_signed_in'],
  ['PROPFIND /livez HTTP/1.1', 405, 'method_not_allowed'],
]
for (const [line, status, code] of malformed) {
  test(`${line.slice(0, 30)}: ${status} ${code}`, async () => {
    const answer = await sendRaw(`${line}\r\nHost: kassa\r\nConnection: close\r\n\r\n`)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.ok(head.startsWith(`HTTP/1.1 ${status} `), head)
    assert.match(head, /\r\nContent-Type: application\/problem\+json/i)
    assert.is(JSON.parse(body).code, code)
  })
}

test('text that PostgreSQL cannot store is refused in the URL too', async () => {
  const operator = await world.operator()
  for (const path of ['/v1/users/%00', '/v1/users?email=%00']) {
    const refused = await operator.get(path)
    assert.is(refused.status, 422)
    assert.is(refused.body.code, 'invalid_request')
  }
})

test('of very many faults the first are told', async () => {
  const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}`, 1]))
  const refused = await client.post('/v1/users', fields)
  assert.is(refused.status, 422)
  assert.is(refused.body.errors.length, 20)
})

test('each field that is wrong is named', async () => {
  const reply = await client.post('/v1/users', { email: 5, username: 'A', 'x/~y': 1 })
  assert.equal(reply.body.errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
    '/email',
    '/password',
    '/username',
    '/x~1~0y',
  ])
  const told = new Map<string, string>(
    reply.body.errors.map((error: { pointer: string; message: string }) => [
      error.pointer,
      error.message,
    ]),
  )
  assert.is(told.get('/password'), 'is missing')
  assert.is.not(told.get('/email'), 'is missing')
})

test('a request id that is given comes back, another one is made up', async () => {
  const idOf = async (headers: Record<string, string>) =>
    String((await client.get('/livez', { headers })).headers['x-request-id'])
  assert.is(await idOf({ 'x-request-id': 'my-own.id_1' }), 'my-own.id_1')
  for (const bad of ['with space', 'x'.repeat(65), 'é', '"quoted"']) {
    assert.match(await idOf({ 'x-request-id': bad }), /^[0-9a-f-]{36}$/)
  }
  assert.is.not(await idOf({}), await idOf({}))
})

test('every response has the headers that keep browsers careful', async () => {
  for (const path of ['/livez', '/v1/session', '/nothing', '/docs']) {
    const { headers } = await client.get(path)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
    assert.is(headers['x-content-type-options'], 'nosniff')
    assert.is(headers['referrer-policy'], 'no-referrer')
  }
})

/** Sends bytes as they are and answers what comes back until the server closes the connection. */
function sendRaw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(world.url)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    received += chunk
  })
  socket.on('error', (error) => (received === '' ? reject(error) : resolve(received)))
  socket.on('close', () => resolve(received))
  socket.write(Buffer.from(bytes, 'latin1'))
  return promise
}

test.run()
