/**
 * `npm run verify-chain [-- --against FILE] [--export-head FILE]`: recomputes the chain of evidence from
 * both servers, while Kassa runs. It only reads. Exit code 0: nothing differs; 1: something does; 2: it could
 * not be verified.
 */
import { readFile, writeFile } from 'node:fs/promises'
import type { EvidenceRecord } from '../db/evidence.ts'
import { loadConfig } from '../server/config.ts'
import { type ExportedHead, readHeadFile, writeHead } from '../server/evidence/head.ts'
import type { PublicEvidenceKey } from '../server/evidence/keys.ts'
import { type Difference, type Verification, verifyChain } from '../server/evidence/verify.ts'
import { showLedgerTime } from '../server/flows/ledger-time.ts'
import { connectToBoth } from './both-servers.ts'
import { withNotedAddresses } from './data-dir.ts'
import { endProgress, showProgress } from './progress-bar.ts'
import { exitCodes, fail, readOptions, tell } from './verdict.ts'

const usage = 'Usage: npm run verify-chain [-- --against FILE] [--export-head FILE]'

/** Whose signatures count: the keys of the settings, or that of the Kassa that runs on the data folder. */
async function trustedKeys(): Promise<PublicEvidenceKey[]> {
  const { EVIDENCE_KEY, EVIDENCE_PUBLIC_KEYS } = await withNotedAddresses(process.env)
  const addresses = {
    DATABASE_URL: 'postgres://not.asked',
    TIGERBEETLE_ADDRESSES: '127.0.0.1:0',
  }
  const config = loadConfig({ EVIDENCE_KEY, EVIDENCE_PUBLIC_KEYS, ...addresses })
  return [...(config.evidenceKey ? [config.evidenceKey] : []), ...config.evidencePublicKeys]
}

async function readExported(file: string): Promise<ExportedHead> {
  try {
    return readHeadFile(await readFile(file, 'utf8'))
  } catch (error) {
    return fail(`${file} is not an exported head: ${(error as Error).message}`)
  }
}

function describe({ number, store, what, interval }: Difference): string {
  const when = interval
    ? `, ${showLedgerTime(interval.fromTime)} to ${showLedgerTime(interval.toTime)}`
    : ''
  return `  interval ${number} (${store})${when}: ${what}`
}

function report(
  head: EvidenceRecord,
  { intervals, transfers, facts, ...found }: Verification,
): string[] {
  const erased = found.erased === 0n ? '' : `, ${found.erased} of them with erased texts`
  const upTo = showLedgerTime(head.toTime)
  const [first] = found.differences
  const more = found.differing - found.differences.length
  return [
    `Recomputed: ${intervals} intervals with ${transfers} transfers and ${facts} facts${erased}.`,
    `The head is interval ${head.number}, up to ${upTo}, ${head.hash.toString('hex')}.`,
    first
      ? `The first that differs is interval ${first.number}, in ${first.store}.`
      : 'Nothing differs from what was signed.',
    ...found.differences.map(describe),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ]
}

async function exportHead(file: string, head: EvidenceRecord): Promise<void> {
  const key = trusted.find(({ id }) => id === head.keyId)
  if (key) await writeFile(file, writeHead(head, key))
}

const { against: againstFile, 'export-head': headFile } = readOptions(
  { against: { type: 'string' }, 'export-head': { type: 'string' } },
  usage,
)
const against = againstFile === undefined ? undefined : await readExported(againstFile)
const trusted = [...(await trustedKeys()), ...(against ? [against.key] : [])]
if (trusted.length === 0) {
  fail('Nobody is trusted: set EVIDENCE_PUBLIC_KEYS or EVIDENCE_KEY, or give --against FILE.')
}
const { database, ledger } = await connectToBoth(process.env)
let isProgressShown = false
const verification = await verifyChain(
  { db: database.db, ledger },
  {
    trusted,
    against,
    onProgress(done, all) {
      isProgressShown = true
      showProgress(Number(done) / Number(all), `${done} intervals`)
    },
  },
)
if (isProgressShown) endProgress()
const { head, differing } = verification
if (!head && !against) fail('No interval is closed yet.')
const lines = head
  ? report(head, verification)
  : ['The chain is empty, and a head was exported before.']
await tell(`${lines.join('\n')}\n`)
const isSame = differing === 0
// What differs is not handed on as something to rely on.
if (headFile !== undefined && head && isSame) await exportHead(headFile, head)
// Closing could wait for what is broken.
process.exit(isSame ? exitCodes.clean : exitCodes.breaks)
