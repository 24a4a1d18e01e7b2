import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../lib/suite.ts'

const test = suite('setup')
const root = fileURLToPath(new URL('../..', import.meta.url))

/** A project folder with the setup script, and an npm that installs what the lockfile lists. */
let folder = ''
test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa setup '))
  await mkdir(join(folder, 'scripts'))
  await copyFile(join(root, 'scripts/setup.mjs'), join(folder, 'scripts/setup.mjs'))
  await writeFile(join(folder, 'npm.mjs'), fakeNpm)
  await lock({ 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } })
})
test.after.each(() => rm(folder, { recursive: true }))

const fakeNpm = `
import { appendFileSync, copyFileSync, mkdirSync, rmSync } from 'node:fs'
appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
if (process.env.BREAK) process.exit(7)
rmSync('node_modules', { recursive: true, force: true })
await new Promise((resolve) => setTimeout(resolve, 300))
mkdirSync('node_modules/.bin', { recursive: true })
copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
`

function lock(packages: object): Promise<void> {
  const text = JSON.stringify({ packages: { '': {}, ...packages } })
  return writeFile(join(folder, 'package-lock.json'), text)
}

function setup(
  variables: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(folder, 'scripts/setup.mjs')], {
    env: { PATH: process.env.PATH, npm_execpath: join(folder, 'npm.mjs'), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

async function installs(): Promise<number> {
  const calls = await readFile(join(folder, 'calls'), 'utf8').catch(() => '')
  return calls.split('\n').filter((line) => line.startsWith('ci ')).length
}

test('installs once, then has nothing to do and says nothing', async () => {
  const first = await setup()
  assert.is(first.code, 0)
  assert.match(first.output, /^Installing what package-lock.json lists.*\nInstalled in \d+ s\.\n$/)
  assert.equal(await setup(), { code: 0, output: '' })
  assert.is(await installs(), 1)
})

test('installs again when the lockfile has changed', async () => {
  await setup()
  await lock({ 'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' } })
  await setup()
  await lock({
    'node_modules/a': { version: '1.0.1', integrity: 'sha512-b' },
    'node_modules/b': { version: '2.0.0', integrity: 'sha512-c' },
  })
  await setup()
  assert.equal(await setup(), { code: 0, output: '' })
  assert.is(await installs(), 3)
})

test('installs again after an installation that broke off', async () => {
  await mkdir(join(folder, 'node_modules/a'), { recursive: true })
  await setup()
  assert.is(await installs(), 1)
})

test('misses neither packages of other platforms nor, in production, those for development', async () => {
  await setup()
  await lock({
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/elsewhere': { version: '1.0.0', optional: true, os: ['sunos'] },
    'node_modules/dev': { version: '1.0.0', dev: true },
  })
  assert.is((await setup({ NODE_ENV: 'production' })).output, '')
  assert.is(await installs(), 1)
  await setup()
  assert.is(await installs(), 2)
})

test('of several at once one installs and the others wait', async () => {
  const outcomes = await Promise.all([setup(), setup(), setup(), setup()])
  assert.equal(
    outcomes.map(({ code }) => code),
    [0, 0, 0, 0],
  )
  assert.is(await installs(), 1)
})

test('is not held up by the lock of one that was killed', async () => {
  const killed = spawn(process.execPath, ['--eval', ''])
  await new Promise((resolve) => killed.once('close', resolve))
  await writeFile(join(folder, '.setup.lock'), String(killed.pid))
  const { code } = await setup()
  assert.is(code, 0)
  assert.is(await installs(), 1)
})

test('makes the command node where npm has left it out', async () => {
  await setup()
  const node = `node-${process.platform}-${process.arch}/bin/node`
  await mkdir(join(folder, 'node_modules', node, '..'), { recursive: true })
  await writeFile(join(folder, 'node_modules', node), '')
  assert.equal(await setup(), { code: 0, output: '' })
  assert.equal(await setup(), { code: 0, output: '' })
  assert.is(await readlink(join(folder, 'node_modules/.bin/node')), `../${node}`)
})

test('fails clearly when npm fails', async () => {
  const { code, output } = await setup({ BREAK: '1' })
  assert.is(code, 1)
  assert.match(output, 'npm ci failed (exit 7): see above, and try again.\n')
})

test('the lockfile lists every platform of every package, or npm ci refuses it', async () => {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  const missing = Object.entries<{ optionalDependencies?: object }>(packages).flatMap(
    ([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
  )
  assert.equal(missing, [])
})

test.run()
