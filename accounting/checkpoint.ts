/**
 * What a check of the ledger has come to at a moment, so that a later one can go on from there: lines of
 * text in a canonical order, and their hash. Of accounts they have what was posted; what is pending on them
 * is the sum of the pending transfers. What only a break leaves behind is not in it: that an account was
 * beyond its limit, or is closed by a transfer that was posted. docs/reconciliation.md#since-the-last-checkpoint has the format.
 */
import { createHash, type Hash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Finding } from './findings.ts'
import { toLedgerId, toUuid } from './ids.ts'
import type { OpenTransfer } from './open-transfer.ts'
import type { Replay } from './replay.ts'

export interface Checkpoint {
  /** Ledger time (ns): all transfers up to it were read. No chain goes across it. */
  moment: bigint
  /** How many they were. */
  transfers: number
  /** SHA-256 of the lines, the first of which has the moment and the number of transfers. */
  hash: Buffer
}

/** The other lines, each ended by a line feed, in parts of at most `partLinesMax`. */
export interface TakenCheckpoint extends Checkpoint {
  parts: string[]
}

export interface KeptCheckpoint extends Checkpoint {
  /** The parts in their order, as they were taken. */
  readParts(): AsyncIterable<string>
  /** Whether it was not deleted meanwhile, for newer ones. */
  isStillThere(): Promise<boolean>
}

/** A checkpoint that nothing can go on from: it is damaged, or later than the ledger. */
export class CheckpointUnusable extends Error {}

/** A line has less than 300 characters. */
export const partLinesMax = 2_000

/**
 * What a replay has come to at the moment (ns) up to which it was carried out, after so many transfers. It
 * must not go on before this is over; between two parts others have their turn.
 */
export async function takeCheckpoint(
  replay: Replay,
  { moment, transfers }: Pick<Checkpoint, 'moment' | 'transfers'>,
): Promise<TakenCheckpoint> {
  const hash = beginHash({ moment, transfers })
  const parts: string[] = []
  let lines: string[] = []
  const endPart = (): void => {
    if (lines.length === 0) return
    const part = lines.join('')
    hash.update(part)
    parts.push(part)
    lines = []
  }
  for (const line of linesOf(replay)) {
    lines.push(`${line}\n`)
    if (lines.length < partLinesMax) continue
    endPart()
    await nextTurn()
  }
  endPart()
  return { moment, transfers, hash: hash.digest(), parts }
}

/**
 * Brings a replay that knows all accounts, and no transfer yet, to where a checkpoint was taken. Accounts
 * that are not there any more are told. Rejects with CheckpointUnusable when the checkpoint is damaged.
 */
export async function resumeFrom(replay: Replay, checkpoint: KeptCheckpoint): Promise<void> {
  const { moment } = checkpoint
  const hash = beginHash(checkpoint)
  for await (const part of checkpoint.readParts()) {
    hash.update(part)
    for (const line of splitLines(part)) resumeLine(replay, line, moment)
  }
  if (!hash.digest().equals(checkpoint.hash)) {
    throw new CheckpointUnusable('The checkpoint is damaged: its hash is not that of its lines.')
  }
  replay.runOut(moment)
}

/**
 * What a checkpoint has otherwise than a replay that has come to its moment from the first transfer on,
 * and has read so many; undefined when both are the same.
 */
export async function findCheckpointFault(
  replay: Replay,
  checkpoint: KeptCheckpoint,
  transfers: number,
): Promise<Finding | undefined> {
  const told = (detail: string, line?: string) => toFinding(checkpoint, detail, line)
  const hash = beginHash(checkpoint)
  const own = linesOf(replay)
  for await (const part of checkpoint.readParts()) {
    hash.update(part)
    for (const line of splitLines(part)) {
      const { value } = own.next()
      if (value !== line) return told(`has ${line} instead of ${value ?? 'nothing'}`, value ?? line)
    }
  }
  const { value: missing } = own.next()
  if (missing) return told(`lacks ${missing}`, missing)
  if (checkpoint.transfers !== transfers) {
    return told(`is after ${checkpoint.transfers} transfers, and the ledger has ${transfers}`)
  }
  return hash.digest().equals(checkpoint.hash) ? undefined : told('has another hash than its lines')
}

/** Of a checkpoint that the ledger has not come to. */
export const findingOfLaterCheckpoint = (checkpoint: Checkpoint): Finding =>
  toFinding(checkpoint, "is of a later time than the ledger's")

const beginHash = ({ moment, transfers }: Pick<Checkpoint, 'moment' | 'transfers'>): Hash =>
  createHash('sha256').update(
    `${JSON.stringify(['kassa checkpoint 1', String(moment), String(transfers)])}\n`,
  )

/** Accounts in the order of their creation, then pending transfers in theirs: late ones, open ones. */
function* linesOf(replay: Replay): Generator<string, undefined> {
  for (const { id, ledger, debitsPosted, creditsPosted } of replay.accounts()) {
    if (debitsPosted === 0n && creditsPosted === 0n) continue
    yield JSON.stringify([
      'account',
      toUuid(id),
      ledger,
      String(debitsPosted),
      String(creditsPosted),
    ])
  }
  for (const transfer of replay.late()) yield toLine(transfer)
  for (const transfer of replay.pending()) yield toLine(transfer)
}

function toLine(transfer: OpenTransfer): string {
  const { id, operationId, debit, credit, amount, ledger, code, flags } = transfer
  const { timestamp, deadline, backing } = transfer
  return JSON.stringify([
    'pending',
    toUuid(id),
    ledger,
    toUuid(operationId),
    toUuid(debit.id),
    toUuid(credit.id),
    String(amount),
    code,
    flags,
    String(timestamp),
    String(deadline),
    backing === undefined ? null : String(backing),
  ])
}

const splitLines = (part: string): string[] => part.split('\n').slice(0, -1)

function resumeLine(replay: Replay, line: string, moment: bigint): void {
  try {
    const [kind, id, ledger, ...rest] = JSON.parse(line)
    if (kind === 'account') {
      const account = replay.findAgain(toLedgerId(id), ledger, moment)
      account.debitsPosted = BigInt(rest[0])
      account.creditsPosted = BigInt(rest[1])
      return
    }
    const [operationId, debitId, creditId, amount, code, flags, timestamp, deadline, backing] = rest
    replay.open({
      id: toLedgerId(id),
      operationId: toLedgerId(operationId),
      debit: replay.findAgain(toLedgerId(debitId), ledger, moment),
      credit: replay.findAgain(toLedgerId(creditId), ledger, moment),
      amount: BigInt(amount),
      ledger,
      code,
      flags,
      timestamp: BigInt(timestamp),
      deadline: BigInt(deadline),
      isOpen: true,
      backing: backing === null ? undefined : BigInt(backing),
    })
  } catch (error) {
    throw new CheckpointUnusable(`The checkpoint is damaged: ${line}`, { cause: error })
  }
}

/** `line` is what it is about; one that cannot be read is about nothing. */
function toFinding({ moment: at }: Checkpoint, fault: string, line?: string): Finding {
  const detail = `The checkpoint ${fault}.`
  return { kind: 'checkpoint_differs', ...readPlace(line), at, detail }
}

function readPlace(line: string | undefined): Pick<Finding, 'ids' | 'ledger'> {
  try {
    const [, id, ledger] = JSON.parse(line ?? '[]')
    return { ids: [toLedgerId(id)], ledger }
  } catch {
    return { ids: [], ledger: 0 }
  }
}
