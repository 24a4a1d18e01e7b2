/**
 * `npm run reconcile [-- --json | --csv] [-- --record] [-- --since last] [-- --statement FILE --payment-system NAME]`: proves
 * that the stories of the two servers agree, and that of a bank when its statements are given, while Kassa
 * runs. It only reads, unless it is told to store what it finds. Exit code 0: everything agrees; 1: there
 * are breaks; 2: something could not be compared or stored, whatever was found besides.
 */
import { readFileSync } from 'node:fs'
import { styleText } from 'node:util'
import { findNewestCheckpoint, type StoredCheckpoint } from '../db/checkpoints.ts'
import { ledgerPass } from '../server/reconciliation/ledger-pass.ts'
import type { Pass } from '../server/reconciliation/pass.ts'
import { judge, type Ran, runPasses } from '../server/reconciliation/reconcile.ts'
import { recordRun } from '../server/reconciliation/record.ts'
import { recordsPass } from '../server/reconciliation/records-pass.ts'
import { toCsv, toJson } from '../server/reconciliation/report.ts'
import { toText } from '../server/reconciliation/report-text.ts'
import { dayIn } from '../server/reconciliation/statement.ts'
import { type CsvMapping, readMapping } from '../server/reconciliation/statement-csv.ts'
import { type StatementFormat, statementFormats } from '../server/reconciliation/statement-file.ts'
import { statementPass } from '../server/reconciliation/statement-pass.ts'
import { connectToBoth } from './both-servers.ts'
import { explain } from './explain.ts'
import { endProgress, showProgress } from './progress-bar.ts'
import { exitCodes, fail, readOptions, tell } from './verdict.ts'

const usage = [
  'Usage: npm run reconcile -- [--json | --csv] [--record] [--since last]',
  '  [--statement FILE... --payment-system NAME [--mapping FILE] [--format camt|csv|json-lines]',
  '    [--window-days N] [--tolerance-days N] [--time-zone NAME]]',
].join('\n')

function misused(reason: string): never {
  return fail(`${reason}\n${usage}`)
}

/** The pass of the statements that were named; undefined when there is none. */
function readStatementPass(): Pass | undefined {
  const { statement: paths, 'payment-system': paymentSystem, ...rest } = options
  const { mapping: mappingFile, format, 'time-zone': timeZone } = rest
  const [windowDays, toleranceDays] = [rest['window-days'], rest['tolerance-days']].map(readDays)
  if (paths === undefined) {
    const isNamed = [paymentSystem, format, mappingFile, timeZone, windowDays, toleranceDays]
    if (isNamed.every((value) => value === undefined)) return undefined
    return misused('Nothing is compared with a bank without --statement FILE.')
  }
  if (paymentSystem === undefined) return misused('--statement needs --payment-system NAME.')
  if (!isFormat(format)) return misused(`There is no format ${format}.`)
  if (timeZone !== undefined && !isTimeZone(timeZone)) misused(`There is no time zone ${timeZone}.`)
  const mapping = mappingFile === undefined ? undefined : readMappingFile(mappingFile)
  const sources = paths.map((path) => ({ path, format, mapping }))
  return statementPass({
    sources,
    paymentSystem,
    timeZone,
    ...(windowDays !== undefined && { windowDays }),
    ...(toleranceDays !== undefined && { toleranceDays }),
  })
}

function readDays(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return /^\d{1,2}$/.test(text) ? Number(text) : misused(`${text} is no number of days.`)
}

function isTimeZone(name: string): boolean {
  try {
    dayIn(name)
    return true
  } catch {
    return false
  }
}

const isFormat = (text: string | undefined): text is StatementFormat | undefined =>
  text === undefined || statementFormats.some((format) => format === text)

function readMappingFile(path: string): CsvMapping {
  const text = readFileSync(path, 'utf8')
  try {
    return readMapping(JSON.parse(text), path)
  } catch (error) {
    return fail(error instanceof SyntaxError ? `${path}: ${error.message}` : explain(error))
  }
}

const options = readOptions(
  {
    json: { type: 'boolean', default: false },
    csv: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    since: { type: 'string' },
    statement: { type: 'string', multiple: true },
    'payment-system': { type: 'string' },
    mapping: { type: 'string' },
    format: { type: 'string' },
    'window-days': { type: 'string' },
    'tolerance-days': { type: 'string' },
    'time-zone': { type: 'string' },
  },
  usage,
)
const { json, csv, record } = options
if (json && csv) misused('Either --json or --csv.')
if ((options.since ?? 'last') !== 'last') misused('--since takes nothing but last.')
const ofStatements = readStatementPass()
const passes: readonly Pass[] = [ledgerPass, recordsPass, ...(ofStatements ? [ofStatements] : [])]
const { database, ledger } = await connectToBoth(process.env, { writes: record })
const context = { db: database.db, ledger, nowMs: Date.now, since: await readSince() }
let isProgressShown = false
const progress = (name: string) => (part: number, what: string) => {
  isProgressShown = true
  showProgress(part, `${name}: ${what}`)
}
const all = record ? await recordAll() : await runPasses(context, passes, progress)
if (isProgressShown) endProgress()
await tell(show())
if (json || csv) for (const { error } of all) if (error !== undefined) console.error(explain(error))
// Closing could wait for what is broken.
process.exit(exitCodes[judge(all)])

function show(): string {
  if (csv) return toCsv(all)
  const text = json ? toJson(all) : toText(all, (style, text) => styleText(style, text), explain)
  return `${text}\n`
}

/** The checkpoint to go on from; undefined when everything is to be compared. */
async function readSince(): Promise<StoredCheckpoint | undefined> {
  if (options.since === undefined) return undefined
  const newest = await findNewestCheckpoint(database.db)
  return newest ?? fail('There is no checkpoint: a clean run with --record leaves one.')
}

/** Stores the run as well, and tells on stderr what it was stored as. */
async function recordAll(): Promise<Ran[]> {
  const start = { startedBy: 'command', requestedBy: null } as const
  const recorded = await recordRun(context, passes, { ...start, progress })
  if (!recorded) return fail('Another reconciliation is carried out and stored; nothing was done.')
  const { id, newCount, foundCount, goneCount } = recorded.run
  const known = foundCount - newCount
  if (isProgressShown) endProgress()
  isProgressShown = false
  console.error(`Stored as ${id}: ${newCount} new, ${known} known before, ${goneCount} gone.`)
  return recorded.all
}
