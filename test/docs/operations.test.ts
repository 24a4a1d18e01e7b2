import { ConfigError, loadConfig } from '../../server/config.ts'
import { ledgerBreakKinds } from '../../server/reconciliation/ledger-break-kinds.ts'
import { recordBreakKinds } from '../../server/reconciliation/records/kinds.ts'
import { statementBreakKinds } from '../../server/reconciliation/statement-breaks.ts'
import { readDocument } from '../lib/examples.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('docs/operations.md')

test('explains each setting of the server, with its default', async () => {
  const document = await readDocument('docs/operations.md')
  const source = await readDocument('server/config.ts')
  const names = [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map(([, name]) => name)
  assert.ok(names.length > 20)
  const rows = [...document.matchAll(/^\| `([A-Z_]+)` \| (.*?) \|/gm)]
  const documented = new Map(rows.map(([, name, value]) => [name, value]))
  for (const name of names) assert.ok(documented.has(name), `${name} is not documented`)

  // A default that is given as the value changes nothing.
  const required = {
    DATABASE_URL: 'postgres://127.0.0.1/kassa',
    TIGERBEETLE_ADDRESSES: '127.0.0.1:3000',
    SESSION_SECRETS: 'x'.repeat(32),
    DESTINATION_KEYS: `x:${'k'.repeat(43)}`,
  }
  const defaults = names.flatMap((name = '') => {
    const value = /^`(.*)`$/.exec(documented.get(name) ?? '')?.[1]
    return value === undefined || name in required ? [] : [[name, value]]
  })
  assert.ok(defaults.length > 15)
  assert.equal(loadConfig({ ...required, ...Object.fromEntries(defaults) }), loadConfig(required))
})

test('tells cause and remedy of each kind of break as the program does', async () => {
  const document = await readDocument('docs/operations.md')
  const [, section = ''] = document.split('\n### Kinds of breaks\n')
  const tables = section.split('\n## ')[0]?.split('\n#### ').slice(1) ?? []
  const told = tables.map((table) => {
    const rows = [...table.matchAll(/^\| `([a-z_]+)` \| (.*?) \| (.*?) \|$/gm)]
    return Object.fromEntries(rows.map(([, kind, cause, remedy]) => [kind, { cause, remedy }]))
  })
  assert.equal(told, [ledgerBreakKinds, recordBreakKinds, statementBreakKinds])
})

test('what it says to be refused in production is refused', () => {
  assert.throws(
    () => loadConfig({ NODE_ENV: 'production' }),
    (error: unknown) => {
      assert.instance(error, ConfigError)
      return (error as ConfigError).problems.length === 4
    },
  )
})

test.run()
