import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type Direction = 'requests' | 'answers'

export interface ProxyOptions {
  /** `host:port` of the server behind it. */
  target: string
  /** Sees what clients send, by the number of the connection. */
  onRequest?: (chunk: Buffer, connection: number) => void
}

/** A TCP proxy that can keep back what passes and break connections, as a bad network does. */
export interface TcpProxy {
  /** `host:port` for the clients. */
  readonly address: string
  /** Keeps back what goes into these directions, also on new connections; nothing is lost. */
  hold(...directions: Direction[]): void
  /** Lets everything pass that was kept back, and what follows. */
  release(): void
  /** Breaks every connection; what was on its way is lost. New ones are accepted. */
  cut(): void
  close(): Promise<void>
}

/** Starts a proxy on a free port. */
export async function startTcpProxy({ target, onRequest }: ProxyOptions): Promise<TcpProxy> {
  const [host = '', port = ''] = target.split(':')
  const pairs = new Set<Record<Direction, Socket>>()
  let held: readonly Direction[] = []
  let count = 0

  const server = createServer({ noDelay: true }, (client) => {
    count += 1
    const connection = count
    const upstream = connect({ host, port: Number(port), noDelay: true })
    const pair = { requests: client, answers: upstream }
    pairs.add(pair)
    client.on('data', (chunk) => {
      onRequest?.(chunk, connection)
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => client.write(chunk))
    for (const direction of held) pair[direction].pause()
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  function cut(): void {
    for (const { requests, answers } of [...pairs]) {
      requests.resetAndDestroy()
      answers.resetAndDestroy()
    }
  }

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(...directions) {
      held = directions
      for (const pair of pairs) for (const direction of directions) pair[direction].pause()
    },
    release() {
      held = []
      for (const { requests, answers } of pairs) {
        requests.resume()
        answers.resume()
      }
    },
    cut,
    async close() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}
