import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of the output of one file; what is over it is cut from the front. */
const outputLimitChars = 1_000_000

export interface TestFileResult {
  passed: number
  failed: number
  /** Why the file failed as a whole, if it did. */
  fault: string | undefined
  output: string
}

/**
 * Runs a test file as a process of its own and gives the counts that test/lib/suite.ts reports. It
 * fails when a test fails, when it exits with anything but 0, when it reports nothing or no tests,
 * and when it takes longer than `limitMs`. Nothing that it started outlives it. `signal` ends it.
 */
export async function runTestFile(
  file: string,
  env: NodeJS.ProcessEnv,
  limitMs: number,
  signal?: AbortSignal,
): Promise<TestFileResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-report-'))
  try {
    const report = join(folder, 'report.json')
    const run = await runProcess(file, { ...env, TEST_REPORT: report }, limitMs, signal)
    const counts = await readFile(report, 'utf8').then(JSON.parse, () => undefined)
    const { passed = 0, failed = 0 } = counts ?? {}
    const fault = run.fault ?? faultOf(counts, passed + failed)
    return { passed, failed: fault && failed === 0 ? 1 : failed, fault, output: run.output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function faultOf(counts: unknown, total: number): string | undefined {
  if (counts === undefined) return 'it reported no result'
  return total === 0 ? 'it ran no tests' : undefined
}

/** Runs the file in a process group of its own, so that the whole group can be ended. */
function runProcess(
  file: string,
  env: NodeJS.ProcessEnv,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<{ fault: string | undefined; output: string }> {
  const child = spawn(process.execPath, [file], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (chunk: Buffer): void => {
    output = (output + chunk).slice(-outputLimitChars)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const end = (): void => killGroup(child.pid)
  let late = false
  const timer = setTimeout(() => {
    late = true
    end()
  }, limitMs)
  signal?.addEventListener('abort', end)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', end)
    child.once('close', (code, endedBy) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      const how = endedBy ? `it was ended by ${endedBy}` : `it exited with ${code}`
      const fault = late ? `it took more than ${limitMs / 1_000} s` : how
      resolve({ fault: code === 0 ? undefined : fault, output })
    })
  })
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid) process.kill(-pid, 'SIGKILL')
  } catch {
    // nothing of it is left
  }
}
