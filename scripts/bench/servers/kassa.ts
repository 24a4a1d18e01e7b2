/**
 * Kassa itself, its settings at their defaults. Beside the routes that pay there is one that passes
 * the same middleware and the same validation, and then answers a constant.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { createApp } from '../../../server/app.ts'
import { loadConfig } from '../../../server/config.ts'
import { defineRoute, type Route } from '../../../server/http/route.ts'
import { startKassa } from '../../../server/main.ts'
import { routes } from '../../../server/routes/index.ts'
import { answerCalls } from '../child.ts'
import { createMeter } from '../meter.ts'
import { constantPath, payments, transferPath } from '../operations.ts'
import { constantTransfer } from './constant.ts'

const paying = routes.find(({ spec }) => spec.method === 'POST' && spec.path === transferPath)
if (!paying) throw new Error(`Kassa has no route POST ${transferPath}`)

const constant = defineRoute(
  {
    ...paying.spec,
    path: constantPath,
    responses: { 201: { description: 'A constant', body: z.unknown() } },
  },
  async () => ({
    status: 201,
    body: constantTransfer,
    headers: { Location: `${transferPath}/${constantTransfer.id}` },
  }),
)

/** By path of what is measured, whether it moves money. */
const moves = new Map([[constantPath, false]])
for (const { path, second } of payments) {
  moves.set(path, !second)
  if (second) moves.set(`${path}/{id}${second.ending}`, true)
}

/** Counts what is measured, so that the books can be compared with what was answered. */
const meter = createMeter()

function counted(route: Route): Route {
  const { spec, run } = route
  const moving = spec.method === 'POST' ? moves.get(spec.path) : undefined
  if (moving === undefined) return route
  return { spec, run: (deps, request) => meter.count(run(deps, request), moving) }
}

const kassa = await startKassa(loadConfig(process.env))
const server = createApp(kassa.deps, [...routes, constant].map(counted)).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

answerCalls(
  {
    start: () => ({ url: `http://127.0.0.1:${port}` }),
    usage: meter.usage,
    /** The most memory that the process has had. */
    peakBytes: () => process.resourceUsage().maxRSS * 1_024,
  },
  async () => {
    server.closeAllConnections()
    await kassa.stop()
  },
)
