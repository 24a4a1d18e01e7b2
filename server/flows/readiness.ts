import { pingDatabase } from '../../db/database.ts'
import type { Deps } from '../deps.ts'

export type ServerState = 'ok' | 'down'

export interface Readiness {
  postgresql: ServerState
  tigerbeetle: ServerState
}

/** How long a server may take to answer before it counts as down. */
const deadlineMs = 2_000

/** Asks both servers for a sign of life. */
export async function readReadiness({
  db,
  ledger,
}: Pick<Deps, 'db' | 'ledger'>): Promise<Readiness> {
  const [postgresql, tigerbeetle] = await Promise.all([
    probe(pingDatabase(db)),
    // There is no account 1, but that it does not exist has to be said by the server.
    probe(ledger.lookupAccounts([1n])),
  ])
  return { postgresql, tigerbeetle }
}

async function probe(answer: Promise<unknown>): Promise<ServerState> {
  const { promise: late, resolve } = Promise.withResolvers<ServerState>()
  const timer = setTimeout(resolve, deadlineMs, 'down')
  const asked = answer.then(
    (): ServerState => 'ok',
    (): ServerState => 'down',
  )
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}
