import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../lib/suite.ts'

const test = suite('guarded suite')
const library = fileURLToPath(new URL('../lib/suite.ts', import.meta.url))

let folder = ''
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa-suite-'))
})
test.after(() => rm(folder, { recursive: true }))

interface Outcome {
  code: number | null
  output: string
  counts: { passed: number; failed: number }
}

/** Runs a test file with this text. */
async function run(text: string): Promise<Outcome> {
  const file = join(folder, 'planted.test.ts')
  const report = join(folder, 'report.json')
  await writeFile(file, `import { assert, suite } from ${JSON.stringify(library)}\n${text}\n`)
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, TEST_REPORT: report },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  const counts = JSON.parse(await readFile(report, 'utf8'))
  await rm(report)
  return { code, output, counts }
}

test('a good file passes and counts', async () => {
  const { code, counts } = await run(`
    const test = suite('good')
    const order: string[] = []
    test.before(async () => void order.push('before'))
    test.before.each(() => void order.push('before each'))
    test.after.each(() => void order.push('after each'))
    test.after(() => assert.equal(order, ['before', 'before each', 'one', 'after each',
      'before each', 'two', 'after each']))
    test('one', () => void order.push('one'))
    test('two', async () => void order.push('two'))
    test.run()
    const second = suite('second')
    second('three', async () => {
      assert.not.throws(() => 1)
      await assert.rejects(Promise.reject(new Error('no')), /no/)
    })
    second.run()`)
  assert.is(code, 0)
  assert.equal(counts, { passed: 3, failed: 0 })
})

/** What uvu alone lets through, and the words in which the guard reports it. */
const traps: [name: string, text: string, words: RegExp][] = [
  ['a failing test', `test('a', () => assert.is(1, 2)); test.run()`, /Expected values/],
  [
    'a throwing before',
    `test.before(() => { throw new Error('x1') }); test('a', () => {}); test.run()`,
    /before hook threw.*x1/,
  ],
  [
    'a rejecting before',
    `test.before(async () => { throw new Error('x2') }); test('a', () => {}); test.run()`,
    /before hook threw.*x2/,
  ],
  [
    'a throwing after',
    `test.after(() => { throw new Error('x3') }); test('a', () => {}); test.run()`,
    /after hook threw.*x3/,
  ],
  [
    'a throwing before.each',
    `test.before.each(() => { throw new Error('x4') }); test('a', () => {}); test.run()`,
    /x4/,
  ],
  [
    'a throwing after.each',
    `test.after.each(() => { throw new Error('x5') }); test('a', () => {}); test.run()`,
    /after.each hook threw.*x5/,
  ],
  ['a suite that is not run', `test('a', () => {})`, /run\(\) was never called/],
  [
    'one of two suites not run',
    `test('a', () => {}); test.run(); suite('other')('b', () => {})`,
    /other: run\(\) was never called/,
  ],
  ['a test added after run()', `test.run(); test('a', () => {})`, /added to after run/],
  ['a suite without tests', `test.run()`, /no tests/],
  [
    'not.throws on an async function',
    `test('a', () => assert.not.throws(async () => { throw new Error('x') })); test.run()`,
    /cannot judge an async function/,
  ],
  [
    'rejects on what does not reject',
    `test('a', () => assert.rejects(Promise.resolve(1))); test.run()`,
    /expected a rejection/,
  ],
  [
    'rejects with another error',
    `test('a', () => assert.rejects(Promise.reject(new Error('one')), /two/)); test.run()`,
    /one/,
  ],
  [
    'an open handle',
    `test('a', () => void setInterval(() => {}, 1000)); test.run()`,
    /still open after the last test/,
  ],
  [
    'an open server',
    `import { createServer } from 'node:net'\ntest('a', () => void createServer().listen(0)); test.run()`,
    /still open.*TCPServerWrap/,
  ],
  [
    'a promise that nobody settles',
    `test('a', () => new Promise(() => {})); test.run()`,
    /ended before it finished/,
  ],
  [
    'an early exit with 0',
    `test('a', () => process.exit(0)); test.run()`,
    /ended before it finished/,
  ],
  [
    'an unhandled rejection',
    `test('a', () => void Promise.reject(new Error('x6'))); test.run()`,
    /x6/,
  ],
]

for (const [name, text, words] of traps) {
  test(`fails on ${name}`, async () => {
    const { code, output, counts } = await run(`const test = suite('t')\n${text}`)
    assert.is.not(code, 0)
    assert.match(output, words)
    assert.ok(counts.failed > 0)
  })
}

test('fails without any suite', async () => {
  const { code, output } = await run('')
  assert.is(code, 1)
  assert.match(output, /no suite in this file/)
})

test.run()
