import { icon } from '../../server/pages/assets.ts'
import { routes } from '../../server/routes/index.ts'
import type { Json } from '../lib/http.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type World } from '../lib/world.ts'

const test = suite('OpenAPI')
let world: World
let document: Json

test.before(async () => {
  world = await createWorld()
  document = await must(world.client().get('/openapi.json'), 200)
})
test.after(() => world.stop())

const operations = (): Json[] =>
  Object.values<Json>(document.paths).flatMap((path) => Object.values<Json>(path))

test('has every route that is not hidden, and none that is', () => {
  const told = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const meant = routes
    .filter(({ spec }) => !spec.hidden)
    .map(({ spec: { method, path } }) => `${method} ${path}`)
  assert.equal(told.sort(), meant.sort())
  assert.match(document.openapi, /^3\.1\./)
})

test('every reference leads somewhere, and every component is used', () => {
  const text = JSON.stringify(document)
  const references = new Set(
    [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  )
  assert.equal([...references].sort(), Object.keys(document.components.schemas).sort())
  assert.not.ok(text.includes('#/$defs/'))
})

test('operations have unique names, and parameters that their path has', () => {
  const names = operations().map(({ operationId }) => operationId)
  assert.is(new Set(names).size, names.length)
  for (const [path, methods] of Object.entries<Json>(document.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const { parameters } of Object.values<Json>(methods)) {
      const told = parameters.filter((parameter: Json) => parameter.in === 'path')
      assert.equal(
        told.map(({ name }: Json) => name),
        inPath,
      )
      assert.ok(told.every(({ required }: Json) => required === true))
    }
  }
})

test('an amount may be a string or a number, and what needs a session says so', () => {
  const { post } = document.paths['/v1/transfers']
  const { amount } = post.requestBody.content['application/json'].schema.properties
  assert.equal(
    amount.anyOf.map(({ type }: Json) => type),
    ['string', 'integer', 'number'],
  )
  assert.equal(post.security, [{ session: [] }, { basic: [] }])
  assert.equal(document.paths['/livez'].get.security, [])
  const codes = post.responses['422'].content['application/problem+json'].schema.properties.code
  assert.ok(codes.enum.includes('insufficient_funds'))
})

test('the page loads its script from here and nothing from elsewhere', async () => {
  const client = world.client()
  const page = await client.get('/docs')
  assert.is(page.status, 200)
  assert.match(String(page.headers['content-type']), /^text\/html/)
  const sources = [...page.text.matchAll(/(?:src|href|data-url)="([^"]*)"/g)].map(([, at]) => at)
  assert.equal(sources, [icon.address, '/openapi.json', '/docs/reference.js'])
  const script = await client.get('/docs/reference.js')
  assert.is(script.status, 200)
  assert.match(String(script.headers['content-type']), /^text\/javascript/)
  assert.ok(script.text.length > 1_000_000)
})

test.run()
