/** The ledger against itself: what TigerBeetle holds has to follow from its own transfers and the chart. */
import { findLedger } from '../../accounting/chart.ts'
import { type Finding, type FindingKind, keptPerKind } from '../../accounting/findings.ts'
import { differenceOf } from '../../accounting/house.ts'
import { toUuid } from '../../accounting/ids.ts'
import { type CheckedAsset, checkLedger } from '../../accounting/ledger-check.ts'
import { fromLedgerTime } from '../flows/ledger-time.ts'
import type { Break } from './break.ts'
import { learnCurrencies } from './currencies.ts'
import { ledgerBreakKinds } from './ledger-break-kinds.ts'
import type { CurrencyTotals, Pass } from './pass.ts'

/** Compares every account and every transfer; finds nothing while money moves but what is wrong. */
export const ledgerPass: Pass<FindingKind> = {
  name: 'ledger',
  kinds: ledgerBreakKinds,
  async run({ db, ledger }, progress) {
    const checked = await checkLedger(ledger, {
      learnAssets: async () => void (await learnCurrencies(db)),
      onProgress: ({ transfers, from, at, upTo }) =>
        progress(Number(((at - from) * 1_000n) / (upTo - from)) / 1_000, `${transfers} transfers`),
    })
    const { asOf, transfers, accounts, assets, findings } = checked
    return {
      counts: { transfers, accounts },
      asOf: fromLedgerTime(asOf),
      totals: assets.map(toTotals),
      breaks: findings.kept.map(toBreak),
      omitted: Object.fromEntries(
        [...findings.counts].flatMap(([kind, count]) =>
          count > keptPerKind ? [[kind, count - keptPerKind]] : [],
        ),
      ),
    }
  },
}

function toBreak({ kind, ids, ledger, at, detail, ...amounts }: Finding): Break<FindingKind> {
  const found = findLedger(ledger)
  const ledgerIds = ids.map(toUuid)
  return {
    kind,
    subject: ledgerIds[0] ?? String(ledger),
    ledgerIds,
    recordIds: [],
    statementLines: [],
    ...(found && { currency: found.asset.currency, ...amounts }),
    since: fromLedgerTime(at),
    detail,
  }
}

function toTotals({ asset: { currency }, totals, heldMinor }: CheckedAsset): CurrencyTotals {
  const { clearing, bank, receivable, wallet, suspense, liquidity, equity } = totals
  const { feeIncome, spreadIncome, rewards, paymentSystemFees, writeOffs } = totals
  return {
    currency,
    amounts: {
      assets: clearing + bank + receivable,
      customers: wallet,
      held: heldMinor,
      suspense,
      liquidity,
      equity,
      result: feeIncome + spreadIncome - rewards - paymentSystemFees - writeOffs,
      difference: differenceOf({ totals }),
    },
  }
}
