import { setTimeout as wait } from 'node:timers/promises'
import { createClient } from 'tigerbeetle-node'
import type { Answer, TraceStep } from '../lib/trace-file.ts'
import { Player } from '../lib/trace-replay.ts'
import type { LedgerServer } from './servers.ts'

/** How long (milliseconds) a call may take; the client itself would wait forever. */
const deadlineMs = 60_000

/** One of two servers that get the same calls, through clients that take turns. */
export class Side {
  readonly server: LedgerServer
  private readonly clients: ReturnType<typeof createClient>[]
  private turn = 0
  private readonly player: Player

  constructor(server: LedgerServer, clientCount: number) {
    this.server = server
    const connect = () => createClient({ cluster_id: 0n, replica_addresses: [server.address] })
    this.clients = Array.from({ length: clientCount }, connect)
    this.player = new Player({
      client: () => this.clients[this.turn]!,
      reconnect: async () => {
        this.clients[this.turn]!.destroy()
        this.clients[this.turn] = connect()
      },
      sleep: (milliseconds) => wait(milliseconds),
    })
  }

  /** Plays one step. Rejects when the server has ended, or does not answer in time. */
  async play(step: TraceStep): Promise<Answer> {
    this.turn = (this.turn + 1) % this.clients.length
    const cancel = new AbortController()
    const silence = wait(deadlineMs, 'no answer in time', cancel)
    silence.catch(() => {}) // cancelled: the answer came first
    try {
      const fault = Promise.race([silence, this.server.died]).then((how): never => {
        throw new Error(how)
      })
      return steady(await Promise.race([this.player.play(step), fault]))
    } finally {
      cancel.abort()
    }
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.destroy()
    await this.server.stop()
  }
}

/**
 * Without the one time that two runs never have in common: that of an imported event which is in a
 * chain a second time, and which is taken back with the chain. It has no name, and lies in the past.
 */
function steady(answer: Answer): Answer {
  if (answer.calls) return { ...answer, calls: answer.calls.map(steady) }
  if (!answer.results) return answer
  const results = answer.results.map((result) => result.replace(/^(exists) now-\d+$/, '$1 earlier'))
  return { ...answer, results }
}
