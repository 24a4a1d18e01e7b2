/**
 * `npm test [-- word...]`: runs the files test/.../*.test.ts whose path contains one of the words,
 * or all. Each file is a process of its own with a ledger of its own; they share one PostgreSQL, in
 * which each makes databases of its own. With TIGERBEETLE_ADDRESSES set they share that ledger and
 * run one at a time. A file fails when a test fails, when it exits with anything but 0, when it
 * reports no tests, and when it takes longer than TEST_FILE_SECONDS.
 */
import { spawn } from 'node:child_process'
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findDatabase, type Server, startEmbeddedLedger } from './with-servers.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const fileLimitMs = Number(process.env.TEST_FILE_SECONDS ?? 300) * 1_000
/** Of the output of one file; what is over it is cut from the front. */
const outputLimitBytes = 1_000_000

interface Result {
  file: string
  passed: number
  failed: number
  seconds: number
  /** Why the file failed as a whole, if it did. */
  fault: string | undefined
  output: string
}

const workDir = await mkdtemp(join(tmpdir(), 'kassa-test-'))
const running = new Set<number>()
const open = new Set<Server>()
let interrupted = false

async function main(words: string[]): Promise<number> {
  const files = await testFiles(words)
  if (files.length === 0) {
    console.error(`No file of test/ has ${words.join(' or ')} in its path.`)
    return 1
  }
  const database = await opened(
    findDatabase({ env: {}, dataDir: join(workDir, 'database'), durable: false }),
  )
  const shared = process.env.TIGERBEETLE_ADDRESSES
  const workers = shared ? 1 : availableParallelism()
  const queue = [...files]
  const results: Result[] = []
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file && !interrupted; file = queue.shift()) {
      const result = await runFile(file, database.address, shared)
      report(result)
      results.push(result)
    }
  }
  await Promise.all(Array.from({ length: workers }, work))

  const sum = (key: 'passed' | 'failed') =>
    results.reduce((total, result) => total + result[key], 0)
  const failures = results.filter(({ failed }) => failed > 0)
  if (failures.length > 0)
    console.log(`\nFailed:\n  ${failures.map(({ file }) => file).join('\n  ')}`)
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
  return sum('failed') === 0 && results.length === files.length && !interrupted ? 0 : 1
}

async function testFiles(words: string[]): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob('test/**/*.test.ts', { cwd: root })) {
    if (words.length === 0 || words.some((word) => file.includes(word))) files.push(file)
  }
  return files.sort()
}

async function opened(starting: Promise<Server>): Promise<Server> {
  const server = await starting
  open.add(server)
  return server
}

/** Runs one file on a throwaway ledger, or on the shared one. */
async function runFile(file: string, databaseUrl: string, shared?: string): Promise<Result> {
  const started = performance.now()
  const dataDir = await mkdtemp(join(workDir, 'file-'))
  const ledger = shared ? undefined : await opened(startEmbeddedLedger({ dataDir, durable: false }))
  const reportFile = join(dataDir, 'report.json')
  const run = await runProcess(file, {
    ...process.env,
    DATABASE_URL: databaseUrl,
    TIGERBEETLE_ADDRESSES: shared ?? ledger?.address,
    TEST_REPORT: reportFile,
  })
  if (ledger) {
    await ledger.stop()
    open.delete(ledger)
  }
  const counts = await readFile(reportFile, 'utf8').then(JSON.parse, () => undefined)
  const { passed = 0, failed = 0 } = counts ?? {}
  const fault = run.fault ?? faultOf(counts, passed + failed)
  const seconds = (performance.now() - started) / 1_000
  return {
    file,
    passed,
    failed: fault && failed === 0 ? 1 : failed,
    seconds,
    fault,
    output: run.output,
  }
}

function faultOf(counts: unknown, total: number): string | undefined {
  if (counts === undefined) return 'it reported no result'
  return total === 0 ? 'it ran no tests' : undefined
}

type Run = { fault: string | undefined; output: string }

/** Runs a file in a process group of its own, so that at its end nothing it started is left. */
function runProcess(file: string, env: NodeJS.ProcessEnv): Promise<Run> {
  const child = spawn(process.execPath, [file], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const pid = child.pid ?? 0
  running.add(pid)
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk).slice(-outputLimitBytes)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  let late = false
  const timer = setTimeout(() => {
    late = true
    killGroup(pid)
  }, fileLimitMs)
  return new Promise((resolve) => {
    child.once('exit', () => killGroup(pid))
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      running.delete(pid)
      const how = signal ? `it was ended by ${signal}` : `it exited with ${code}`
      const fault = late ? `it took more than ${fileLimitMs / 1_000} s` : how
      resolve({ fault: code === 0 ? undefined : fault, output })
    })
  })
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // nothing of it is left
  }
}

function report({ file, passed, failed, seconds, fault, output }: Result): void {
  const mark = failed === 0 ? 'ok  ' : 'FAIL'
  const counts = failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`
  console.log(`${mark}  ${file}  ${counts}  ${seconds.toFixed(1)} s`)
  if (failed === 0) return
  if (fault) console.log(`      ${fault}`)
  console.log(output.replace(/^/gm, '      '))
}

async function cleanUp(): Promise<void> {
  for (const pid of running) killGroup(pid)
  await Promise.all([...open].map((server) => server.stop()))
  await rm(workDir, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true
    for (const pid of running) killGroup(pid)
  })
}
try {
  process.exitCode = await main(process.argv.slice(2))
} finally {
  await cleanUp()
}
