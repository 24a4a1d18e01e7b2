import pg from 'pg'

export interface ListenOptions {
  url: string
  /** A notification of one of the channels. */
  onNotification: (channel: string, payload: string) => void
  /** The connection is new: what was notified while there was none is not known. */
  onConnect: () => void
  /** Why there is no connection; it is tried again. */
  onError: (error: unknown) => void
}

export interface Listener {
  /** Whether every notification older than `withinMs` has surely been delivered. */
  isCurrent(withinMs: number): boolean
  close(): Promise<void>
}

/** How often the connection is asked for a sign of life; a lost one is tried again as often. */
const heartbeatMs = 250
const connectTimeoutMs = 5_000

/**
 * Listens on channels (trusted names) over a connection of its own until it is closed. PostgreSQL sends notifications
 * in order with the answers to queries, so the answer to a heartbeat proves that everything
 * notified before it has arrived.
 */
export async function listen(
  channels: readonly string[],
  options: ListenOptions,
): Promise<Listener> {
  let provenAtMs = Number.NEGATIVE_INFINITY
  let closed = false
  let client: pg.Client | undefined
  let wake: () => void = () => {}

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: options.url,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: connectTimeoutMs,
      application_name: 'kassa listen',
    })
    fresh.on('error', () => {})
    fresh.on('notification', ({ channel, payload }) =>
      options.onNotification(channel, payload ?? ''),
    )
    try {
      await fresh.connect()
      await fresh.query(channels.map((channel) => `LISTEN ${channel}`).join(';'))
      return fresh
    } catch (error) {
      fresh.end().catch(() => {})
      throw error
    }
  }

  async function beat(): Promise<void> {
    const askedAtMs = performance.now()
    if (!client) {
      client = await connect()
      options.onConnect()
    } else {
      await client.query('SELECT 1')
    }
    provenAtMs = askedAtMs
  }

  async function keepListening(): Promise<void> {
    while (!closed) {
      await beat().catch((error: unknown) => {
        provenAtMs = Number.NEGATIVE_INFINITY
        client?.end().catch(() => {})
        client = undefined
        if (!closed) options.onError(error)
      })
      if (closed) break
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, heartbeatMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    await client?.end()
  }

  await beat()
  const loop = keepListening()
  return {
    isCurrent: (withinMs) => performance.now() - provenAtMs < withinMs,
    async close() {
      closed = true
      wake()
      await loop
    },
  }
}
