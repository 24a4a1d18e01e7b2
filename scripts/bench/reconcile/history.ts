/**
 * A history of Kassa, made in batches: each operation with the transfers and the rows that a flow would
 * have made of it, so that nothing of it is a break.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { CreateTransferStatus, type Transfer } from 'tigerbeetle-node'
import { type Asset, TransferCode } from '../../../accounting/chart.ts'
import { depositId, hashDeposit } from '../../../accounting/deposits.ts'
import { computeFee, type FeeRule, toFeeLeg } from '../../../accounting/fees.ts'
import { hashInput, type Uuid } from '../../../accounting/ids.ts'
import { type Leg, legId, link, toPost, toVoid } from '../../../accounting/legs.ts'
import { attemptId, type Plan, toTransfers } from '../../../accounting/transfers.ts'
import { hashConfirmation, toWithdrawalLegs } from '../../../accounting/withdrawals.ts'
import { mintId } from '../../../db/ids.ts'

/** Who takes part. */
export interface Cast {
  asset: Asset
  wallets: readonly { id: Uuid; userId: Uuid }[]
  paymentSystem: { id: Uuid; number: number; clearingId: Uuid }
  /** Of payments with a fee. */
  fee: FeeRule
}

/** Rows to insert by table, their columns by name. */
export type Rows = Record<string, Record<string, unknown>[]>

/** What is sent at once. */
export interface Batch {
  transfers: Transfer[]
  /** What the ledger has to answer, in the same order. */
  expected: CreateTransferStatus[]
  rows: Rows
}

/** What a wallet gets at the beginning: more than it can spend in a run. */
const fundsMinor = 1_000_000_000_000n
/** More than it ever has. */
const tooMuchMinor = 1_000_000_000_000_000n
const amountMaxMinor = 100_000
const monthSeconds = 30 * 86_400
/** No operation here has more transfers. */
const transfersMax = 4

const pickAmount = (): bigint => BigInt(1 + randomInt(amountMaxMinor))

/** Goes on with a history by a few operations, with about so many transfers. */
export type WriteBatch = (transfers: number) => Batch

/** A history that begins with a deposit into each wallet. */
export function createHistory({ asset, wallets, paymentSystem, fee }: Cast): WriteBatch {
  const unfunded = wallets.map(({ id }) => id)
  /** As in life what is open does not grow with what has been: a hold and a withdrawal a wallet. */
  const openLeft = { holds: wallets.length, withdrawals: wallets.length }
  const run = randomBytes(4).toString('hex')
  let deposits = 0
  let batch: Batch

  function submit(chain: readonly Transfer[], status = CreateTransferStatus.created): void {
    for (const transfer of link(chain)) {
      batch.transfers.push(transfer)
      batch.expected.push(status)
    }
  }

  function addRow(table: string, row: Record<string, unknown>): void {
    batch.rows[table] ??= []
    batch.rows[table].push(row)
  }

  function deposit(walletName: Uuid, amountMinor: bigint): void {
    deposits += 1
    const reference = `${run}-${deposits}`
    const operationId = depositId(paymentSystem.number, reference)
    const inputHash = hashDeposit({ walletName, currency: asset.currency, amountMinor })
    const leg = {
      debitAccountId: paymentSystem.clearingId,
      creditAccountId: walletName,
      amountMinor,
      asset,
      code: TransferCode.deposit,
    }
    submit(toTransfers({ operationId, inputHash, legs: [leg] }, attemptId(operationId, 0)))
    addRow('deposits', {
      id: operationId,
      input_hash: inputHash,
      payment_system_id: paymentSystem.id,
      reference,
      named_wallet: walletName,
    })
  }

  /** A plan under a fresh id, and its chain. */
  function plan(legs: Plan['legs']): Plan & { chain: Transfer[] } {
    const operationId = mintId()
    const named = { operationId, inputHash: hashInput('bench', operationId), legs }
    return { ...named, chain: toTransfers(named, operationId) }
  }

  /** Between two wallets. */
  function toLeg(code: TransferCode, amountMinor: bigint): Leg {
    const from = randomInt(wallets.length)
    const to = (from + 1 + randomInt(wallets.length - 1)) % wallets.length
    const [debitAccountId, creditAccountId] = [wallets[from]!.id, wallets[to]!.id]
    return { debitAccountId, creditAccountId, amountMinor, asset, code }
  }

  function pay(feeRule?: FeeRule) {
    const leg = toLeg(TransferCode.payment, pickAmount())
    const payer = { walletId: leg.debitAccountId, asset }
    const toFee = (rule: FeeRule) =>
      toFeeLeg({ amountMinor: computeFee(rule, leg.amountMinor), ruleNumber: rule.number }, payer)
    const paid = plan(feeRule ? [leg, toFee(feeRule)] : [leg])
    submit(paid.chain)
    return paid
  }

  function payWithMemo(): void {
    const { operationId, inputHash } = pay()
    addRow('memos', { transfer_id: operationId, input_hash: inputHash, memo: 'for the bench' })
  }

  function payTooMuch(): void {
    const { operationId, inputHash, chain } = plan([toLeg(TransferCode.payment, tooMuchMinor)])
    submit(chain, CreateTransferStatus.exceeds_credits)
    const code = 'insufficient_funds'
    addRow('declines', { operation_id: operationId, attempt: 0, input_hash: inputHash, code })
  }

  function hold(timeoutSeconds = monthSeconds) {
    const held = plan([{ ...toLeg(TransferCode.hold, pickAmount()), timeoutSeconds }])
    submit(held.chain)
    return held
  }

  function capture({ operationId: pendingId, inputHash, legs: [leg] }: Plan): void {
    submit([toPost({ id: mintId(), pendingId, inputHash }, leg.amountMinor)])
  }

  function voidHold({ operationId: pendingId, inputHash }: Plan): void {
    submit([toVoid({ id: mintId(), pendingId, inputHash })])
  }

  function leaveHold(): void {
    const held = hold()
    if (openLeft.holds > 0) openLeft.holds -= 1
    else voidHold(held)
  }

  function withdraw() {
    const { id: walletId, userId } = wallets[randomInt(wallets.length)]!
    const { clearingId: clearingAccountId, id: paymentSystemId } = paymentSystem
    const order = { walletId, clearingAccountId, amountMinor: pickAmount(), asset }
    const asked = plan(toWithdrawalLegs(order, []))
    submit(asked.chain)
    addRow('withdrawals', {
      id: asked.operationId,
      input_hash: asked.inputHash,
      user_id: userId,
      wallet_id: walletId,
      payment_system_id: paymentSystemId,
      destination: '\\x00',
      destination_hint: '1234',
      settled_at: new Date(),
    })
    return { ...asked, rightId: legId(asked.operationId, 1) }
  }

  type Withdrawal = ReturnType<typeof withdraw>

  function confirm({ operationId, rightId, legs: [money] }: Withdrawal): void {
    const taken = { id: mintId(), pendingId: rightId, inputHash: hashInput('take', operationId) }
    submit([toPost(taken, 0n)])
    const reference = `paid ${operationId}`
    const inputHash = hashConfirmation(operationId, reference)
    submit([toPost({ id: mintId(), pendingId: operationId, inputHash }, money.amountMinor)])
    addRow('withdrawal_outcomes', {
      withdrawal_id: operationId,
      input_hash: inputHash,
      reference,
    })
  }

  function cancel({ operationId, rightId, inputHash }: Withdrawal): void {
    submit([
      toVoid({ id: mintId(), pendingId: rightId, inputHash }),
      toVoid({ id: mintId(), pendingId: operationId, inputHash }),
    ])
  }

  function leaveWithdrawal(): void {
    const asked = withdraw()
    if (openLeft.withdrawals > 0) openLeft.withdrawals -= 1
    else cancel(asked)
  }

  /** How often each operation comes, of a hundred. */
  const shares: readonly [share: number, operation: () => unknown][] = [
    [25, () => deposit(wallets[randomInt(wallets.length)]!.id, pickAmount())],
    [35, () => pay()],
    [5, payWithMemo],
    [10, () => pay(fee)],
    [5, payTooMuch],
    [5, () => capture(hold())],
    [3, () => voidHold(hold())],
    [1, () => hold(1)],
    [1, leaveHold],
    [6, () => confirm(withdraw())],
    [3, () => cancel(withdraw())],
    [1, leaveWithdrawal],
  ]
  const drawn = shares.flatMap(([share, operation]) =>
    Array.from({ length: share }, () => operation),
  )

  return (transfers) => {
    batch = { transfers: [], expected: [], rows: {} }
    do {
      const wallet = unfunded.pop()
      if (wallet) deposit(wallet, fundsMinor)
      else drawn[randomInt(drawn.length)]!()
    } while (batch.transfers.length + transfersMax <= transfers)
    return batch
  }
}
