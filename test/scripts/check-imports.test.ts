import { fileURLToPath } from 'node:url'
import { checkFile, checkProject } from '../../scripts/check-imports.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('import rules')

/** A file with one line, and whether that line breaks a rule. */
const table: [path: string, line: string, breaks: boolean][] = [
  ['accounting/client.ts', `import { createClient } from 'tigerbeetle-node'`, false],
  ['server/flows/send.ts', `import { createClient } from 'tigerbeetle-node'`, true],
  ['server/flows/send.ts', `import type { Client } from 'tigerbeetle-node'`, true],
  ['server/flows/send.ts', `const tb = await import('tigerbeetle-node')`, true],
  ['server/flows/send.ts', `let tb: import('tigerbeetle-node').Client`, true],
  ['server/flows/send.ts', `export { Client } from 'tigerbeetle-node/dist'`, true],
  ['db/users.ts', `import { sql } from 'kysely'`, false],
  ['server/main.ts', `import pg from 'pg'`, true],
  ['server/flows/send.ts', `import { jsonArrayFrom } from 'kysely/helpers/postgres'`, true],
  ['accounting/client.ts', `import pg from 'pg'`, true],
  ['server/http/body.ts', `import type { Context } from 'koa'`, false],
  ['server/app.ts', `import Router from '@koa/router'`, false],
  ['server/flows/send.ts', `import type { Context } from 'koa'`, true],
  ['server/sessions.ts', `import session from 'koa-session'`, true],
  ['accounting/a.ts', `import { x } from '../db/users.ts'`, true],
  ['accounting/a.ts', `import type { X } from '../db/users.ts'`, true],
  ['accounting/a.ts', `import { x } from '../server/config.ts'`, true],
  ['accounting/a.ts', `import { x } from './ids.ts'`, false],
  ['db/a.ts', `import { x } from '../accounting/ids.ts'`, true],
  ['db/migrations/a.ts', `import { x } from '../schema.ts'`, false],
  ['server/flows/a.ts', `import { x } from '../../accounting/transfers.ts'`, false],
  ['server/flows/a.ts', `import { x } from '../../db/users.ts'`, false],
  ['server/flows/a.ts', `import { x } from '../http/body.ts'`, true],
  ['server/flows/a.ts', `import { x } from '../routes/index.ts'`, true],
  ['server/routes/a.ts', `import { x } from '../flows/send.ts'`, false],
  ['server/routes/a.ts', `import { x } from '../../accounting/transfers.ts'`, true],
  ['server/routes/a.ts', `import { x } from '../../db/users.ts'`, true],
  ['server/routes/a.ts', `import { y, type X } from '../../db/users.ts'`, true],
  ['server/routes/a.ts', `import type { X } from '../../db/users.ts'`, false],
  ['server/routes/a.ts', `import { type X } from '../../db/users.ts'`, false],
  ['server/routes/a.ts', `import { kinds } from '../../accounting/chart.ts'`, false],
  ['server/main.ts', `import { x } from '../embedded/postgres.ts'`, true],
  ['scripts/start.ts', `import { x } from '../embedded/postgres.ts'`, true],
  ['scripts/with-servers.ts', `import { x } from '../embedded/postgres.ts'`, false],
  ['embedded/postgres.ts', `import { x } from '../db/database.ts'`, true],
  ['embedded/ledger/main.ts', `import { x } from '../../accounting/ids.ts'`, true],
  ['server/main.ts', `import { x } from '../test/lib/world.ts'`, true],
  ['scripts/start.ts', `import { x } from '../test/lib/world.ts'`, true],
  ['web/app.js', `import { x } from '../server/config.ts'`, true],
  ['test/http/a.test.ts', `import { suite } from 'uvu'`, true],
  ['test/http/a.test.ts', `import * as assert from 'uvu/assert'`, true],
  ['server/main.ts', `import fs from 'fs'`, true],
  ['server/main.ts', `import fs from 'node:fs'`, false],
  ['server/main.ts', `await import(name)`, true],
  ['server/config.ts', `const url = process.env.DATABASE_URL`, false],
  ['scripts/start.ts', `const url = process.env.DATABASE_URL`, false],
  ['server/main.ts', `const url = process.env.DATABASE_URL`, true],
  ['server/main.ts', `const url = globalThis.process['env'].DATABASE_URL`, true],
  ['server/main.ts', `const { env } = process`, true],
  ['server/main.ts', `const { env: settings } = process`, true],
  ['server/main.ts', `import { env } from 'node:process'`, true],
  ['server/main.ts', `const url = config.env`, false],
]

for (const [path, line, breaks] of table) {
  test(`${breaks ? 'refuses' : 'allows'} in ${path}: ${line}`, () => {
    const problems = checkFile(path, `// first line\n${line}\n`)
    assert.is(problems.length, breaks ? 1 : 0, problems.join('\n'))
    if (breaks) assert.match(problems[0] ?? '', `${path}:2 `)
  })
}

test('the project keeps them', async () => {
  const { files, problems } = await checkProject(fileURLToPath(new URL('../..', import.meta.url)))
  assert.equal(problems, [])
  assert.ok(files > 50)
})

test.run()
