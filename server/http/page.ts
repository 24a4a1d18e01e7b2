/** What routes that answer with HTML share. */
import { z } from 'zod'
import type { Caller } from '../caller.ts'
import { type Failure, messagePage } from '../pages/layout.ts'
import type { Refusal } from '../refusals.ts'
import { explainRefusal, problemKinds, toRefusal } from './errors.ts'
import type { Answer } from './route.ts'

const html = { description: 'A page', contentType: 'text/html; charset=utf-8', body: z.string() }

/** The responses of every page: a refusal is a page with its status. */
export const pageResponses = {
  200: html,
  303: { description: 'Goes on elsewhere' },
  400: html,
  401: html,
  403: html,
  404: html,
  405: html,
  408: html,
  409: html,
  413: html,
  415: html,
  422: html,
  429: html,
  431: html,
  500: html,
  503: html,
} as const

export type PageAnswer = Answer<typeof pageResponses>
type PageStatus = Exclude<PageAnswer['status'], 303>

/** What every page's route has in common. */
export const pageSpec = {
  tags: ['Pages'],
  hidden: true,
  audited: false,
  responses: pageResponses,
  refusals: [],
} as const

/** Fields of a form, as a browser sends them. */
export const formFields = z.record(z.string(), z.string())

const pageHeaders = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  // Without a referrer browsers send `Origin: null` with a form, which says nothing of the origin.
  'Referrer-Policy': 'same-origin',
}

/** How a page names who is signed in. */
export function nameCaller({ name, username, email }: Caller): string {
  return name ?? username ?? email
}

/** A page. */
export function showPage(
  body: string,
  status: PageStatus = 200,
  headers: Readonly<Record<string, string>> = {},
): PageAnswer {
  return { status, body, headers: { ...pageHeaders, ...headers } }
}

/** After a form: the browser goes on by GET, so that a reload sends nothing twice. */
export function goTo(address: string): PageAnswer {
  return { status: 303, headers: { ...pageHeaders, Location: address } }
}

/** An error that a page can tell, as a refusal. What is a bug is thrown on. */
export function refusalOf(error: unknown): Refusal {
  const refusal = toRefusal(error)
  if (refusal.code === 'internal_error') throw error
  return refusal
}

/** A form that came back, with the status and headers of the refusal. */
export function showFailure(refusal: Refusal, render: (failure: Failure) => string): PageAnswer {
  const { status } = problemKinds[refusal.code]
  const { retryAfterSeconds } = refusal.options
  return showPage(render(toFailure(refusal)), status, {
    ...(status === 401 ? { 'WWW-Authenticate': 'Session realm="kassa"' } : {}),
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
  })
}

/** Answers what `work` refuses by a page that says so. */
export async function orSayWhy(
  who: string | undefined,
  work: () => Promise<PageAnswer>,
): Promise<PageAnswer> {
  try {
    return await work()
  } catch (error) {
    const refusal = refusalOf(error)
    const { title } = problemKinds[refusal.code]
    return showFailure(refusal, () => messagePage(title, explainRefusal(refusal), who))
  }
}

function toFailure(refusal: Refusal): Failure {
  const { code, options } = refusal
  const errors = options.errors ?? []
  const general =
    code === 'invalid_request' ? 'Please check what is marked.' : `${problemKinds[code].title}.`
  return {
    message: options.detail ?? general,
    fields: Object.fromEntries(
      errors.map(({ pointer, message }) => [pointer.replace('/', ''), message]),
    ),
  }
}
