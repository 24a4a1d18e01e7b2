import { z } from 'zod'
import { readReadiness } from '../flows/readiness.ts'
import { defineRoute } from '../http/route.ts'

const tags = ['Health'] as const

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
  async (deps) => {
    const servers = await readReadiness(deps)
    const isReady = servers.postgresql === 'ok' && servers.tigerbeetle === 'ok'
    return isReady
      ? { status: 200, body: { status: 'ok' as const, ...servers } }
      : { status: 503, body: { status: 'down' as const, ...servers } }
  },
)

export const healthRoutes = [livez, readyz]
