/**
 * Kassa itself, its settings at their defaults. Beside the route that pays there is one that passes
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
import { createMeter, type Meter } from '../meter.ts'
import { constantTransfer } from './constant.ts'

const transferPath = '/v1/transfers'

const paying = routes.find(({ spec }) => spec.method === 'POST' && spec.path === transferPath)
if (!paying) throw new Error(`Kassa has no route POST ${transferPath}`)

/** Counts the payments, so that the books can be compared with what was answered. */
const payments = createMeter()
/** So that counting costs both routes the same. */
const constants = createMeter(() => false)

const counted = ({ spec, run }: Route, meter: Meter): Route => ({
  spec,
  run: (deps, request) => meter.count(run(deps, request)),
})

const constant = defineRoute(
  {
    ...paying.spec,
    path: '/v1/constant',
    responses: { 201: { description: 'A constant', body: z.unknown() } },
  },
  async () => ({
    status: 201,
    body: constantTransfer,
    headers: { Location: `${transferPath}/${constantTransfer.id}` },
  }),
)

const kassa = await startKassa(loadConfig(process.env))
const others = routes.filter((route) => route !== paying)
const server = createApp(kassa.deps, [
  ...others,
  counted(paying, payments),
  counted(constant, constants),
]).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

answerCalls(
  { start: () => ({ url: `http://127.0.0.1:${port}` }), usage: payments.usage },
  async () => {
    server.closeAllConnections()
    await kassa.stop()
  },
)
