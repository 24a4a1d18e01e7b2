import { z } from 'zod'
import { pingDatabase } from '../../db/database.ts'
import { defineRoute } from '../http/route.ts'

const tags = ['Health'] as const

/** How long a server may take to answer before it counts as down. */
const probeDeadlineMs = 2_000

const livez = defineRoute(
  {
    method: 'GET',
    path: '/livez',
    summary: 'Whether the process runs',
    tags,
    caller: 'anyone',
    responses: { 200: { description: 'It does', body: z.object({ status: z.literal('ok') }) } },
    refusals: [],
  },
  async () => ({ status: 200, body: { status: 'ok' as const } }),
)

const state = z.enum(['ok', 'down'])
const readiness = z.object({ status: state, postgresql: state, tigerbeetle: state })

const readyz = defineRoute(
  {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether PostgreSQL and TigerBeetle answer',
    tags,
    caller: 'anyone',
    responses: {
      200: { description: 'Both answer', body: readiness },
      503: { description: 'One does not', body: readiness },
    },
    refusals: [],
  },
  async ({ db, ledger }) => {
    const [postgresql, tigerbeetle] = await Promise.all([
      probe(pingDatabase(db)),
      // No account has the id 1: the answer is an empty list, and it comes from the server.
      probe(ledger.lookupAccounts([1n])),
    ])
    const ready = postgresql === 'ok' && tigerbeetle === 'ok'
    const body = { status: ready ? 'ok' : 'down', postgresql, tigerbeetle } as const
    return ready ? { status: 200, body } : { status: 503, body }
  },
)

async function probe(answer: Promise<unknown>): Promise<'ok' | 'down'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'down'>((resolve) => {
    timer = setTimeout(resolve, probeDeadlineMs, 'down')
  })
  const asked = answer.then(
    () => 'ok' as const,
    () => 'down' as const,
  )
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}

export const healthRoutes = [livez, readyz]
