/**
 * Whether transfers are what operations consist of: each by itself, each chain complete and of a shape that
 * a flow makes, and its legs in agreement with each other.
 */
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { ControlCode, findLedger, TransferCode } from './chart.ts'
import type { Finding, FindingKind } from './findings.ts'
import { toUuid } from './ids.ts'
import { findLegFault } from './leg-rules.ts'
import type { OpenTransfer } from './open-transfer.ts'
import { isKnownAlone, isKnownShape, signOf } from './operation-shapes.ts'
import type { Applied } from './replay.ts'
import { phaseOf } from './transfers.ts'

const { linked } = TransferFlags

/** A leg of the chain that is being read. */
interface ReadLeg {
  transfer: Transfer
  open: OpenTransfer | undefined
}

const faults: Readonly<Partial<Record<FindingKind, string>>> = {
  unknown_code: 'has a code or a ledger that is not in the chart',
  wrong_accounts: 'is between accounts that its code does not allow',
  wrong_flags: 'has flags, a timeout or an amount that no transfer of its code has',
  operation_unnamed: 'names no operation or no input',
}

/** Reads transfers in the order of their timestamps and tells what no flow has made. */
export function createOperationCheck(report: (finding: Finding) => void) {
  let legs: ReadLeg[] = []
  let signs = ''
  /** Whether a leg is wrong by itself: then what it is a part of is not judged. */
  let isSpoiled = false

  function read(transfer: Transfer, { debit, credit, open }: Applied): void {
    const last = legs.at(-1)
    if (last && last.transfer.timestamp + 1n !== transfer.timestamp) breakOff()
    const isWrong =
      // Each of these was told: an account that is not there, and nothing that could be resolved.
      !debit.seen ||
      !credit.seen ||
      (resolves(transfer) && !open) ||
      isWrongAlone(transfer, debit, credit)
    const isLinked = (transfer.flags & linked) !== 0
    if (!isLinked && legs.length === 0) {
      if (isWrong) return
      if (!isKnownAlone(transfer.code, transfer.flags)) reportShape([{ transfer, open }])
      else if (open) judge([{ transfer, open }])
      return
    }
    legs.push({ transfer, open })
    signs += signOf(transfer.code, transfer.flags)
    isSpoiled ||= isWrong
    if (isLinked) return
    if (!isSpoiled) {
      if (isKnownShape(signs)) judge(legs)
      else reportShape(legs)
    }
    begin()
  }

  function begin(): void {
    legs = []
    signs = ''
    isSpoiled = false
  }

  function isWrongAlone(
    transfer: Transfer,
    debit: Applied['debit'],
    credit: Applied['credit'],
  ): boolean {
    const kind = findLegFault(transfer, debit, credit)
    if (!kind) return false
    const { id, ledger, code, timestamp: at } = transfer
    const detail = `Transfer ${toUuid(id)} of code ${code} ${faults[kind]}.`
    report({ kind, ids: [id], ledger, at, detail })
    return true
  }

  /** The chain goes no further than this, though its last leg is linked. */
  function breakOff(): void {
    const ids = legs.map(({ transfer }) => transfer.id)
    const { ledger, timestamp: at } = legs[0]!.transfer
    const detail = `The chain that begins with transfer ${toUuid(ids[0]!)} has no end.`
    report({ kind: 'chain_incomplete', ids, ledger, at, detail })
    begin()
  }

  function reportShape(chain: readonly ReadLeg[]): void {
    const what = chain.map(({ transfer }) => `${transfer.code} ${phaseOf(transfer.flags)}`)
    reportOperation(chain, `is no operation: ${what.join(', ')}`)
  }

  function judge(chain: readonly ReadLeg[]): void {
    const fault = findDisagreement(chain)
    if (fault !== undefined) reportOperation(chain, fault)
  }

  function reportOperation(chain: readonly ReadLeg[], fault: string): void {
    const ids = chain.map(({ transfer }) => transfer.id)
    const { ledger, timestamp: at } = chain[0]!.transfer
    const detail = `The chain that begins with transfer ${toUuid(ids[0]!)} ${fault}.`
    report({ kind: 'operation_incomplete', ids, ledger, at, detail })
  }

  return {
    read,
    /** Nothing more comes. */
    finish(): void {
      if (legs.length > 0) breakOff()
    },
  }
}

/** Legs that belong to the operation of the leg before them, unless that resolves something. */
const followers: ReadonlySet<number> = new Set([
  TransferCode.fee,
  TransferCode.fee_refund,
  TransferCode.refund,
  TransferCode.chargeback,
  TransferCode.chargeback_payment,
  TransferCode.exchange_purchase,
  TransferCode.exchange_spread,
  ControlCode.returnable_use,
  ControlCode.withdrawal_take,
  ControlCode.suspense_release,
])

/** The ways out of suspense. */
const waysOut: ReadonlySet<number> = new Set([
  TransferCode.suspense_assignment,
  TransferCode.suspense_return,
  TransferCode.suspense_payout,
])

/** In which the legs of a chain are of two assets. */
const ofOtherAsset: ReadonlySet<number> = new Set([
  TransferCode.exchange_purchase,
  TransferCode.exchange_spread,
])

/** Whether a leg begins the next payment of a chain of several: each is in the asset of its own wallets. */
function isNextPayment(before: Transfer, { code, flags }: Transfer): boolean {
  const isEnd = before.code === TransferCode.payment || before.code === TransferCode.fee
  return (
    isEnd &&
    (code === TransferCode.payment ||
      (code === ControlCode.budget_use && phaseOf(flags) === 'pending'))
  )
}

const resolves = ({ flags }: Transfer): boolean => {
  const phase = phaseOf(flags)
  return phase === 'post' || phase === 'void'
}

/** How the legs of a chain of a known shape contradict each other, as the end of a sentence. */
function findDisagreement(chain: readonly ReadLeg[]): string | undefined {
  let first = chain[0]!.transfer
  for (let index = 0; index < chain.length; index += 1) {
    const leg = chain[index]!
    const { transfer } = leg
    if (phaseOf(transfer.flags) === 'post' && leg.open && !isPostedRight(transfer, leg.open)) {
      return 'posts another part than it may'
    }
    const before = chain[index - 1]
    if (before && isNextPayment(before.transfer, transfer)) first = transfer
    if (before && followers.has(transfer.code) && !resolves(transfer)) {
      if (!resolves(before.transfer) && transfer.user_data_128 !== before.transfer.user_data_128) {
        return 'has legs of different operations'
      }
    }
    if (before && !ofOtherAsset.has(transfer.code) && !isSameAsset(first, transfer)) {
      return 'has legs of different assets'
    }
    const fault = findDifference(chain, index)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Of a hold a part can be posted, of a request nothing, of all else the whole. */
function isPostedRight({ code, amount }: Transfer, open: OpenTransfer): boolean {
  if (code === TransferCode.hold) return amount <= open.amount
  return code === ControlCode.request ? amount === 0n : amount === open.amount
}

function isSameAsset(one: Transfer, other: Transfer): boolean {
  if (one.ledger === other.ledger) return true
  return findLedger(one.ledger)?.asset === findLedger(other.ledger)?.asset
}

/** Legs whose amount follows from that of another leg. */
function findDifference(chain: readonly ReadLeg[], index: number): string | undefined {
  const { transfer, open } = chain[index]!
  switch (transfer.code) {
    case ControlCode.budget_use: {
      if (resolves(transfer)) return undefined
      const principal = chain.find((leg, at) => at > index && leg.transfer.code !== transfer.code)
      return principal &&
        isSameSum(transfer, principal.transfer) &&
        isSameOperation(transfer, principal.transfer)
        ? undefined
        : 'uses another part of a budget than it moves'
    }
    case ControlCode.returnable_use: {
      const before = chain[index - 1]?.transfer
      const money = before?.code === TransferCode.refund ? before : chain[index + 1]?.transfer
      return money && isSameSum(transfer, money)
        ? undefined
        : 'gives back another amount than it uses up'
    }
    case TransferCode.hold: {
      const { transfer: posted, open: before } = chain[0]!
      if (phaseOf(transfer.flags) !== 'pending' || !resolves(posted)) return undefined
      const isRest = before && transfer.amount === before.amount - posted.amount
      return isRest && isSameOperation(transfer, posted)
        ? undefined
        : 'holds another rest than is left'
    }
    case ControlCode.suspense_release: {
      const before = chain[index - 1]?.transfer
      if (!resolves(transfer)) {
        if (open && before) open.backing = before.amount
        return undefined
      }
      const out = chain.find((leg) => waysOut.has(leg.transfer.code))?.transfer
      return out && out.amount === open?.backing && isSameOperation(out, transfer)
        ? undefined
        : 'lets another amount out of suspense than came in'
    }
    default:
      return undefined
  }
}

const isSameSum = (one: Transfer, other: Transfer) => one.amount === other.amount
const isSameOperation = (one: Transfer, other: Transfer) =>
  one.user_data_128 === other.user_data_128
