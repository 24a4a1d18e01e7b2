import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, suite } from '../lib/suite.ts'
import { inspectFolder, LedgerProcess } from './lib/ledger-process.ts'

const test = suite('the command line of the embedded ledger')
let folder: string

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa-cli-'))
})
test.after.each(() => rm(folder, { recursive: true }))

/** What it says when it does not start. */
async function refusal(args: readonly string[]): Promise<string> {
  const started = await LedgerProcess.run(args).catch((error: Error) => error.message)
  if (typeof started === 'string') return started
  await started.end('SIGTERM')
  throw new Error(`it started with ${args.join(' ')}`)
}

const wrong: readonly (readonly [
  name: string,
  args: (folder: string) => string[],
  says: RegExp,
])[] = [
  ['no folder', () => ['--address', '127.0.0.1:0'], /^ledger: --data is missing\nUsage:/],
  ['a wrong address', (f) => ['--address', '3000x', '--data', f], /3000x is not HOST:PORT\n$/],
  ['an unknown option', (f) => ['--dta', f], /^ledger: Unknown option '--dta'/],
  ['another word', (f) => ['repair', '--data', f], /^ledger: Usage:/],
  [
    'another durability',
    (f) => ['--data', f, '--durability', 'some'],
    /^ledger: --durability is fsync or none, not some\n$/,
  ],
  [
    'a file where the folder should be',
    (f) => ['--data', join(f, 'file')],
    /\nledger: EEXIST: file already exists, mkdir '.*file'\n$/,
  ],
]
for (const [name, args, says] of wrong) {
  test(`${name} is told in a line`, async () => {
    await writeFile(join(folder, 'file'), '')
    assert.match(await refusal(args(folder)), says)
  })
}

test('a port in use is told in a line, and the folder stays as it was', async () => {
  const first = await LedgerProcess.start(join(folder, 'a'))
  const second = ['--address', first.address, '--data', join(folder, 'b')]
  assert.match(await refusal(second), /\nledger: listen EADDRINUSE: .*\n$/)
  assert.is(await first.end('SIGTERM'), 0)
  const again = await LedgerProcess.start(join(folder, 'b'))
  assert.is(await again.end('SIGTERM'), 0)
})

test('damage is told with file and byte, by the server and by inspect', async () => {
  const ledger = await LedgerProcess.start(folder)
  assert.is(await ledger.end('SIGTERM'), 0)
  const path = join(folder, 'journal-00000001')
  const bytes = await readFile(path)
  bytes[20]! ^= 1
  await writeFile(path, bytes)
  const says = /ledger: journal-00000001 is damaged at byte 112: .*checksum.*\n$/
  assert.match(await refusal(['--address', '127.0.0.1:0', '--data', folder]), says)
  const { code, text } = await inspectFolder(folder)
  assert.is(code, 1)
  assert.match(text, says)
})

test('inspect of a folder without a ledger says so', async () => {
  const empty = join(folder, 'empty')
  await mkdir(empty)
  const { code, text } = await inspectFolder(empty)
  assert.is(code, 1)
  assert.match(text, /^there is no ledger in .*empty\n$/)
  assert.match((await inspectFolder(join(folder, 'none'))).text, /ENOENT/)
})

test('with durability none it says so and leaves no file', async () => {
  const data = join(folder, 'none')
  const ledger = await LedgerProcess.run([
    ...['--address', '127.0.0.1:0', '--data', data],
    ...['--durability', 'none', '--exit-with-stdin'],
  ])
  assert.match(ledger.said, /durability none: all data is in memory only/)
  assert.is(await ledger.end('stdin'), 0)
  assert.match((await inspectFolder(data)).text, /ENOENT/)
})

test.run()
