import { icon, stylesheet } from './assets.ts'
import { type Html, html, type Part } from './html.ts'

/** Why a form came back: a text above it, and texts at its fields by their names. */
export interface Failure {
  message: string
  fields: Readonly<Record<string, string>>
}

/** A whole page. `who` is the signed-in person, who can then sign out. */
export function layout(title: string, content: Html, who?: string): string {
  const account = html`<form method="post" action="/logout" class="account">
    <span class="who">${who}</span>
    <button class="quiet">Sign out</button>
  </form>`
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · Kassa</title>
  <link rel="icon" href="${icon.address}" type="image/svg+xml">
  <link rel="stylesheet" href="${stylesheet.address}">
</head>
<body>
  <header>
    <a class="brand" href="/"><img src="${icon.address}" alt="" width="26" height="26"> Kassa</a>
    ${who !== undefined && account}
  </header>
  <main>
${content}
  </main>
</body>
</html>
`.text
}

/** The text above a form that came back. */
export const alert = (failure: Failure | undefined): Part =>
  failure && html`<p class="alert" role="alert">${failure.message}</p>`

export interface FieldOptions {
  name: string
  label: string
  type?: 'text' | 'email' | 'password'
  value?: string | undefined
  /** Shown under the field, before anything is wrong. */
  hint?: string
  autocomplete?: string
  inputmode?: 'decimal'
  maxlength?: number
  required?: boolean
}

/** A labelled input with its hint and what is wrong with it. */
export function field(options: FieldOptions, failure?: Failure): Html {
  const { name, label, type = 'text', value = '', hint, inputmode, maxlength } = options
  const { autocomplete = 'off', required = true } = options
  const fault = failure?.fields[name]
  const described = fault !== undefined || hint !== undefined
  return html`<div class="field">
    <label for="${name}">${label}${!required && html` <small>optional</small>`}</label>
    <input id="${name}" name="${name}" type="${type}" value="${value}"
      autocomplete="${autocomplete}" autocapitalize="none" spellcheck="false"
      ${inputmode && html`inputmode="${inputmode}"`} ${maxlength && html`maxlength="${maxlength}"`}
      ${required && html`required`} ${fault !== undefined && html`aria-invalid="true"`}
      ${described && html`aria-describedby="${name}-note"`}>
    ${described && html`<p class="note" id="${name}-note">${fault ?? hint}</p>`}
  </div>`
}

/** A page with nothing but a message, such as an error, and where to go on. */
export function messagePage(
  title: string,
  message: string,
  who?: string,
  next = { address: '/', text: 'Back to the start' },
): string {
  const content = html`<section class="narrow">
    <h1>${title}</h1>
    <p>${message}</p>
    <p><a href="${next.address}">${next.text}</a></p>
  </section>`
  return layout(title, content, who)
}
