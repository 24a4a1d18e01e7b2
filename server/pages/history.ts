import { nameCounterparty } from '../flows/describe-transaction.ts'
import { showLedgerTime } from '../flows/ledger-time.ts'
import type { Transaction } from '../flows/wallet-history.ts'
import { formatForPeople, formatNumber, showMoment } from './format.ts'
import { type Html, html } from './html.ts'

/** A page of a wallet's transactions, newest first, with a link to older ones. */
export function historyPart(
  { number, currency }: { number: string; currency: string },
  transactions: readonly Transaction[],
  nextCursor: string | null,
): Html {
  const older =
    nextCursor !== null &&
    html`<p class="aside"><a href="/?wallet=${number}&amp;cursor=${nextCursor}">Older</a></p>`
  return html`<section aria-labelledby="history" class="history">
    <h2 id="history">Transactions</h2>
    ${transactions.length === 0 ? nothingYet(number) : transactionTable(currency, transactions)}
    ${older}
  </section>`
}

function nothingYet(number: string): Html {
  return html`<p class="empty">Nothing yet. Money that is sent to wallet
    <strong>${formatNumber(number)}</strong> will be shown here.</p>`
}

function transactionTable(currency: string, transactions: readonly Transaction[]): Html {
  return html`<table>
    <thead>
      <tr><th scope="col">Who and when</th><th scope="col">Amount</th><th scope="col">Balance, ${currency}</th></tr>
    </thead>
    <tbody>${transactions.map(transactionRow)}</tbody>
  </table>`
}

/** What a transaction does that moves no money. */
const reservations: Partial<Record<Transaction['phase'], string>> = {
  pending: ', reserved',
  void: ', given back',
}
const signs = { in: '+', out: '\u2212' } as const

function transactionRow(entry: Transaction): Html {
  const { direction, phase, currency, memo } = entry
  const reservation = reservations[phase]
  const sign = reservation === undefined ? signs[direction] : ''
  const amount = formatForPeople(entry.amountMinor, currency)
  return html`<tr>
    <td>
      <span class="party">${nameCounterparty(entry.counterparty)}</span>
      ${memo !== null && html`<span class="memo">${memo}</span>`}
      <span class="when">${entry.kind.replaceAll('_', ' ')}${reservation} · ${showMoment(showLedgerTime(entry.timestamp))}</span>
    </td>
    <td class="amount ${direction}">${sign}${amount}</td>
    <td class="amount after">${formatForPeople(entry.balanceAfterMinor, currency)}</td>
  </tr>`
}
