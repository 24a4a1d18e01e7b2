import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { type Transfer, TransferFlags } from 'tigerbeetle-node'
import { createAccounts, equityAccount, walletAccount } from '../../accounting/accounts.ts'
import { readBalanceAt } from '../../accounting/balance-at.ts'
import { type Asset, addOwnAsset, TransferCode } from '../../accounting/chart.ts'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import { deadlineOf, readLedgerTime } from '../../accounting/clock.ts'
import { toLedgerId } from '../../accounting/ids.ts'
import { toPost, toTransfer, toVoid } from '../../accounting/legs.ts'
import { mintId } from '../../db/ids.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('balance at a moment')

let ledger: Ledger
test.before(async () => {
  ledger = await createLedger(ledgerOptions())
})
test.after(() => ledger.close())

function newAsset(): Asset {
  const ledgerNumber = randomInt(1_000_000, 1_000_000_000)
  const asset = { currency: `AT${ledgerNumber}`, ledger: ledgerNumber, scale: 2 }
  addOwnAsset(asset)
  return asset
}

/** A wallet and the account on the other side of all that happens to it. */
interface Place {
  asset: Asset
  walletId: string
  otherId: string
  /** Pending transfers that may still be resolved. */
  open: string[]
}

async function openPlace(asset: Asset): Promise<Place> {
  const [wallet, other] = [walletAccount(mintId(), asset), equityAccount(asset)]
  await createAccounts(ledger, [wallet, other])
  return { asset, walletId: wallet.id, otherId: other.id, open: [] }
}

type Step =
  | { kind: 'in' | 'out' | 'incoming'; amount: number }
  | { kind: 'reserve'; amount: number; code: 'hold' | 'withdrawal' | 'fee'; expires: boolean }
  | { kind: 'post' | 'void'; which: number; amount: number }

const amount = fc.integer({ min: 0, max: 50 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('in', 'in', 'out', 'incoming'), amount }),
  fc.record({
    kind: fc.constant('reserve'),
    amount,
    code: fc.constantFrom('hold', 'hold', 'withdrawal', 'fee'),
    expires: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('post', 'void'), which: fc.nat(), amount }),
)

/** A step as a transfer; undefined when there is nothing to resolve. The ledger may decline it. */
function toStep(place: Place, it: Step): Transfer | undefined {
  const id = mintId()
  if (it.kind === 'post' || it.kind === 'void') {
    const [pendingId] = place.open.splice(it.which % Math.max(1, place.open.length), 1)
    if (pendingId === undefined) return undefined
    const resolution = { id, pendingId, inputHash: 1 }
    return it.kind === 'void' ? toVoid(resolution) : toPost(resolution, BigInt(it.amount))
  }
  const isDebit = it.kind === 'out' || it.kind === 'reserve'
  const [debitAccountId, creditAccountId] = isDebit
    ? [place.walletId, place.otherId]
    : [place.otherId, place.walletId]
  const common = { debitAccountId, creditAccountId, asset: place.asset }
  const money = { ...common, amountMinor: BigInt(it.amount), code: TransferCode.payment }
  const names = { id, operationId: id, inputHash: 1 }
  if (it.kind !== 'reserve') {
    const isIncoming = it.kind === 'incoming'
    const hold = { ...money, code: TransferCode.hold, timeoutSeconds: 1 }
    return toTransfer(isIncoming ? hold : money, names)
  }
  place.open.push(id)
  const timeoutSeconds = it.expires ? 1 : 0
  return toTransfer({ ...money, code: TransferCode[it.code], timeoutSeconds }, names)
}

/** Everything that happened to a wallet, oldest first. */
async function readAll({ asset, walletId }: Place): Promise<Transfer[]> {
  const all: Transfer[] = []
  for (let after = 0n; ; ) {
    const page = await ledger.queryTransfers({
      user_data_128: 0n,
      user_data_64: 0n,
      user_data_32: 0,
      ledger: asset.ledger,
      code: 0,
      timestamp_min: after + 1n,
      timestamp_max: 0n,
      limit: 250,
      flags: 0,
    })
    all.push(...page)
    const last = page.at(-1)
    if (!last) break
    after = last.timestamp
  }
  const id = toLedgerId(walletId)
  return all.filter((it) => it.debit_account_id === id || it.credit_account_id === id)
}

/** What all transfers of a wallet before a moment amount to. */
function fold(walletId: string, transfers: readonly Transfer[], at: bigint) {
  const id = toLedgerId(walletId)
  let [postedMinor, heldMinor] = [0n, 0n]
  const before = transfers.filter(({ timestamp }) => timestamp < at)
  const resolved = new Set(before.map((it) => it.pending_id))
  for (const transfer of before) {
    const isPending = (transfer.flags & TransferFlags.pending) !== 0
    const isVoid = (transfer.flags & TransferFlags.void_pending_transfer) !== 0
    const isDebit = transfer.debit_account_id === id
    if (!isPending && !isVoid) postedMinor += isDebit ? -transfer.amount : transfer.amount
    const runsOut = transfer.timeout > 0 && deadlineOf(transfer) < at
    if (isPending && isDebit && !resolved.has(transfer.id) && !runsOut) heldMinor += transfer.amount
  }
  return { postedMinor, heldMinor, availableMinor: postedMinor - heldMinor }
}

/** Moments at which something changes, and right after. */
function momentsOf(transfers: readonly Transfer[]): bigint[] {
  const changes = transfers.flatMap((it) =>
    it.timeout > 0 ? [it.timestamp, deadlineOf(it)] : [it.timestamp],
  )
  return [1n, ...changes.flatMap((moment) => [moment, moment + 1n])]
}

test('it is what the transfers before the moment amount to, also after holds have run out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(step, { maxLength: 25 }), { minLength: 12, maxLength: 12 }),
      async (histories) => {
        const asset = newAsset()
        const places = await Promise.all(histories.map(() => openPlace(asset)))
        for (const [index, place] of places.entries()) {
          const funding: Step = { kind: 'in', amount: 100 }
          for (const it of [funding, ...(histories[index] ?? [])]) {
            const transfer = toStep(place, it)
            if (transfer) await ledger.createTransfers([transfer])
          }
        }
        // A balance is written again and again while holds run out.
        const end = (await readLedgerTime(ledger)) + 1_200_000_000n
        while ((await readLedgerTime(ledger)) < end) {
          const touch = places.map((place) => toStep(place, { kind: 'in', amount: 1 })!)
          await ledger.createTransfers(touch)
        }
        for (const place of places) {
          const transfers = await readAll(place)
          const few = transfers.filter(({ amount, flags }) => amount !== 1n || flags !== 0)
          const late = transfers.filter((_, position) => position % 40 === 0)
          const moments = momentsOf([...few, ...late])
          for (const at of moments) {
            const expected = fold(place.walletId, transfers, at)
            assert.equal(await readBalanceAt(ledger, place.walletId, at), expected, `at ${at}`)
          }
        }
      },
    ),
    { numRuns: 2, endOnFailure: true },
  )
})

test('an old hold is found behind hundreds of later ones', async () => {
  const place = await openPlace(newAsset())
  const later = 700
  const first = toStep(place, { kind: 'in', amount: 1_000_000 })!
  const old = toStep(place, { kind: 'reserve', amount: 7, code: 'hold', expires: false })!
  await ledger.createTransfers([first, old])
  for (let count = 0; count < later; count += 100) {
    place.open.length = 0
    const reserve = { kind: 'reserve', amount: 2, code: 'withdrawal', expires: false } as const
    const reserved = Array.from({ length: 100 }, () => toStep(place, reserve)!)
    const resolve = { kind: 'post', which: 0, amount: 1 } as const
    const posted = Array.from({ length: 100 }, () => toStep(place, resolve)!)
    await ledger.createTransfers([...reserved, ...posted])
  }
  const now = await readLedgerTime(ledger)
  const balance = await readBalanceAt(ledger, place.walletId, now)
  assert.equal(balance, {
    postedMinor: 999_300n,
    heldMinor: 7n,
    availableMinor: 999_293n,
  })
})

test('what is pending by a transfer of another code is no number but an error', async () => {
  const place = await openPlace(newAsset())
  const first = toStep(place, { kind: 'in', amount: 10 })!
  const hold = toStep(place, { kind: 'reserve', amount: 7, code: 'hold', expires: false })!
  await ledger.createTransfers([first, { ...hold, code: TransferCode.reward }])
  const now = await readLedgerTime(ledger)
  await assert.rejects(readBalanceAt(ledger, place.walletId, now), /unknown pending debits/)
})

test('a wallet without an account, or before its first transfer, has nothing', async () => {
  const nothing = { postedMinor: 0n, heldMinor: 0n, availableMinor: 0n }
  assert.equal(await readBalanceAt(ledger, mintId(), await readLedgerTime(ledger)), nothing)
  const place = await openPlace(newAsset())
  await ledger.createTransfers([toStep(place, { kind: 'in', amount: 10 })!])
  assert.equal(await readBalanceAt(ledger, place.walletId, 1n), nothing)
})

test.run()
