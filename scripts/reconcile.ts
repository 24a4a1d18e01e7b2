/**
 * `npm run reconcile [-- --json | --csv]`: proves that the stories of the two servers agree, while Kassa
 * runs. It only reads. Exit code 0: everything agrees; 1: there are breaks; 2: something could not be
 * compared, whatever was found besides.
 */
import { parseArgs, styleText } from 'node:util'
import { ledgerPass } from '../server/reconciliation/ledger-pass.ts'
import type { Pass } from '../server/reconciliation/pass.ts'
import { judge, runPasses } from '../server/reconciliation/reconcile.ts'
import { toCsv, toJson } from '../server/reconciliation/report.ts'
import { toText } from '../server/reconciliation/report-text.ts'
import { connectToBoth } from './both-servers.ts'
import { explain } from './explain.ts'
import { endProgress, showProgress } from './progress-bar.ts'

const exitCodes = { clean: 0, breaks: 1, failed: 2 } as const
const passes: readonly Pass[] = [ledgerPass]

const usage = 'Usage: npm run reconcile [-- --json | --csv]'

// Whatever goes wrong must not look like a finding, whose code an uncaught error has.
process.on('uncaughtException', (error) => fail(explain(error)))

function fail(message: string): never {
  console.error(message)
  process.exit(exitCodes.failed)
}

function readOptions(): { json: boolean; csv: boolean } {
  try {
    const { json = false, csv = false } = parseArgs({
      options: { json: { type: 'boolean' }, csv: { type: 'boolean' } },
    }).values
    return json && csv ? fail(usage) : { json, csv }
  } catch {
    return fail(usage)
  }
}

const { json, csv } = readOptions()
const { database, ledger } = await connectToBoth(process.env)
let isProgressShown = false
const all = await runPasses(
  { db: database.db, ledger, nowMs: Date.now },
  passes,
  (name) => (part, what) => {
    isProgressShown = true
    showProgress(part, `${name}: ${what}`)
  },
)
if (isProgressShown) endProgress()
if (json) console.log(toJson(all))
else if (csv) process.stdout.write(toCsv(all))
else console.log(toText(all, (style, text) => styleText(style, text), explain))
if (json || csv) for (const { error } of all) if (error !== undefined) console.error(explain(error))
// Closing could wait for what is broken.
process.exit(exitCodes[judge(all)])
