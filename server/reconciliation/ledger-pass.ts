/** The ledger against itself: what TigerBeetle holds has to follow from its own transfers and the chart. */
import { findLedger } from '../../accounting/chart.ts'
import type { KeptCheckpoint } from '../../accounting/checkpoint.ts'
import { type Finding, type FindingKind, keptPerKind } from '../../accounting/findings.ts'
import { differenceOf } from '../../accounting/house.ts'
import { toUuid } from '../../accounting/ids.ts'
import { checkLedger } from '../../accounting/ledger-check.ts'
import type { CheckedAsset } from '../../accounting/ledger-sums.ts'
import {
  findNewestCheckpoint,
  hasCheckpoint,
  readCheckpointParts,
  type StoredCheckpoint,
} from '../../db/checkpoints.ts'
import type { Database } from '../../db/database.ts'
import { fromLedgerTime } from '../flows/ledger-time.ts'
import type { Break } from './break.ts'
import { learnCurrencies } from './currencies.ts'
import { ledgerBreakKinds } from './ledger-break-kinds.ts'
import type { CurrencyTotals, Pass } from './pass.ts'
import { scopeSince } from './since.ts'

/**
 * Compares every account and every transfer, and the newest checkpoint with them; or every account and
 * the transfers since a checkpoint. Finds nothing while money moves but what is wrong.
 */
export const ledgerPass: Pass<FindingKind> = {
  name: 'ledger',
  kinds: ledgerBreakKinds,
  async run({ db, ledger, since, takesCheckpoint = false }, progress) {
    const newest = since ?? (await findNewestCheckpoint(db))
    const kept = newest && toKept(db, newest)
    const checked = await checkLedger(ledger, {
      learnAssets: async () => void (await learnCurrencies(db)),
      onProgress: ({ transfers, from, at, upTo }) =>
        progress(Number(((at - from) * 1_000n) / (upTo - from)) / 1_000, `${transfers} transfers`),
      ...(since ? { since: kept } : { proves: kept }),
      takesCheckpoint,
    })
    const { asOf, transfers, accounts, assets, findings, checkpoint } = checked
    return {
      counts: { transfers, accounts },
      asOf: fromLedgerTime(asOf),
      totals: assets.map(toTotals),
      breaks: findings.kept.map((finding) => toBreak(finding, newest)),
      ...scopeSince(since),
      checkpoint,
      omitted: Object.fromEntries(
        [...findings.counts].flatMap(([kind, count]) =>
          count > keptPerKind ? [[kind, count - keptPerKind]] : [],
        ),
      ),
    }
  },
}

const toKept = (db: Database, checkpoint: StoredCheckpoint): KeptCheckpoint => ({
  ...checkpoint,
  readParts: () => readCheckpointParts(db, checkpoint.id),
  isStillThere: () => hasCheckpoint(db, checkpoint.id),
})

function toBreak(
  { kind, ids, ledger, at, detail, ...amounts }: Finding,
  checkpoint: StoredCheckpoint | undefined,
): Break<FindingKind> {
  const found = findLedger(ledger)
  const ledgerIds = ids.map(toUuid)
  const record = kind === 'checkpoint_differs' ? checkpoint?.id : undefined
  return {
    kind,
    subject: record ?? ledgerIds[0] ?? String(ledger),
    ledgerIds,
    recordIds: record === undefined ? [] : [`checkpoints:${record}`],
    statementLines: [],
    ...(found && { currency: found.asset.currency, ...amounts }),
    since: fromLedgerTime(at),
    detail,
  }
}

function toTotals({ asset: { currency }, totals, heldMinor }: CheckedAsset): CurrencyTotals {
  const { clearing, bank, receivable, wallet, suspense, liquidity, equity } = totals
  const { feeIncome, spreadIncome, paymentSystemIncome } = totals
  const { rewards, paymentSystemFees, writeOffs } = totals
  const income = feeIncome + spreadIncome + paymentSystemIncome
  return {
    currency,
    amounts: {
      assets: clearing + bank + receivable,
      customers: wallet,
      held: heldMinor,
      suspense,
      liquidity,
      equity,
      result: income - rewards - paymentSystemFees - writeOffs,
      difference: differenceOf({ totals }),
    },
  }
}
