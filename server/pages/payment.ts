import { randomUUID } from 'node:crypto'
import { nameCounterparty } from '../flows/describe-transaction.ts'
import type { Transaction, WalletWithBalance } from '../flows/wallet-history.ts'
import { formatForPeople } from './format.ts'
import { type Html, html } from './html.ts'
import { alert, type Failure, field, layout } from './layout.ts'

/** The fields of the form to pay, as they were typed. */
export interface PaymentForm {
  /** The paying wallet's number. */
  from: string
  /** A username or a wallet number. */
  to: string
  amount: string
  memo: string
  /** The idempotency key: minted with each form, so that one form pays once however often it is sent. */
  key: string
}

/** A form with nothing typed yet. */
export function emptyPayment(from: string): PaymentForm {
  return { from, to: '', amount: '', memo: '', key: randomUUID() }
}

/** The form to pay someone. */
export function paymentPart(
  form: PaymentForm,
  selected: WalletWithBalance,
  wallets: readonly WalletWithBalance[],
  failure: Failure | undefined,
): Html {
  const active = wallets.filter(({ state }) => state === 'active')
  if (selected.state !== 'active' || active.length === 0) {
    return html`<section aria-labelledby="pay" class="pay">
      <h2 id="pay">Pay someone</h2>
      <p>Nothing can be paid from this wallet: it is ${selected.state}.</p>
    </section>`
  }
  return html`<section aria-labelledby="pay" class="pay">
    <h2 id="pay">Pay someone</h2>
    ${alert(failure)}
    <form method="post" action="/pay#pay">
      <input type="hidden" name="key" value="${form.key}">
      ${fromField(form.from, active)}
      ${field({ name: 'to', label: 'To', value: form.to, hint: 'A username or a wallet number' }, failure)}
      ${field({ name: 'amount', label: 'Amount', value: form.amount, inputmode: 'decimal' }, failure)}
      ${field({ name: 'memo', label: 'Memo', value: form.memo, required: false, maxlength: 200 }, failure)}
      <button>Pay</button>
    </form>
  </section>`
}

function fromField(from: string, wallets: readonly WalletWithBalance[]): Html {
  if (wallets.length === 1) return html`<input type="hidden" name="from" value="${from}">`
  return html`<div class="field">
    <label for="from">From</label>
    <select id="from" name="from">
      ${wallets.map(
        ({ number, currency, balance }) =>
          html`<option value="${number}" ${number === from && html`selected`}>${currency} ${formatForPeople(balance.availableMinor, currency)} · ${number}</option>`,
      )}
    </select>
  </div>`
}

/**
 * After an answer that leaves a doubt, or when nothing was done for now: a button that sends the very
 * same form again. It has the same key, so it cannot pay twice.
 */
export function paymentAgainPage(form: PaymentForm, message: string, who: string): string {
  const fields = Object.entries(form).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )
  const content = html`<section class="narrow">
    <h1>Your payment</h1>
    <p class="alert" role="alert">${message}</p>
    <p>${form.amount} to ${form.to}. Sending it again is safe: it pays once.</p>
    <form method="post" action="/pay#pay">${fields}<button>Send it again</button></form>
  </section>`
  return layout('Your payment', content, who)
}

/** What is said after a payment and its fee, if it had one; `again` when its form was sent before. */
export function paidNotice(
  payment: Transaction,
  fee: Transaction | undefined,
  again: boolean,
): string {
  const show = ({ amountMinor, currency }: Transaction) =>
    `${formatForPeople(amountMinor, currency)} ${currency}`
  const cost = fee ? `, and a fee of ${show(fee)}` : ''
  const paid = `Paid ${show(payment)} to ${nameCounterparty(payment.counterparty)}${cost}.`
  return again ? `${paid} The form was sent more than once; it has paid once.` : paid
}
