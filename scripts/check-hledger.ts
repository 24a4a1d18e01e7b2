/**
 * `npm run check:hledger`: writes the whole ledger as a journal, has hledger check it, and compares the
 * balances that hledger makes of it with those that TigerBeetle has. Exit code 0 when all are the same, 1
 * when they are not, 2 when this could not be found out.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { canonicalAmount, formatAmount } from '../accounting/money.ts'
import { type LedgerJournal, openLedgerJournal } from '../server/flows/ledger-journal.ts'
import { explain } from './explain.ts'
import { openStores, type Stores } from './stores.ts'
import { writeFileWhole } from './write-file.ts'

const run = promisify(execFile)

/** More is not read of what hledger prints. */
const outputMax = 2 ** 30

/** What hledger prints. Names are UTF-8, whatever the language of the terminal. */
async function hledger(...words: string[]): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  return (await run('hledger', words, { env, maxBuffer: outputMax })).stdout
}

/** What hledger's own checks say against a journal; undefined when it accepts it. */
async function findFault(path: string): Promise<string | undefined> {
  try {
    await hledger('-f', path, 'check', '--strict')
    return undefined
  } catch (error) {
    if (error instanceof Error && 'stderr' in error) return String(error.stderr)
    throw error
  }
}

/** Balances by account and commodity, as canonical decimal text. */
type Balances = Map<string, string>

async function readHledger(path: string): Promise<Balances> {
  const report = ['balance', '--flat', '--empty', '--no-total', '--layout=bare', '-O', 'csv']
  const rows: string[][] = parse(await hledger('-f', path, ...report), { from_line: 2 })
  return new Map(
    rows.map(([account, commodity = '', balance = '']) => [
      `${account} ${commodity.replaceAll('"', '')}`,
      canonicalAmount(balance) ?? balance,
    ]),
  )
}

async function readTigerBeetle(journal: LedgerJournal): Promise<Balances> {
  const balances: Balances = new Map()
  for await (const page of journal.readBalances()) {
    for (const { account, asset, debitMinor } of page) {
      const text = canonicalAmount(formatAmount(debitMinor, asset)) ?? ''
      balances.set(`${account} ${asset.currency}`, text)
    }
  }
  return balances
}

/** A line for each balance that is not the same. An account without any may be missing from hledger's. */
function compare(ledgers: Balances, hledgers: Balances): string[] {
  const keys = [...new Set([...ledgers.keys(), ...hledgers.keys()])]
  const nothing = '0'
  return keys
    .filter((key) => (ledgers.get(key) ?? nothing) !== (hledgers.get(key) ?? nothing))
    .map((key) => `${key}: TigerBeetle ${ledgers.get(key)}, hledger ${hledgers.get(key)}`)
}

async function check(deps: Stores['deps'], folder: string): Promise<boolean> {
  const journal = await openLedgerJournal(deps)
  const path = join(folder, 'ledger.journal')
  let count = 0
  async function* texts(): AsyncGenerator<string, void> {
    for await (const { text, transfers } of journal.write()) {
      count += transfers
      yield text
    }
  }
  await writeFileWhole(path, texts())
  const fault = await findFault(path)
  if (fault !== undefined) {
    console.error(fault)
    return false
  }
  const balances = await readTigerBeetle(journal)
  const differences = compare(balances, await readHledger(path))
  for (const line of differences) console.error(line)
  const verdict = differences.length === 0 ? 'agrees' : `differs on ${differences.length}`
  console.log(`${count} transfers, ${balances.size} accounts: hledger ${verdict}.`)
  return differences.length === 0
}

try {
  await hledger('--version')
} catch {
  console.error('hledger is not installed (Debian: apt-get install hledger).')
  process.exit(2)
}
const stores = await openStores(2)
const folder = await mkdtemp(join(tmpdir(), 'kassa-hledger-'))
try {
  process.exitCode = (await check(stores.deps, folder)) ? 0 : 1
} catch (error) {
  console.error(explain(error))
  // Closing could wait for what is broken.
  await rm(folder, { recursive: true })
  process.exit(2)
}
await rm(folder, { recursive: true })
await stores.close()
