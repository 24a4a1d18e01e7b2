/**
 * `npm run export -- --wallet WALLET --from MOMENT --to MOMENT [--format FORMAT]... [--folder FOLDER]`:
 * writes a wallet's statement, without `--format` in each that is possible.
 * `npm run export -- --format hledger [--folder FOLDER]`: writes the whole ledger as a journal.
 * Prints the SHA-256 and name of each file, as `sha256sum --check` reads them.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openLedgerJournal } from '../server/flows/ledger-journal.ts'
import { showLedgerTime } from '../server/flows/ledger-time.ts'
import { findNamedWallet } from '../server/flows/resolve-wallets.ts'
import { writeStatement } from '../server/flows/statements.ts'
import { Refusal } from '../server/refusals.ts'
import { statementFormatNames } from '../server/statements/formats.ts'
import { explain } from './explain.ts'
import { type ExportArguments, readArguments, usage } from './export-arguments.ts'
import { openStores, type Stores } from './stores.ts'
import { answerHelp, tell } from './verdict.ts'
import { writeFileWhole } from './write-file.ts'

type Deps = Stores['deps']

async function write(
  folder: string,
  name: string,
  content: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  await tell(`${await writeFileWhole(join(folder, name), content)}  ${name}\n`)
}

async function exportStatement(
  deps: Deps,
  folder: string,
  asked: NonNullable<ExportArguments['statement']>,
): Promise<void> {
  // Puts own assets into the chart.
  await deps.settings.read()
  const wallet = await findNamedWallet(deps, asked.wallet)
  if (!wallet) throw new Refusal('wallet_not_found')
  for (const format of asked.formats ?? statementFormatNames) {
    try {
      const { name, content } = await writeStatement(deps, wallet, asked.period, format)
      await write(folder, name, content)
    } catch (error) {
      const isImpossible = error instanceof Refusal && error.code === 'format_not_possible'
      if (asked.formats || !isImpossible) throw error
      console.error(`Not as ${format}: ${explain(error)}`)
    }
  }
}

async function exportLedger(deps: Deps, folder: string): Promise<void> {
  const journal = await openLedgerJournal(deps)
  let count = 0
  async function* texts(): AsyncGenerator<string, void> {
    for await (const { text, transfers } of journal.write()) {
      count += transfers
      if (process.stderr.isTTY) process.stderr.write(`\r${count} transfers `)
      yield text
    }
    if (process.stderr.isTTY) process.stderr.write('\n')
  }
  const moment = showLedgerTime(journal.asOf).replace(/[-:]|\.\d+/g, '')
  await write(folder, `ledger-${moment}.journal`, texts())
}

answerHelp(usage)
const asked = readArguments(process.argv.slice(2))
if (!asked) {
  console.error(usage)
  process.exit(1)
}
const { folder, statement } = asked
const stores = await openStores(1)
try {
  await mkdir(folder, { recursive: true })
  if (statement) await exportStatement(stores.deps, folder, statement)
  else await exportLedger(stores.deps, folder)
} catch (error) {
  console.error(explain(error))
  // Closing could wait for what is broken.
  process.exit(1)
}
await stores.close()
