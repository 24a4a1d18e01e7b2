import { createHash } from 'node:crypto'
import { ConfigError, loadConfig } from '../../server/config.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('settings')

const valid = {
  DATABASE_URL: 'postgres://kassa@127.0.0.1/kassa',
  TIGERBEETLE_ADDRESSES: '127.0.0.1:3001, 127.0.0.1:3002',
}

test('two addresses are enough', () => {
  const config = loadConfig(valid)
  assert.equal(config.tigerbeetleAddresses, ['127.0.0.1:3001', '127.0.0.1:3002'])
  assert.equal([config.host, config.port, config.bcryptCost], ['127.0.0.1', 4000, 12])
  assert.equal([config.defaultCurrency, config.ledgerDeadlineMs], ['USD', 5_000])
})

test('a session secret that is not given is another one each time', () => {
  const [first] = loadConfig(valid).sessionSecrets
  const [second] = loadConfig(valid).sessionSecrets
  assert.is.not(first, second)
})

test('a key for destinations that is not given is another one each time', () => {
  const [first] = loadConfig(valid).destinationKeys
  const [second] = loadConfig(valid).destinationKeys
  assert.is.not(first.id, second.id)
  assert.is(first.key.length, 32)
})

test('an empty variable counts as not set', () => {
  assert.is(loadConfig({ ...valid, PORT: '' }).port, 4000)
})

test('reconciliations have a schedule, or none', () => {
  const read = (text: string) => loadConfig({ ...valid, RECONCILE_CRON: text }).reconcileCron
  assert.equal([read(''), read('off')], ['7 * * * *', undefined])
  for (const cron of ['*/10 1-5,8 * 12 0', '0 3 1,15 * *']) assert.is(read(cron), cron)
})

/** 32 bytes in base64url. */
const key = 'k'.repeat(43)

test('keys for destinations are read, the newest first', () => {
  const { destinationKeys } = loadConfig({ ...valid, DESTINATION_KEYS: `b-2:${key}, a.1:${key}` })
  assert.equal(
    destinationKeys.map(({ id, key: bytes }) => [id, bytes.length]),
    [
      ['b-2', 32],
      ['a.1', 32],
    ],
  )
})

test('a key for evidence is 32 bytes or PKCS #8, and named by its public half', () => {
  // RFC 8032, 7.1, test 1.
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
  const publicKey = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
  const id = createHash('sha256').update(Buffer.from(publicKey, 'hex')).digest('hex').slice(0, 16)
  for (const text of [base64(seed), base64(`302e020100300506032b657004220420${seed}`)]) {
    assert.is(loadConfig({ ...valid, EVIDENCE_KEY: text }).evidenceKey?.id, id)
  }
  for (const text of [base64(publicKey), base64(`302a300506032b6570032100${publicKey}`)]) {
    const { evidencePublicKeys } = loadConfig({ ...valid, EVIDENCE_PUBLIC_KEYS: text })
    assert.equal(
      evidencePublicKeys.map((it) => it.id),
      [id],
    )
  }
  assert.is(loadConfig(valid).evidenceKey, undefined)
})

/** Settings that are refused, each by one problem that starts like this. */
const refused: [Record<string, string | undefined>, string][] = [
  [{ DATABASE_URL: undefined }, 'DATABASE_URL is not set'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must be a postgres:// URL'],
  [{ TIGERBEETLE_ADDRESSES: ' , ' }, 'TIGERBEETLE_ADDRESSES must have 1 to 6'],
  [
    { TIGERBEETLE_ADDRESSES: '127.0.0.1:3000,tigerbeetle' },
    'TIGERBEETLE_ADDRESSES must have 1 to 6',
  ],
  [{ RECONCILE_CRON: 'hourly' }, 'RECONCILE_CRON must be off or five fields'],
  [{ RECONCILE_CRON: '7 * * *' }, 'RECONCILE_CRON must be off or five fields'],
  [{ RECONCILE_CRON: '@daily' }, 'RECONCILE_CRON must be off or five fields'],
  [{ PORT: '65536' }, 'PORT must be'],
  [{ PORT: '-1' }, 'PORT must be'],
  [{ PORT: '80.5' }, 'PORT must be'],
  [{ BCRYPT_COST: '3' }, 'BCRYPT_COST must be'],
  [{ DEFAULT_CURRENCY: 'XXX' }, 'DEFAULT_CURRENCY must be a currency of ISO 4217'],
  [{ SESSION_SECRETS: 'short' }, 'SESSION_SECRETS must have'],
  [{ SESSION_SECRETS: `${'s'.repeat(32)},short` }, 'SESSION_SECRETS must have'],
  [{ OPERATOR_EMAIL: 'nobody' }, 'OPERATOR_EMAIL must be an e-mail'],
  [{ OPERATOR_PASSWORD: 'short' }, 'OPERATOR_PASSWORD must have 8 to 72 bytes'],
  [{ OPERATOR_PASSWORD: 'é'.repeat(37) }, 'OPERATOR_PASSWORD must have 8 to 72 bytes'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of fatal'],
  [{ DESTINATION_KEYS: key }, 'DESTINATION_KEYS must have keys'],
  [{ DESTINATION_KEYS: `a:${key}k` }, 'DESTINATION_KEYS must have keys'],
  [{ DESTINATION_KEYS: `a:${key.slice(1)}+` }, 'DESTINATION_KEYS must have keys'],
  [{ DESTINATION_KEYS: `a:${key},a:${key}` }, 'DESTINATION_KEYS must have keys'],
  [{ DESTINATION_KEYS: `a:${key},b` }, 'DESTINATION_KEYS must have keys'],
  [{ DESTINATION_KEYS: ' , ' }, 'DESTINATION_KEYS must have keys'],
  [{ EVIDENCE_KEY: 'short' }, 'EVIDENCE_KEY must be a private key'],
  [{ EVIDENCE_KEY: `${key}kk` }, 'EVIDENCE_KEY must be a private key'],
  [{ EVIDENCE_PUBLIC_KEYS: `${key},x` }, 'EVIDENCE_PUBLIC_KEYS must have public keys'],
  [{ NODE_ENV: 'production', DESTINATION_KEYS: `a:${key}` }, 'SESSION_SECRETS is not set'],
  [{ NODE_ENV: 'production', SESSION_SECRETS: 's'.repeat(32) }, 'DESTINATION_KEYS is not set'],
]
for (const [env, start] of refused) {
  test(`refuses ${JSON.stringify(env)}`, () => {
    try {
      loadConfig({ ...valid, ...env })
    } catch (error) {
      assert.instance(error, ConfigError)
      const { problems } = error as ConfigError
      assert.is(problems.length, 1)
      assert.ok(problems[0]?.startsWith(start), problems[0])
      return
    }
    assert.unreachable('it was taken')
  })
}

test.run()
