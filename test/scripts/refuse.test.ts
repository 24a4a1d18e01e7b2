import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('what npm start refuses')

let folder = ''
let dataDir = ''
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa refuses '))
  dataDir = join(folder, 'data dir')
})
test.after.each(() => rm(folder, { recursive: true }))

/** With these variables it ends with 1 and has written this and nothing else. */
async function refuses(variables: NodeJS.ProcessEnv, expected: string | RegExp): Promise<void> {
  const script = startScript('start.ts', { DATA_DIR: dataDir, PORT: '0', ...variables })
  assert.is(await script.ended, 1, script.output())
  if (typeof expected === 'string') assert.is(script.output(), `${expected}\n`)
  else assert.match(script.output(), expected)
}

test('tells all wrong settings at once', async () => {
  await refuses(
    { PORT: 'x', BCRYPT_COST: '99', DATABASE_URL: 'mysql://x', OPERATOR_PASSWORD: 'short' },
    /^The settings need a change:\n {2}PORT must be.*\n {2}DATABASE_URL must be.*\n {2}BCRYPT_COST must be.*\n {2}OPERATOR_PASSWORD must.*\n$/,
  )
  assert.equal(await readdir(folder), [])
})

test('refuses to start servers of its own in production', async () => {
  await refuses(
    { NODE_ENV: 'production' },
    /^The settings need a change:\n( {2}(DATABASE_URL|TIGERBEETLE_ADDRESSES|SESSION_SECRETS|DESTINATION_KEYS) is not set.*\n){4}$/,
  )
  assert.equal(await readdir(folder), [])
})

test('tells that the port is busy', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? String(address?.port) : ''
  await refuses(
    { PORT: port },
    `Port ${port} of 127.0.0.1 is in use. Stop what listens there, or set PORT to another.`,
  )
  server.close()
})

test('tells that the host is not of this machine', async () => {
  await refuses({ HOST: '192.0.2.1' }, /^Cannot listen on 192\.0\.2\.1 .*\n$/)
})

test('tells that the data folder cannot be written', async () => {
  await writeFile(join(folder, 'file'), '')
  dataDir = join(folder, 'file', 'data')
  await refuses(
    {},
    `Cannot write to the data folder ${dataDir} (ENOTDIR). ` +
      'Make it writable, or choose another one with DATA_DIR.',
  )
})

test('tells that the data folder is half of one', async () => {
  await mkdir(join(dataDir, 'postgres/cluster'), { recursive: true })
  await refuses(
    {},
    `${dataDir}/postgres is not a complete PostgreSQL folder (password is missing). Restore it ` +
      'from a backup, or move it away to start with an empty one.',
  )
})

test('tells that nothing answers at a given address', async () => {
  await refuses({ DATABASE_URL: 'postgres://127.0.0.1:1/kassa' }, 'Nothing answers at 127.0.0.1:1.')
})

test('tells that TIGERBEETLE_BINARY is not a program', async () => {
  await refuses(
    { TIGERBEETLE_BINARY: join(folder, 'missing') },
    `TIGERBEETLE_BINARY is ${join(folder, 'missing')}, which is not a program that can be run.`,
  )
})

test.run()
