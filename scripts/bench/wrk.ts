import { execFile } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Load, LoadResult } from './load.ts'
import { renderBody, type Step } from './operations.ts'
import type { Workload } from './workload.ts'

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
    const script = join(folder, 'requests.lua')
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

function toLua({ url, operation, cookies, wallets, hot }: Workload): string {
  const { path, first, second } = operation
  const { host } = new URL(url)
  return `
local cookies = ${list(cookies)}
local wallets = ${list(wallets)}
local hot = ${hot}
local format, random, floor, match = string.format, math.random, math.floor, string.match
local prefix, count, waiting = "", 0, {}

function init(args)
  prefix = args[1] .. "-"
  math.randomseed(tonumber(args[2]))
end

local function user_of(place)
  return floor(place * #cookies / #wallets)
end

local function post(path, user, more, body)
  count = count + 1
  return format("POST %s HTTP/1.1\\r\\nHost: ${host}\\r\\nContent-Type: application/json\\r\\n" ..
    "Cookie: %s\\r\\nIdempotency-Key: %s%d\\r\\n%sContent-Length: %d\\r\\n\\r\\n%s",
    path, cookies[user + 1], prefix, count, more, #body, body)
end

local function first()
  local from, to
  repeat
    from = hot and 0 or random(0, #wallets - 1)
    to = (from + random(1, #wallets - 1)) % #wallets
  until user_of(from) ~= user_of(to)
  local more = ${second ? 'format("X-Request-Id: %d-%d\\r\\n", from, to)' : '""'}
  return post(${quote(path)}, ${userOf(first)}, more, ${bodyOf(first)})
end
${second ? followUp(path, second) : 'request = first'}

function done(summary)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(format("${marker}%d %d %d", summary.requests, summary.duration, failures))
end
`
}

/** Requests that follow what the first ones have made. */
const followUp = (path: string, second: Step & { ending: string }): string => `
function response(status, headers)
  local location = headers["Location"] or ""
  if location:sub(1, ${path.length + 1}) ~= ${quote(`${path}/`)} then return end
  local from, to = match(headers["X-Request-Id"], "^(%d+)-(%d+)$")
  waiting[#waiting + 1] = { location, tonumber(from), tonumber(to) }
end

function request()
  local made = table.remove(waiting)
  if not made then return first() end
  local location, from, to = unpack(made)
  return post(location .. ${quote(second.ending)}, ${userOf(second)}, "", ${bodyOf(second)})
end`

const userOf = ({ by }: Step): string => `user_of(${by === 'payer' ? 'from' : 'to'})`

/** A step's body as a Lua expression. */
function bodyOf(step: Step): string {
  const values = {
    from: 'wallets[from + 1]',
    to: 'wallets[to + 1]',
    payer: '"payer_" .. user_of(from)',
  }
  return `'${renderBody(step, (blank) => `' .. ${values[blank]} .. '`)}'`
}

const list = (values: readonly string[]): string => `{${values.map(quote).join(',')}}`

/** A Lua string: of what we write, JSON differs only in characters that are not there. */
const quote = (text: string): string => JSON.stringify(text)
