import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { toOpenApi } from '../http/openapi.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { sessionCookieName } from '../http/session.ts'
import { icon } from '../pages/assets.ts'

const tags = ['Documentation'] as const

/** What would need somebody else's servers is left out. */
const settings = JSON.stringify({
  agent: { disabled: true },
  hideClientButton: true,
  showDeveloperTools: 'never',
  telemetry: false,
  withDefaultFonts: false,
})

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kassa API</title>
<link rel="icon" href="${icon.address}" type="image/svg+xml">
</head>
<body>
<script id="api-reference" data-url="/openapi.json"
  data-configuration='${settings}'></script>
<script src="/docs/reference.js"></script>
</body>
</html>
`

/** The page builds its styles while it runs; it loads nothing from elsewhere. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The document, and a page to read it. */
export function documentationRoutes(routes: readonly Route[]): Route[] {
  return [getDocument(routes), getPage, getScript]
}

const getDocument = (routes: readonly Route[]) => {
  let document: Record<string, unknown> | undefined
  return defineRoute(
    {
      method: 'GET',
      path: '/openapi.json',
      summary: 'The API as an OpenAPI document',
      tags,
      caller: 'anyone',
      hidden: true,
      responses: { 200: { description: 'OpenAPI 3.1', body: z.record(z.string(), z.unknown()) } },
      refusals: [],
    },
    async ({ config }) => {
      document ??= toOpenApi(routes, sessionCookieName(config))
      return { status: 200, body: document }
    },
  )
}

const getPage = defineRoute(
  {
    method: 'GET',
    path: '/docs',
    summary: 'The document as a page',
    tags,
    caller: 'anyone',
    hidden: true,
    responses: { 200: { description: 'HTML', contentType: 'text/html', body: z.string() } },
    refusals: [],
  },
  async () => ({ status: 200, body: page, headers: { 'Content-Security-Policy': pagePolicy } }),
)

const getScript = defineRoute(
  {
    method: 'GET',
    path: '/docs/reference.js',
    summary: 'The script of the page',
    tags,
    caller: 'anyone',
    hidden: true,
    responses: { 200: { description: 'Script', contentType: 'text/javascript', body: z.string() } },
    refusals: [],
  },
  async () => ({
    status: 200,
    body: await readScript(),
    headers: { 'Cache-Control': 'public, max-age=3600' },
  }),
)

/** Read each time: the page is rarely asked for, and the script is large. */
function readScript(): Promise<string> {
  const entry = import.meta.resolve('@scalar/api-reference')
  return readFile(new URL('browser/standalone.js', entry), 'utf8')
}
