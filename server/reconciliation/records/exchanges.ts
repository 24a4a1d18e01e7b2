/** Each exchange was made at the terms of its quote. */
import { ControlCode, findAsset, TransferCode } from '../../../accounting/chart.ts'
import { exchangeId } from '../../../accounting/exchange.ts'
import { toUuid } from '../../../accounting/ids.ts'
import { phaseOf } from '../../../accounting/transfers.ts'
import { byId, findQuoteRows, findWalletRows } from '../../../db/record-rows.ts'
import {
  amountsOf,
  operationOf,
  type RecordCheck,
  type RecordContext,
  type Seen,
  type Transfer,
} from './context.ts'

type QuoteRow = Awaited<ReturnType<typeof findQuoteRows>>[number]

/** The sale stands for an exchange; the legs that debit the house's liquidity never come without it. */
export const exchanges: RecordCheck = {
  codes: [ControlCode.quote, TransferCode.exchange_sale],
  async compare(context, seen) {
    const isRight = ({ transfer }: Seen) => transfer.code === ControlCode.quote
    await compareRights(context, seen.filter(isRight))
    await compareSales(
      context,
      seen.filter((it) => !isRight(it)),
    )
  },
}

async function compareRights({ trx, report }: RecordContext, seen: readonly Seen[]): Promise<void> {
  const rights = seen.filter(({ transfer }) => phaseOf(transfer.flags) === 'pending')
  const ids = rights.map(({ operationId }) => operationId)
  const quotes = byId(await findQuoteRows(trx, 'id', ids))
  for (const { transfer, operationId: subject } of rights) {
    if (quotes.has(subject)) continue
    const place = { subject, ledgerIds: [transfer.id], since: transfer.timestamp }
    const detail = 'There is a right to exchange, and no quote with its terms.'
    report({ kind: 'exchange_without_quote', ...place, detail })
  }
}

async function compareSales({ trx, report }: RecordContext, seen: readonly Seen[]): Promise<void> {
  const ids = seen.map(({ operationId }) => operationId)
  const rows = await findQuoteRows(trx, 'exchange_id', ids)
  const quotes = new Map(rows.map((row) => [row.exchange_id, row]))
  const payers = seen.map(({ transfer }) => toUuid(transfer.debit_account_id))
  const wallets = byId(await findWalletRows(trx, payers))
  for (const { transfer, operationId: subject, chain } of seen) {
    const legs = chain.filter((leg) => leg.user_data_128 === transfer.user_data_128)
    const place = { subject, ledgerIds: legs.map(({ id }) => id), since: transfer.timestamp }
    const quote = quotes.get(subject)
    if (!quote) {
      const use = findUse(chain)
      // Of a quote that is gone, its right tells.
      if (use && exchangeId(operationOf(use)) === subject) continue
      const detail = 'There is an exchange, and no quote with its terms.'
      report({ kind: 'exchange_without_quote', ...place, amounts: amountsOf(transfer), detail })
      continue
    }
    const owner = wallets.get(toUuid(transfer.debit_account_id))?.user_id
    const faults = findFaults(chain, legs, quote)
    if (owner !== quote.user_id) faults.push('it is from the wallet of somebody else')
    if (faults.length === 0) continue
    const recordIds = [`quotes:${quote.id}`]
    const amounts = amountsOf(transfer, BigInt(quote.from_minor))
    const detail = `Of this exchange: ${faults.join('; ')}.`
    report({ kind: 'exchange_differs', ...place, recordIds, amounts, detail })
  }
}

const findUse = (chain: Seen['chain']): Transfer | undefined =>
  chain.find(({ code, flags }) => code === ControlCode.quote && phaseOf(flags) === 'post')

function findFaults(chain: Seen['chain'], legs: readonly Transfer[], quote: QuoteRow): string[] {
  const find = (code: number) => legs.find((leg) => leg.code === code)
  const [sale, purchase] = [find(TransferCode.exchange_sale), find(TransferCode.exchange_purchase)]
  const [spread, fee] = [find(TransferCode.exchange_spread), find(TransferCode.fee)]
  const use = findUse(chain)
  const isSame = (leg: Transfer | undefined, currency: string, minor: string | null) =>
    (leg?.amount ?? 0n) === BigInt(minor ?? 0) &&
    (leg === undefined || leg.ledger === findAsset(currency)?.ledger)
  const terms = [
    [isSame(sale, quote.from_currency, quote.from_minor), 'what was given is not as quoted'],
    [isSame(purchase, quote.to_currency, quote.to_minor), 'what was got is not as quoted'],
    [isSame(spread, quote.to_currency, quote.spread_minor), 'the spread is not as quoted'],
    [isSame(fee, quote.from_currency, quote.fee_minor), 'the fee is not as quoted'],
    [(fee?.user_data_64 ?? null) === quote.fee_number, 'the fee is not by the schedule quoted'],
    [use && operationOf(use) === quote.id, 'it did not use the right of its quote'],
  ] as const
  return terms.flatMap(([holds, fault]) => (holds ? [] : [fault]))
}
