import { showAmount } from '../flows/amount.ts'
import { type Html, html } from './html.ts'

/** Between groups of three digits; narrow, and no line break there. */
const groupSeparator = '\u202f'
const minus = '\u2212'

/** An amount for people: "1 234.50", with a real minus sign. */
export function formatForPeople(minor: bigint, currency: string): string {
  const [whole = '', fraction] = showAmount(minor, currency).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, groupSeparator).replace('-', minus)
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}

const day = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
})
const minute = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  hour: '2-digit',
  minute: '2-digit',
})

/** A moment (RFC 3339) for people: day and minute in UTC. */
export function showMoment(moment: string): Html {
  const date = new Date(moment)
  return html`<time datetime="${moment}">${day.format(date)}, ${minute.format(date)} UTC</time>`
}

/** A wallet number in groups that can be read aloud: "1234 567 890". */
export function formatNumber(number: string): string {
  const parts = /^(\d{4})(\d{3})(\d{3})$/.exec(number)
  return parts ? parts.slice(1).join(groupSeparator) : number
}
