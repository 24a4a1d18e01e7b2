import { execFile } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Load, LoadResult } from './load.ts'
import { amount, type Workload } from './workload.ts'

const run = promisify(execFile)

/** Whether wrk is installed. */
export async function hasWrk(): Promise<boolean> {
  const error = await run('wrk', ['--version']).catch((cause: NodeJS.ErrnoException) => cause)
  return !('code' in error && error.code === 'ENOENT')
}

/** Saturates a server by wrk (https://github.com/wg/wrk). */
export async function runWrk(workload: Workload, load: Load): Promise<LoadResult> {
  const folder = await mkdtemp(join(tmpdir(), 'kassa-bench-'))
  try {
    const script = join(folder, 'transfers.lua')
    await writeFile(script, toLua(workload))
    const shape = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '-s', script]
    const seed = String(randomInt(2 ** 31))
    const { stdout } = await run('wrk', [...shape, workload.url, '--', randomUUID(), seed])
    return readSummary(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function readSummary(output: string): LoadResult {
  const line = output.split('\n').find((text) => text.startsWith(marker))
  if (!line) throw new Error(`wrk did not end well: ${output}`)
  const [requests = 0, microseconds = 0, failures = 0] = line
    .slice(marker.length)
    .split(' ')
    .map(Number)
  return { answers: requests, seconds: microseconds / 1e6, failures }
}

const marker = 'summary '

function toLua({ url, path, cookies, wallets, hot }: Workload): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n`
  return `
local head = ${quote(`${head}Content-Type: application/json\r\nCookie: `)}
local cookies = ${list(cookies)}
local wallets = ${list(wallets)}
local hot = ${hot}
local format, random, floor = string.format, math.random, math.floor
local prefix, count = "", 0

function init(args)
  prefix = args[1] .. "-"
  math.randomseed(tonumber(args[2]))
end

function request()
  count = count + 1
  local from = hot and 0 or random(0, #wallets - 1)
  local to = (from + random(1, #wallets - 1)) % #wallets
  local cookie = cookies[floor(from * #cookies / #wallets) + 1]
  local body = format('{"from_wallet_id":"%s","to_wallet_id":"%s","amount":"${amount}"}',
    wallets[from + 1], wallets[to + 1])
  return format("%s%s\\r\\nIdempotency-Key: %s%d\\r\\nContent-Length: %d\\r\\n\\r\\n%s",
    head, cookie, prefix, count, #body, body)
end

function done(summary)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(format("${marker}%d %d %d", summary.requests, summary.duration, failures))
end
`
}

const list = (values: readonly string[]): string => `{${values.map(quote).join(',')}}`

/** A Lua string: of what we write, JSON differs only in characters that are not there. */
const quote = (text: string): string => JSON.stringify(text)
