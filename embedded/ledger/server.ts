import { createServer, type Server, type Socket } from 'node:net'
import { Connection, stallLimitMsDefault } from './connection.ts'
import { ExpiryTimer } from './expiry-timer.ts'
import type { Replica } from './replica.ts'

/** More sockets than sessions, because a client may come back before its old socket is seen dead. */
const connectionsMax = 256

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly replica: Replica
  /** Gets one line for each connection that had to be closed. */
  readonly report: (line: string) => void
  /** How long (milliseconds) after its last byte an incomplete message closes the connection. */
  readonly stallLimitMs?: number
}

export interface Listening {
  /** host:port, with the port that was really taken. */
  readonly address: string
  /** Closes the listening socket and all connections. */
  close(): Promise<void>
}

/** Serves TigerBeetle's client protocol on a TCP port; rejects when the port cannot be had. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { replica, report } = options
  const sockets = new Set<Socket>()
  const expiry = new ExpiryTimer(replica)
  const server = createServer((socket) => {
    sockets.add(socket)
    const from = `${socket.remoteAddress}:${socket.remotePort}`
    socket.on('close', () => sockets.delete(socket))
    new Connection({
      socket,
      replica,
      report: (reason) => report(`closed ${from}: it ${reason}`),
      stallLimitMs: options.stallLimitMs ?? stallLimitMsDefault,
    })
    socket.on('data', () => expiry.arm())
  })
  server.maxConnections = connectionsMax
  await listening(server, options.port, options.host)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  expiry.arm()
  return {
    address: `${options.host}:${address.port}`,
    async close() {
      expiry.stop()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
