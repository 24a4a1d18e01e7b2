/**
 * uvu behind a guard. uvu alone ends green when a hook throws, when a suite is never run and when
 * `not.throws` is given an async function. Here each of these fails the process, and so do a file
 * without tests and a handle that is still open when the tests are over.
 */
import { writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { suite as uvuSuite } from 'uvu'
import * as uvuAssert from 'uvu/assert'

/** How long a file may take to close its handles after its last test. */
const graceMs = 3_000

type Body = () => unknown
type Hook = { (hook: Body): void; each(hook: Body): void }

/** A group of tests: call it to add a test, and `run()` once after the last one. */
export interface Suite {
  (name: string, test: Body): void
  readonly before: Hook
  readonly after: Hook
  run(): void
}

/** What uvu's own runner answers for one suite. */
type UvuResult = [errors: string | true, passed: number, skipped: number, total: number]
type UvuRun = (() => Promise<UvuResult>) | null
declare global {
  var UVU_QUEUE: UvuRun[][]
}

const suites: { name: string; state: 'open' | 'queued' | 'finished' }[] = []
const faults: string[] = []
let passed = 0
let failed = 0
let testing = false

function fault(text: string): void {
  faults.push(text)
  process.stderr.write(`\n  FAIL  ${text}\n`)
}

/** Remembers a hook that throws: uvu drops the error. */
function guardHook(suiteName: string, kind: string, hook: Body): () => Promise<void> {
  return async () => {
    try {
      await hook()
    } catch (error) {
      fault(`${suiteName}: ${kind} hook threw ${inspect(error)}`)
      throw error
    }
  }
}

/** Starts a suite. The name is shown with its failures. */
export function suite(name: string): Suite {
  const inner = uvuSuite(name)
  const entry: (typeof suites)[number] = { name, state: 'open' }
  suites.push(entry)

  const open = (): void => {
    if (entry.state !== 'open') throw new Error(`${name}: added to after run()`)
  }
  const add = (testName: string, test: Body): void => {
    open()
    inner(testName, async () => void (await test()))
  }
  const hooks = (kind: 'before' | 'after'): Hook =>
    Object.assign(
      (hook: Body): void => {
        open()
        inner[kind](guardHook(name, kind, hook))
      },
      {
        each: (hook: Body): void => {
          open()
          // uvu itself counts a throwing before.each as a failure of its test.
          const guarded = kind === 'after' ? guardHook(name, 'after.each', hook) : hook
          inner[kind].each(async () => void (await guarded()))
        },
      },
    )
  const run = (): void => {
    open()
    if (testing) throw new Error(`${name}: run() after the first suite has already started`)
    entry.state = 'queued'
    inner.run()
    countResult(entry)
  }
  return Object.assign(add, { before: hooks('before'), after: hooks('after'), run })
}

/** Puts a counter around the run that uvu has just queued. */
function countResult(entry: (typeof suites)[number]): void {
  const queue = globalThis.UVU_QUEUE.at(-1)
  const run = queue?.pop()
  if (!queue || !run) throw new Error('uvu queued nothing: its internals have changed')
  queue.push(async () => {
    testing = true
    const result = await run()
    const [, suitePassed, , total] = result
    if (total === 0) fault(`${entry.name}: no tests`)
    passed += suitePassed
    failed += total - suitePassed
    entry.state = 'finished'
    if (suites.every(({ state }) => state === 'finished')) endSoon()
    return result
  })
}

/** Reports what still holds the process after the last test, and ends it. */
function endSoon(): void {
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout')
    fault(`still open after the last test: ${held.join(', ') || 'a timer'}`)
    process.exit(1)
  }, graceMs).unref()
}

process.on('exit', (code) => {
  if (suites.length === 0) fault('no suite in this file')
  for (const { name, state } of suites) {
    if (state === 'open') fault(`${name}: run() was never called`)
    if (state === 'queued') fault(`${name}: the process ended before it finished`)
  }
  if (code !== 0 && failed === 0 && faults.length === 0) fault(`the process ended with ${code}`)
  failed += faults.length
  if (failed > 0 && code === 0) process.exitCode = 1
  const report = process.env.TEST_REPORT
  if (report) writeFileSync(report, JSON.stringify({ passed, failed }))
})

type Matcher = RegExp | ((error: unknown) => boolean)

/** uvu's assertions, where `not.throws` refuses what it cannot judge, plus `rejects`. */
export interface Assert extends Omit<typeof uvuAssert, 'not' | 'ok'> {
  ok(actual: unknown, message?: string): asserts actual
  readonly not: Omit<typeof uvuAssert.not, 'throws'> & {
    (actual: unknown, message?: string): void
    /** Only for functions that are not async: await an async one in the test itself. */
    throws<T>(run: () => T extends PromiseLike<unknown> ? never : T, message?: string): void
  }
  /** Awaits the promise and gives the error it rejected with, which must match if a matcher is given. */
  rejects(promise: PromiseLike<unknown>, matcher?: Matcher, message?: string): Promise<unknown>
}

function notThrows(run: () => unknown, message?: string): void {
  let answer: unknown
  uvuAssert.not.throws(() => {
    answer = run()
  }, message)
  if (answer instanceof Promise) {
    answer.catch(() => {})
    throw new TypeError('assert.not.throws cannot judge an async function: await it in the test')
  }
}

async function rejects(
  promise: PromiseLike<unknown>,
  matcher?: Matcher,
  message?: string,
): Promise<unknown> {
  let error: unknown
  try {
    await promise
  } catch (caught) {
    error = caught
    if (matcher instanceof RegExp)
      uvuAssert.ok(matcher.test(String(error)), message ?? `${error} is not ${matcher}`)
    else if (matcher) uvuAssert.ok(matcher(error), message ?? `unexpected rejection: ${error}`)
    return error
  }
  return uvuAssert.unreachable(message ?? 'expected a rejection')
}

export const assert: Assert = {
  ...uvuAssert,
  ok: uvuAssert.ok,
  not: Object.assign((actual: unknown, message?: string) => uvuAssert.not(actual, message), {
    ...uvuAssert.not,
    throws: notThrows,
  }),
  rejects,
}
