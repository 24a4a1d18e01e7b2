/**
 * The ledger against itself, as of a moment, while money moves: all transfers until then are replayed and
 * judged one by one, and every account has to be what its transfers add up to.
 *
 * Accounts cannot be read as of a moment. So each page of them is read between two moments, and later the
 * replay is followed from the one to the other: an account is right when it was as it was read at some point
 * between. docs/reconciliation.md tells why that leaves no false alarm.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Account } from 'tigerbeetle-node'
import { checkAccount } from './account-check.ts'
import { ControlCode, TransferCode } from './chart.ts'
import {
  CheckpointUnusable,
  findCheckpointFault,
  findingOfLaterCheckpoint,
  type KeptCheckpoint,
  resumeFrom,
  type TakenCheckpoint,
  takeCheckpoint,
} from './checkpoint.ts'
import type { Ledger } from './client.ts'
import { readLedgerTime } from './clock.ts'
import { createFindings, type Finding, type Findings } from './findings.ts'
import { toUuid } from './ids.ts'
import { addDifference, addUp, type CheckedAsset, findUnbalanced, sumUp } from './ledger-sums.ts'
import { lookUpAccounts } from './lookup.ts'
import { createOperationCheck } from './operation-check.ts'
import { createReplay, type Replay } from './replay.ts'
import { isAsSeen, type ReplayedAccount, toSeen } from './replayed-account.ts'
import { scanAccounts, scanTransfers } from './scan.ts'

export interface LedgerCheckOptions {
  /** Called before and after the accounts are read: puts assets into the chart that it may not know yet. */
  learnAssets?: (() => Promise<void>) | undefined
  /** Called now and then: how many transfers were read, and up to when (ledger time, ns) of what. */
  onProgress?:
    | ((progress: { transfers: number; from: bigint; at: bigint; upTo: bigint }) => void)
    | undefined
  /** How long what differs is left alone before it is looked at again. */
  pauseMs?: number
  /** From where to go on; left out, everything is read. */
  since?: KeptCheckpoint | undefined
  /** What is compared with everything until its moment. */
  proves?: KeptCheckpoint | undefined
  /** Whether a checkpoint is taken when nothing is found. It is some 100 bytes for each account and pending transfer. */
  takesCheckpoint?: boolean
}

export interface LedgerCheck {
  /** Everything is judged as of this ledger time (ns). */
  asOf: bigint
  /** Those that were read. */
  transfers: number
  accounts: number
  /** Assets that have accounts of money, in the order of the first ones. */
  assets: CheckedAsset[]
  findings: Findings
  /** Of this moment; only when it was asked for and nothing was found. */
  checkpoint: TakenCheckpoint | undefined
}

/** Accounts that were read at some moment between two ledger times (ns). */
interface Look {
  from: bigint
  to: bigint
  accounts: ReplayedAccount[]
}

/** How often accounts are looked at again that differ, and after how long. */
const looksMax = 3
const pauseMsDefault = 1_000

/**
 * Checks the whole ledger, or what has come since a checkpoint, always with all accounts. Rejects with
 * LedgerUnavailable, LedgerOutcomeUnknown or CheckpointUnusable: then nothing is known.
 */
export async function checkLedger(
  ledger: Ledger,
  options: LedgerCheckOptions = {},
): Promise<LedgerCheck> {
  const { learnAssets, onProgress, pauseMs = pauseMsDefault, since, proves } = options
  const findings = createFindings()
  /** What comes after the moment is followed, but not judged. */
  let isJudging = true
  const report = (finding: Finding): void => {
    if (isJudging) findings.add(finding)
  }
  const replay = createReplay(report)
  const operations = createOperationCheck(report)
  let transfers = 0
  let reached = 0n
  let first = 0n

  async function replayUntil(upTo: bigint): Promise<void> {
    for await (const page of scanTransfers(ledger, { after: reached, upTo })) {
      first ||= page[0]!.timestamp
      for (const transfer of page) {
        const applied = replay.apply(transfer)
        if (isJudging) operations.read(transfer, applied)
      }
      if (!isJudging) continue
      transfers += page.length
      onProgress?.({ transfers, from: first, at: page.at(-1)!.timestamp, upTo })
    }
    replay.runOut(upTo)
    reached = upTo
  }

  async function goOnFrom(checkpoint: KeptCheckpoint): Promise<void> {
    if (checkpoint.moment >= asOf) {
      throw new CheckpointUnusable("The checkpoint is of a later time than the ledger's.")
    }
    await resumeFrom(replay, checkpoint)
    reached = checkpoint.moment
  }

  async function prove(checkpoint: KeptCheckpoint): Promise<void> {
    if (checkpoint.moment >= asOf) return report(findingOfLaterCheckpoint(checkpoint))
    await replayUntil(checkpoint.moment)
    const fault = await findCheckpointFault(replay, checkpoint, transfers)
    if (fault && (await checkpoint.isStillThere())) report(fault)
  }

  /** Answers the accounts of a look that at no moment of it were what they should be. */
  async function compare({ from, to, accounts }: Look): Promise<ReplayedAccount[]> {
    await replayUntil(from)
    for (const account of accounts) account.isWatched = !isAsSeen(account)
    await replayUntil(to)
    const differing = accounts.filter(({ isWatched }) => isWatched)
    for (const account of differing) account.isWatched = false
    return differing
  }

  async function compareAll(looks: readonly Look[]): Promise<ReplayedAccount[]> {
    const differing: ReplayedAccount[] = []
    for (const look of looks) differing.push(...(await compare(look)))
    return differing
  }

  await learnAssets?.()
  const { asOf, looks, doubtful } = await lookAtAll(ledger, replay)
  // An asset can have come meanwhile, with its accounts.
  await learnAssets?.()
  for (const account of doubtful) {
    const finding = checkAccount(account)
    if (finding) report(finding)
  }
  const accounts = looks.flatMap((look) => look.accounts)
  if (since) await goOnFrom(since)
  if (proves) await prove(proves)
  await replayUntil(asOf)
  operations.finish()
  for (const finding of findUnresolvable(replay)) report(finding)
  const assets = addUp(accounts)
  const sums = sumUp(replay.accounts())
  const read = (since?.transfers ?? 0) + transfers
  // Behind this moment the replay goes on.
  const taken =
    options.takesCheckpoint && findings.counts.size === 0
      ? await takeCheckpoint(replay, { moment: asOf, transfers: read })
      : undefined

  isJudging = false
  let differing = await compareAll(looks)
  for (let count = 1; count < looksMax && differing.length > 0; count += 1) {
    await wait(pauseMs)
    differing = await compare(await lookAgain(ledger, differing))
  }
  for (const account of differing) {
    findings.add(toDifference(account, asOf))
    addDifference(sums, account)
  }
  for (const finding of findUnbalanced(sums, asOf)) findings.add(finding)
  const checkpoint = findings.counts.size === 0 ? taken : undefined
  return { asOf, transfers, accounts: accounts.length, assets, findings, checkpoint }
}

/** The moment, all accounts after it, a look for each page, and those that the chart does not seem to have. */
async function lookAtAll(
  ledger: Ledger,
  replay: Replay,
): Promise<{ asOf: bigint; looks: Look[]; doubtful: Account[] }> {
  const asOf = await readLedgerTime(ledger)
  const looks: Look[] = []
  const doubtful: Account[] = []
  let from = asOf
  for await (const page of scanAccounts(ledger)) {
    const to = await readLedgerTime(ledger)
    looks.push({ from, to, accounts: page.map(replay.addAccount) })
    for (const account of page) if (checkAccount(account)) doubtful.push(account)
    from = to
  }
  return { asOf, looks, doubtful }
}

/** Some accounts as they are now. */
async function lookAgain(ledger: Ledger, accounts: ReplayedAccount[]): Promise<Look> {
  const from = await readLedgerTime(ledger)
  const found = await lookUpAccounts(
    ledger,
    accounts.map(({ id }) => id),
  )
  for (const account of accounts) {
    const again = found.get(account.id)
    if (again) account.seen = toSeen(again)
  }
  return { from, to: await readLedgerTime(ledger), accounts }
}

/** Legs without a deadline that stand beside the money of a withdrawal and end with it. */
const besideWithdrawals: ReadonlySet<number> = new Set([
  TransferCode.fee,
  ControlCode.withdrawal_take,
])

/** What waits for ever for something that has ended. */
function* findUnresolvable(replay: Replay): Iterable<Finding> {
  const withdrawals = new Set<bigint>()
  for (const { code, operationId } of replay.pending()) {
    if (code === TransferCode.withdrawal) withdrawals.add(operationId)
  }
  for (const { id, code, ledger, operationId, amount, timestamp: at } of replay.pending()) {
    if (!besideWithdrawals.has(code) || withdrawals.has(operationId)) continue
    const detail = `Transfer ${toUuid(id)} of code ${code} is pending, but the money of its withdrawal is not.`
    yield { kind: 'pending_unresolved', ids: [id], ledger, at, expected: 0n, found: amount, detail }
  }
}

const fields = [
  ['debits posted', 'debitsPosted', 'debits_posted'],
  ['credits posted', 'creditsPosted', 'credits_posted'],
  ['debits pending', 'debitsPending', 'debits_pending'],
  ['credits pending', 'creditsPending', 'credits_pending'],
] as const

function toDifference(account: ReplayedAccount, at: bigint): Finding {
  const { id, ledger, seen } = account
  const kind = 'balance_differs' as const
  const name = `Account ${toUuid(id)}`
  for (const [text, replayed, read] of fields) {
    const [expected, found] = [account[replayed], seen![read]]
    if (expected === found) continue
    const detail = `${name} has other ${text} than its transfers add up to.`
    return { kind, ids: [id], ledger, at, expected, found, detail }
  }
  const state =
    account.closings > 0 ? 'is open, and a transfer closes it' : 'is closed by no transfer'
  return { kind, ids: [id], ledger, at, detail: `${name} ${state}.` }
}
