/** Histories in the ledger itself, made by the raw client in an asset of their own. */
import { randomInt } from 'node:crypto'
import { type Account, CreateTransferStatus, type Transfer } from 'tigerbeetle-node'
import {
  type AccountPlan,
  clearingAccount,
  controlAccount,
  createAccounts,
  equityAccount,
  feeIncomeAccount,
  rightsAccount,
  suspenseAccount,
  walletAccount,
} from '../../accounting/accounts.ts'
import {
  type Asset,
  addOwnAsset,
  ControlCode,
  controlOf,
  TransferCode,
} from '../../accounting/chart.ts'
import type { Ledger } from '../../accounting/client.ts'
import type { Finding } from '../../accounting/findings.ts'
import { toUuid, type Uuid } from '../../accounting/ids.ts'
import { checkLedger, type LedgerCheckOptions } from '../../accounting/ledger-check.ts'
import { type Leg, link, toPost, toTransfer, toVoid } from '../../accounting/legs.ts'
import { toRightLeg } from '../../accounting/rights.ts'
import { mintId } from '../../db/ids.ts'

let assets = 0
/** An asset that no other test has, on whatever ledger. */
export function newAsset(): Asset {
  assets += 1
  const asset = { currency: `STORY${assets}`, ledger: randomInt(1_000_000, 900_000_000), scale: 2 }
  addOwnAsset(asset)
  return asset
}

/** Accounts and ways to move money between them, past all flows. */
export interface Story {
  asset: Asset
  clearing: Uuid
  wallets: readonly [Uuid, Uuid, ...Uuid[]]
  /** Submits transfers as one chain, which must succeed; answers them as they were sent. */
  chain(...transfers: Transfer[]): Promise<Transfer[]>
  /** A transfer of a leg; names an operation of its own unless one is given. */
  leg(leg: Omit<Leg, 'asset'> & { asset?: Asset }, operationId?: Uuid): Transfer
  post(pending: Transfer, amountMinor: bigint): Transfer
  void(pending: Transfer): Transfer
  deposit(walletId: Uuid, amountMinor: bigint): Promise<Transfer>
  payment(from: Uuid, to: Uuid, amountMinor: bigint): Transfer
  hold(from: Uuid, to: Uuid, amountMinor: bigint, timeoutSeconds?: number): Transfer
  /** Money, right and fee of a withdrawal. */
  withdrawal(from: Uuid, amountMinor: bigint, feeMinor: bigint): Transfer[]
  right(code: ControlCode, timeoutSeconds: number, operationId?: Uuid): Transfer
}

/** An asset with a clearing account and wallets, and nothing in them. */
export async function createStory(ledger: Ledger, walletCount = 2): Promise<Story> {
  const asset = newAsset()
  const wallets = Array.from({ length: walletCount }, () => mintId()) as [Uuid, Uuid]
  const clearing = clearingAccount(1, asset).id
  const plans: AccountPlan[] = [
    clearingAccount(1, asset),
    suspenseAccount(1, asset),
    feeIncomeAccount(asset),
    equityAccount(asset),
    rightsAccount(asset),
    controlAccount(asset),
    ...wallets.map((id) => walletAccount(id, asset)),
  ]
  await createAccounts(ledger, plans)

  const inputHash = 7
  const leg: Story['leg'] = (it, operationId) => {
    const id = mintId()
    return toTransfer({ asset, ...it }, { id, operationId: operationId ?? id, inputHash })
  }
  const chain: Story['chain'] = async (...transfers) => {
    const results = await ledger.createTransfers(link(transfers))
    const failed = results.find(({ status }) => status !== CreateTransferStatus.created)
    if (failed) throw new Error(`not created: ${CreateTransferStatus[failed.status]}`)
    return transfers
  }
  const between = (
    debitAccountId: Uuid,
    creditAccountId: Uuid,
    amountMinor: bigint,
    code: TransferCode,
  ) => ({ debitAccountId, creditAccountId, amountMinor, code })
  const right: Story['right'] = (code, timeoutSeconds, operationId) =>
    leg(toRightLeg(asset, code, timeoutSeconds), operationId)
  return {
    asset,
    clearing,
    wallets,
    chain,
    leg,
    right,
    post: ({ id }, amountMinor) =>
      toPost({ id: mintId(), pendingId: toUuid(id), inputHash }, amountMinor),
    void: ({ id }) => toVoid({ id: mintId(), pendingId: toUuid(id), inputHash }),
    async deposit(walletId, amountMinor) {
      const transfer = leg(between(clearing, walletId, amountMinor, TransferCode.deposit))
      await chain(transfer)
      return transfer
    },
    payment: (from, to, amountMinor) => leg(between(from, to, amountMinor, TransferCode.payment)),
    hold: (from, to, amountMinor, timeoutSeconds = 3_600) =>
      leg({ ...between(from, to, amountMinor, TransferCode.hold), timeoutSeconds }),
    withdrawal(from, amountMinor, feeMinor) {
      const money = leg({
        ...between(from, clearing, amountMinor, TransferCode.withdrawal),
        timeoutSeconds: 0,
      })
      const operationId = toUuid(money.id)
      const fee = {
        ...between(from, feeIncomeAccount(asset).id, feeMinor, TransferCode.fee),
        timeoutSeconds: 0,
      }
      const take = right(ControlCode.withdrawal_take, 0, operationId)
      return [money, take, leg(fee, operationId)]
    },
  }
}

/** What a reader of the ledger is given in place of what is there. */
export interface Damage {
  /** Of the transfers of the story's ledgers; one that is left out is missing. */
  transfers?: (transfer: Transfer) => Transfer[]
  accounts?: (account: Account) => Account[]
}

/** A ledger that gives damaged copies; what is written goes through. */
export function damaged(ledger: Ledger, { transfers, accounts }: Damage): Ledger {
  const changes: Partial<Ledger> = {
    ...(transfers && {
      queryTransfers: async (filter) => (await ledger.queryTransfers(filter)).flatMap(transfers),
    }),
    ...(accounts && {
      queryAccounts: async (filter) => (await ledger.queryAccounts(filter)).flatMap(accounts),
      lookupAccounts: async (ids) => (await ledger.lookupAccounts(ids)).flatMap(accounts),
    }),
  }
  return Object.assign(Object.create(ledger), changes)
}

/** What a check finds in the ledgers of a story's asset: each as its kind and its first id. */
export async function findIn(
  { asset }: Pick<Story, 'asset'>,
  ledger: Ledger,
  options: LedgerCheckOptions = {},
): Promise<Finding[]> {
  const { findings } = await checkLedger(ledger, { pauseMs: 10, ...options })
  const own = [asset.ledger, controlOf(asset).ledger]
  return findings.kept.filter((finding) => own.includes(finding.ledger))
}

/** Findings as text: the kind, and what it is about. */
export const toTexts = (findings: readonly Finding[]) =>
  findings.map(({ kind, ids }) => `${kind} ${ids[0] === undefined ? '' : toUuid(ids[0])}`).sort()

/** The same of what is expected. */
export const text = (kind: Finding['kind'], id: Uuid | bigint | undefined) =>
  `${kind} ${typeof id === 'bigint' ? toUuid(id) : (id ?? '')}`
