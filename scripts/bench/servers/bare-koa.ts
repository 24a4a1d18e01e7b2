/** A bare Koa app that answers a constant: the most that Koa can do on this machine. */
import { answerCalls } from '../child.ts'
import { createMeter } from '../meter.ts'
import { serveBareApp } from './bare-app.ts'
import { constantTransfer } from './constant.ts'

const meter = createMeter(() => false)
const app = await serveBareApp(() => meter.count(Promise.resolve(constantTransfer)))

answerCalls({ start: () => ({ url: app.url }), usage: meter.usage }, app.close)
