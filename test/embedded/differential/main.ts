/**
 * `npm run compare:ledger -- [--seeds 1-10]`: plays random traces on a real TigerBeetle and on the
 * embedded ledger at once and reports where their answers part. TIGERBEETLE_BINARY names the real
 * one. A difference is shrunk to a short trace, which is printed and, with --save, written. The last
 * lines tell how often each status was answered. Exit code 1: something differed.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { randomFrom } from '../lib/random.ts'
import type { TraceStep } from '../lib/trace-file.ts'
import { Coverage } from './coverage.ts'
import { generateTrace } from './generate.ts'
import { compareOnce, type Outcome, type PairOptions } from './lockstep.ts'
import { profiles, type Topic } from './profile.ts'
import { shrink } from './shrink.ts'

const shrinkTries = 80

const { values } = parseArgs({
  options: {
    /** One trace for each of these seeds. */
    seeds: { type: 'string', default: '1-10' },
    /** Chapters of a trace, each about one topic, and steps of a chapter. */
    chapters: { type: 'string', default: '20' },
    steps: { type: 'string', default: '25' },
    /** The topic of all chapters. */
    topic: { type: 'string' },
    /** Clients that take turns. */
    clients: { type: 'string', default: '1' },
    /** The embedded ledger is durable and is killed and started again in one of so many steps. */
    'kill-one-in': { type: 'string', default: '0' },
    /** No new trace is begun after this time. */
    minutes: { type: 'string', default: '60' },
    /** Writes each trace and what TigerBeetle answered into this folder. */
    record: { type: 'string' },
    /** Writes shrunk differences into this folder. */
    save: { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
  },
})

function readTopic(): Topic | undefined {
  const { topic } = values
  if (topic === undefined) return undefined
  const found = (Object.keys(profiles) as Topic[]).find((name) => name === topic)
  if (!found) throw new Error(`--topic is one of ${Object.keys(profiles).join(', ')}`)
  return found
}

async function write(folder: string, name: string, lines: readonly object[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  await writeFile(join(folder, `${name}.jsonl.gz`), gzipSync(text))
}

async function writeTrace(folder: string, name: string, outcome: Outcome): Promise<void> {
  if (JSON.stringify(outcome.answers).includes('"exists earlier"')) {
    return console.log('  not written: an answer has a time that no other run can have')
  }
  await write(folder, `${name}.ops`, outcome.steps)
  const answers = outcome.answers.map((answer, index) => ({ n: index + 1, ...answer }))
  await write(folder, `${name}.answers`, answers)
}

/** Shrinks a difference and shows what is left of it. */
async function explain(
  seed: number,
  steps: readonly TraceStep[],
  pair: PairOptions,
): Promise<void> {
  let last: Outcome | undefined
  const differs = async (candidate: readonly TraceStep[]): Promise<boolean> => {
    const outcome = await compareOnce(candidate, pair, randomFrom(seed))
    if (outcome.difference === '' || outcome.uncertain) return false
    last = outcome
    return true
  }
  const short = await shrink(steps, differs, shrinkTries)
  if (!last) return console.log('  not repeated on new servers')
  console.log(`  ${last.difference}\n  shrunk to ${short.length} steps:`)
  for (const step of short) console.log(`    ${JSON.stringify(step).slice(0, 2000)}`)
  if (values.save) await writeTrace(values.save, `difference-${seed}`, last)
}

async function main(binary: string): Promise<number> {
  const topic = readTopic()
  const [first = 1, last = first] = values.seeds.split('-').map(Number)
  const pair = { binary, clients: Number(values.clients), killOneIn: Number(values['kill-one-in']) }
  const until = performance.now() + Number(values.minutes) * 60_000
  const coverage = new Coverage()
  const counts = { traces: 0, different: 0, uncertain: 0, kills: 0 }
  for (let seed = first; seed <= last && performance.now() < until; seed += 1) {
    const started = performance.now()
    const chapters = Number(values.chapters)
    const trace = generateTrace({ seed, chapters, stepsPerChapter: Number(values.steps), topic })
    const outcome = await compareOnce(trace, pair, randomFrom(seed), coverage)
    const different = outcome.difference !== '' && !outcome.uncertain
    counts.traces += 1
    counts.kills += outcome.kills
    if (different) counts.different += 1
    if (outcome.uncertain) counts.uncertain += 1
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    const verdict = different ? 'DIFFERENT' : outcome.uncertain ? 'uncertain' : 'equal'
    console.log(`seed ${seed}: ${outcome.steps.length} steps, ${seconds} s, ${verdict}`)
    if (outcome.difference !== '') console.log(`  ${outcome.difference}`)
    if (different && !values['no-shrink']) await explain(seed, outcome.steps, pair)
    if (values.record) await writeTrace(values.record, `random-${seed}`, outcome)
  }
  console.log(coverage.table())
  const { traces, different, uncertain, kills } = counts
  console.log(`${traces} traces (${traces * Number(values.chapters)} chapters), ${kills} kills`)
  console.log(`${coverage.summary}; ${different} different, ${uncertain} uncertain`)
  return different === 0 ? 0 : 1
}

const binary = process.env.TIGERBEETLE_BINARY
if (binary) process.exitCode = await main(binary)
else {
  console.error('Set TIGERBEETLE_BINARY to a TigerBeetle server of the version of the client.')
  process.exitCode = 64
}
