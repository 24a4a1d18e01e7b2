import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runTestFile } from '../../scripts/test-file.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('test runner')
const library = fileURLToPath(new URL('../lib/suite.ts', import.meta.url))
const enoughMs = 60_000

let folder = ''
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa-runner-'))
})
test.after(() => rm(folder, { recursive: true }))

async function run(text: string, limitMs = enoughMs, signal?: AbortSignal) {
  const file = join(folder, 'planted.test.ts')
  await writeFile(file, `import { assert, suite } from ${JSON.stringify(library)}\n${text}\n`)
  return runTestFile(file, process.env, limitMs, signal)
}

const two = `const test = suite('t'); test('a', () => {}); test('b', () => {}); test.run()`

test('counts what has passed', async () => {
  const { passed, failed, fault } = await run(two)
  assert.equal({ passed, failed, fault }, { passed: 2, failed: 0, fault: undefined })
})

test('counts what has failed and shows its output', async () => {
  const { passed, failed, fault, output } = await run(
    `const test = suite('t'); test('a', () => {}); test('b', () => assert.is(1, 2)); test.run()`,
  )
  assert.equal({ passed, failed, fault }, { passed: 1, failed: 1, fault: 'it exited with 1' })
  assert.match(output, 'Expected values to be strictly equal')
})

test('fails a file that does not load', async () => {
  const { failed, fault } = await run(`import './missing.ts'`)
  assert.equal({ failed, fault }, { failed: 1, fault: 'it exited with 1' })
})

test('fails a file that reports nothing', async () => {
  const { failed, fault } = await run(
    `process.removeAllListeners('exit'); const x: string = 'no tests'; console.log(x)`,
  )
  assert.equal({ failed, fault }, { failed: 1, fault: 'it reported no result' })
})

test('fails a file that kills itself', async () => {
  const { failed, fault } = await run(`process.kill(process.pid, 'SIGKILL')`)
  assert.equal({ failed, fault }, { failed: 1, fault: 'it was ended by SIGKILL' })
})

test('ends a file that takes too long', async () => {
  const { failed, fault } = await run(
    `const test = suite('t'); test('a', () => { for (;;); }); test.run()`,
    500,
  )
  assert.equal({ failed, fault }, { failed: 1, fault: 'it took more than 0.5 s' })
})

test('ends a file when it is interrupted', async () => {
  const interrupt = new AbortController()
  const running = run(`setInterval(() => {}, 1000)`, enoughMs, interrupt.signal)
  setTimeout(() => interrupt.abort(), 100)
  const { failed, fault } = await running
  assert.equal({ failed, fault }, { failed: 1, fault: 'it was ended by SIGKILL' })
})

test('ends what a file has left running', async () => {
  // The output ends only when all who hold it have ended, so an answer is the proof.
  const { passed } = await run(
    `import { spawn } from 'node:child_process'
    spawn('sleep', ['1000'], { stdio: 'inherit' }).unref()
    ${two}`,
  )
  assert.is(passed, 2)
})

test.run()
