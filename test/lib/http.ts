import { Agent, request } from 'undici'

/** A parsed JSON body, as free of types as JSON.parse leaves it. */
export type Json = ReturnType<typeof JSON.parse>

export interface Reply {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
  /** Undefined when the body is not JSON. */
  body: Json
}

export interface RequestOptions {
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as form fields. */
  form?: Record<string, string>
  /** Sent as it is. */
  text?: string
}

/** Sees every request and reply of a client. */
export type Observe = (method: string, path: string, reply: Reply) => void

/** An HTTP client with a cookie jar, as a browser or a script keeps it. */
export interface Client {
  readonly cookies: Map<string, string>
  send(method: string, path: string, options?: RequestOptions): Promise<Reply>
  get(path: string, options?: RequestOptions): Promise<Reply>
  post(path: string, json: unknown, options?: RequestOptions): Promise<Reply>
  delete(path: string, options?: RequestOptions): Promise<Reply>
}

/** Makes a client of the server at `url`; `agent` has to be closed by who made it. */
export function createClient(url: string, agent: Agent, observe: Observe = () => {}): Client {
  const cookies = new Map<string, string>()

  async function send(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const { json, form, text } = options
    const headers: Record<string, string> = {}
    if (json !== undefined) headers['content-type'] = 'application/json'
    if (form !== undefined) headers['content-type'] = 'application/x-www-form-urlencoded'
    if (cookies.size > 0) headers.cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    Object.assign(headers, options.headers)
    const body =
      text ??
      (json !== undefined ? JSON.stringify(json) : undefined) ??
      (form !== undefined ? new URLSearchParams(form).toString() : null)
    const response = await request(new URL(path, url), {
      method: method as 'GET',
      headers,
      body,
      dispatcher: agent,
    })
    keepCookies(cookies, response.headers['set-cookie'])
    const received = await response.body.text()
    const isJson = /[/+]json/.test(String(response.headers['content-type']))
    const reply = {
      status: response.statusCode,
      headers: response.headers,
      text: received,
      body: isJson && received !== '' ? JSON.parse(received) : undefined,
    }
    observe(method, path, reply)
    return reply
  }

  return {
    cookies,
    send,
    get: (path, options) => send('GET', path, options),
    post: (path, json, options) => send('POST', path, { ...options, json }),
    delete: (path, options) => send('DELETE', path, options),
  }
}

/** Keeps connections open between requests; to be closed at the end. */
export const createAgent = () => new Agent({ keepAliveTimeout: 5_000 })

/** The value of an Authorization header for HTTP Basic. */
export function basic(email: string, password: string): Record<string, string> {
  const credentials = Buffer.from(`${email}:${password}`).toString('base64')
  return { authorization: `Basic ${credentials}` }
}

function keepCookies(cookies: Map<string, string>, header: string | string[] | undefined): void {
  for (const line of [header ?? []].flat()) {
    const [pair = '', ...attributes] = line.split(/; */)
    const name = pair.slice(0, pair.indexOf('='))
    const expires = attributes.find((attribute) => /^expires=/i.test(attribute))
    const isOver =
      expires !== undefined && Date.parse(expires.slice('expires='.length)) <= Date.now()
    if (isOver) cookies.delete(name)
    else cookies.set(name, pair.slice(name.length + 1))
  }
}

/** Gives a client the session of another, for instance at another process. */
export function sameSession(from: Client, to: Client): Client {
  for (const [name, value] of from.cookies) to.cookies.set(name, value)
  return to
}

/** Whether an answer says that it is that of an earlier try. */
export const isReplay = ({ headers }: Pick<Reply, 'headers'>): boolean =>
  headers['idempotency-replayed'] === 'true'
