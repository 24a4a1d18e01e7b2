/**
 * `npm test [-- word...]`: runs the files test/.../*.test.ts whose path contains one of the words,
 * or all. Each file is a process of its own with a ledger of its own; they share one PostgreSQL, in
 * which each makes databases of its own. With TIGERBEETLE_ADDRESSES set they share that ledger and
 * run one at a time. TEST_FILE_SECONDS limits each. The last line is the count of all tests.
 */
import { glob, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runTestFile, type TestFileResult } from './test-file.ts'
import { findDatabase, startEmbeddedLedger } from './with-servers.ts'

type Result = TestFileResult & { file: string; seconds: number }

const root = fileURLToPath(new URL('..', import.meta.url))
const fileLimitMs = Number(process.env.TEST_FILE_SECONDS || 300) * 1_000
const sharedLedger = process.env.TIGERBEETLE_ADDRESSES

async function main(words: string[], interrupt: AbortController): Promise<number> {
  const files = await testFiles(words)
  if (files.length === 0) {
    console.error(`No file of test/ has ${words.join(' or ')} in its path.`)
    return 1
  }
  const workDir = await mkdtemp(join(tmpdir(), 'kassa-test-'))
  // Each file is many processes, and to compile what they share is a good part of their time.
  process.env.NODE_COMPILE_CACHE ??= join(workDir, 'compiled')
  const dataDir = join(workDir, 'database')
  const database = await findDatabase({ env: {}, dataDir, durable: false })
  const queue = [...files]
  const results: Result[] = []
  database.ended.then((how) => {
    if (interrupt.signal.aborted || results.length === files.length) return
    console.error(how)
    interrupt.abort()
  })
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file && !interrupt.signal.aborted; file = queue.shift()) {
      const result = await runFile(file, database.address, workDir, interrupt.signal)
      report(result)
      results.push(result)
    }
  }
  // One more than there are processors: many files mostly wait for what they have started.
  const workers = sharedLedger ? 1 : availableParallelism() + 1
  try {
    await Promise.all(Array.from({ length: workers }, work))
  } finally {
    await database.stop()
    await rm(workDir, { recursive: true, force: true })
  }
  return summary(results) && results.length === files.length ? 0 : 1
}

async function testFiles(words: string[]): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob('test/**/*.test.ts', { cwd: root })) {
    if (words.length === 0 || words.some((word) => file.includes(word))) files.push(file)
  }
  return files.sort()
}

/** Runs one file on a throwaway ledger, or on the shared one. */
async function runFile(
  file: string,
  databaseUrl: string,
  workDir: string,
  interruption: AbortSignal,
): Promise<Result> {
  const started = performance.now()
  const dataDir = await mkdtemp(join(workDir, 'ledger-'))
  const ledger = sharedLedger ? undefined : await startEmbeddedLedger({ dataDir, durable: false })
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    TIGERBEETLE_ADDRESSES: sharedLedger ?? ledger?.address,
  }
  try {
    const result = await runTestFile(join(root, file), env, fileLimitMs, interruption)
    return { ...result, file, seconds: (performance.now() - started) / 1_000 }
  } finally {
    await ledger?.stop()
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

/** Prints the counts; true when nothing has failed. */
function summary(results: readonly Result[]): boolean {
  const sum = (key: 'passed' | 'failed') => results.reduce((total, one) => total + one[key], 0)
  const failures = results.filter(({ failed }) => failed > 0)
  if (failures.length > 0) {
    console.log(`\nFailed:\n  ${failures.map(({ file }) => file).join('\n  ')}`)
  }
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`)
  return sum('failed') === 0
}

const interrupt = new AbortController()
process.on('SIGINT', () => interrupt.abort())
process.on('SIGTERM', () => interrupt.abort())
process.exitCode = await main(process.argv.slice(2), interrupt)
