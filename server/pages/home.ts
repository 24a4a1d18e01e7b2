import type { Transaction, WalletWithBalance } from '../flows/wallet-history.ts'
import { formatForPeople, formatNumber } from './format.ts'
import { historyPart } from './history.ts'
import { type Html, html } from './html.ts'
import { type Failure, layout } from './layout.ts'
import { type PaymentForm, paymentPart } from './payment.ts'

/** What the page of a signed-in customer shows. */
export type HomeView = {
  who: string
  currencies: readonly string[]
  wallets: readonly WalletWithBalance[]
  /** What has just happened. */
  notice?: string | undefined
  failure?: Failure | undefined
} & (SelectedWallet | { selected: undefined })

interface SelectedWallet {
  /** The wallet whose transactions are shown. */
  selected: WalletWithBalance
  transactions: readonly Transaction[]
  /** Names the next page of older transactions. */
  nextCursor: string | null
  payment: PaymentForm
}

/** Wallets with balances, the form to pay, and what went in and out of the selected wallet. */
export function homePage(view: HomeView): string {
  const { wallets, selected, currencies, notice } = view
  const content = html`${notice !== undefined && html`<p class="notice" role="status" id="notice">${notice}</p>`}
  <section aria-labelledby="wallets">
    <h1 id="wallets">Wallets</h1>
    ${owedPart(wallets)}
    <ul class="wallets">${wallets.map((wallet) => walletCard(wallet, wallet === selected))}</ul>
    ${openWalletPart(currencies)}
  </section>
  ${
    selected &&
    html`<div class="columns">
      ${paymentPart(view.payment, selected, wallets, view.failure)}
      ${historyPart(selected, view.transactions, view.nextCursor)}
    </div>`
  }`
  return layout('Wallets', content, view.who)
}

const stateNames = { frozen: 'Frozen', closing: 'Being closed', closed: 'Closed' } as const

/** What is owed is owed in a currency, whichever wallets of it there are. */
function owedPart(wallets: readonly WalletWithBalance[]): Html[] {
  const owed = new Map(wallets.map(({ currency, owedMinor }) => [currency, owedMinor]))
  return [...owed]
    .filter(([, minor]) => minor > 0n)
    .map(
      ([
        currency,
        minor,
      ]) => html`<p class="notice">You owe ${formatForPeople(minor, currency)} ${currency}: a
        deposit was taken back. The next deposits pay it first.</p>`,
    )
}

function walletCard(wallet: WalletWithBalance, isSelected: boolean): Html {
  const { number, currency, balance, state } = wallet
  const held =
    balance.heldMinor > 0n &&
    html`<span class="held">${formatForPeople(balance.postedMinor, currency)} posted,
      ${formatForPeople(balance.heldMinor, currency)} held</span>`
  return html`<li>
    <a class="wallet" href="/?wallet=${number}" ${isSelected && html`aria-current="true"`}>
      <span class="currency">${currency}</span>
      <span class="balance">${formatForPeople(balance.availableMinor, currency)}</span>
      ${held}
      ${state !== 'active' && html`<span class="held">${stateNames[state]}</span>`}
      <span class="number">No. ${formatNumber(number)}</span>
    </a>
  </li>`
}

function openWalletPart(currencies: readonly string[]): Html {
  return html`<details class="open-wallet">
    <summary>Open another wallet</summary>
    <form method="post" action="/wallets" class="row">
      <label for="currency">Currency</label>
      <select id="currency" name="currency">
        ${currencies.map((currency) => html`<option>${currency}</option>`)}
      </select>
      <button>Open</button>
    </form>
  </details>`
}
