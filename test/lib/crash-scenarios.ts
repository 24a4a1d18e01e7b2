/**
 * Requests that are killed by SIGKILL at a step of the work on them, one step after the other, and sent
 * again to a process that is started in place of the dead one. Which steps there are is learnt from an
 * undisturbed run. In the suite one of them is drawn anew in each run; `npm run soak:kills` takes all.
 */
import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type CrashChild, startCrashChild } from './crash.ts'
import { type Client, type Reply, sameSession } from './http.ts'
import { assert, type Suite } from './suite.ts'
import { until } from './until.ts'
import type { World } from './world.ts'

/** At how many steps of a request at most the process is killed. */
export const killSteps = Number(process.env.KILL_STEPS ?? 1)

/** A request in a situation of its own, and what must be true once it was sent again. */
export interface Scenario {
  client: Client
  send(client: Client): Promise<Reply>
  /** Whether it has a key or a reference, or is a step that can be repeated: it happens at most once. */
  isKeyed: boolean
  /** Called before it is sent again. */
  meanwhile?(): Promise<void>
  check(reply: Reply): Promise<void>
}

/** The same session, at another process. */
export function sessionAt(world: World, child: CrashChild, client: Client): Client {
  return sameSession(client, world.client(child.url))
}

/** Adds a test for each scenario; `world` is asked for when it runs. */
export function testScenarios(
  test: Suite,
  world: () => World,
  scenarios: Readonly<Record<string, () => Promise<Scenario>>>,
): void {
  // The process that one scenario leaves begins the next, because to start one takes long; but a fresh one
  // has more steps, so where all are wanted each scenario begins with its own.
  let child: CrashChild | undefined
  for (const [name, prepare] of Object.entries(scenarios)) {
    test(`${name}, killed at a step, happens exactly once`, async () => {
      const first = child ?? (await startCrashChild(world().deps.config))
      child = undefined
      const last = await killAtSteps(world(), prepare, first)
      if (killSteps === 1) child = last
      else await last.kill()
    })
  }
}

/** Answers a process that is still there. */
async function killAtSteps(
  world: World,
  prepare: () => Promise<Scenario>,
  first: CrashChild,
): Promise<CrashChild> {
  const steps = await learnSteps(world, first, await prepare())
  assert.ok(steps.length >= 2, steps.join())
  // Between the last change and the answer there is only reading: to die in either place is the same.
  const distinct = steps.map((_, index) => index + 1).filter((step) => step !== steps.length - 1)
  const queue = draw(distinct, killSteps)
  const work = async (child: CrashChild): Promise<CrashChild> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      child = await crashAt(world, child, await prepare(), step).catch((error: Error) => {
        error.message = `killed at step ${step}, ${steps[step! - 1]}: ${error.message}`
        throw error
      })
    }
    return child
  }
  // To start one more process for a single step would not be faster.
  const workers = Math.min(availableParallelism(), Math.ceil(queue.length / 2))
  const others = Array.from({ length: workers - 1 }, () => startCrashChild(world.deps.config))
  const [left, ...more] = await Promise.all([first, ...(await Promise.all(others))].map(work))
  await Promise.all(more.map((child) => child.kill()))
  return left!
}

/** Some of these, in no order. */
export function draw(all: readonly number[], count: number): number[] {
  const rest = [...all]
  const drawn: number[] = []
  while (rest.length > 0 && drawn.length < count) {
    drawn.push(...rest.splice(randomInt(rest.length), 1))
  }
  return drawn
}

/** The steps of a request that nothing disturbs. */
async function learnSteps(
  world: World,
  child: CrashChild,
  scenario: Scenario,
): Promise<readonly string[]> {
  await child.stopAt(0)
  await scenario.send(sessionAt(world, child, scenario.client))
  await until(() => child.steps.at(-1) === 'before the answer')
  return [...child.steps]
}

/** Kills the process at a step of the request; answers the process that was started in its place. */
async function crashAt(
  world: World,
  child: CrashChild,
  scenario: Scenario,
  step: number,
): Promise<CrashChild> {
  await child.stopAt(step)
  const sent = scenario.send(sessionAt(world, child, scenario.client)).catch(() => undefined)
  // A process that has worked before may need fewer steps: it remembers which accounts there are.
  const answer = await Promise.race([child.stopped().then(() => undefined), sent])
  let next = child
  if (answer) await child.stopAt(0)
  else {
    await child.kill()
    assert.is(await sent, undefined, 'there was no answer')
    next = await startCrashChild(world.deps.config)
  }
  await scenario.meanwhile?.()
  const again = sessionAt(world, next, scenario.client)
  const reply = await scenario.send(again)
  await scenario.check(reply)
  if (scenario.isKeyed) {
    const replay = await scenario.send(again)
    await scenario.check(replay)
    assert.is(replay.body.id ?? replay.body.code, reply.body.id ?? reply.body.code)
  }
  return next
}
