import type { Random } from '../embedded/lib/random.ts'
import { type CrashChild, startCrashChild } from '../lib/crash.ts'
import type { World } from '../lib/world.ts'
import { type RoughLedger, startRoughLedger } from './rough-ledger.ts'

/** Kassas in processes of their own, each with a rough way to the ledger; now and then one is killed. */
export interface Processes {
  /** Of those that run now. */
  urls(): readonly string[]
  readonly counts: { kills: number; cuts: number; delays: number; blackouts: number }
  /** Nothing is disturbed any more, and all of them run. */
  calm(): Promise<void>
  stop(): Promise<void>
}

/** A process waits so long for the ledger. */
const ledgerDeadlineMs = 1_000
/** Time between two kills. */
const aliveMsMin = 3_000
const aliveMsMax = 9_000

export interface ProcessesOptions {
  count: number
  /** Says when something happens to them. */
  random: Random
  /** Takes each line that they write. */
  log: (line: string) => void
}

/** Starts processes on the servers of a world. */
export async function startProcesses(
  world: World,
  { count, random, log }: ProcessesOptions,
): Promise<Processes> {
  const { config } = world.deps
  const target = config.tigerbeetleAddresses.join()
  const ledgers: RoughLedger[] = []
  const children: (CrashChild | undefined)[] = []
  const sum = (name: keyof RoughLedger['counts']) =>
    ledgers.reduce((total, { counts }) => total + counts[name], 0)
  let kills = 0
  let timer: NodeJS.Timeout | undefined
  let isCalm = false
  let killing = Promise.resolve()

  const settings = {
    LEDGER_DEADLINE_MS: String(ledgerDeadlineMs),
    // All people come from one address.
    ADDRESS_SIGN_UPS: String(config.addressSignUps),
    ADDRESS_ATTEMPTS: '1000000',
    LOG_LEVEL: 'error',
  }
  const start = (index: number) =>
    startCrashChild(
      { ...config, tigerbeetleAddresses: [ledgers[index]!.address] },
      { settings, log },
    )

  for (let index = 0; index < count; index += 1) {
    ledgers.push(await startRoughLedger(target, random))
    children.push(await start(index))
  }

  async function kill(): Promise<void> {
    const index = random.below(count)
    const child = children[index]
    children[index] = undefined
    kills += 1
    await child?.kill()
    // Nothing of a process that is gone is carried out later: nobody could know when it is over.
    ledgers[index]?.abandon()
    children[index] = await start(index)
    killLater()
  }

  function killLater(): void {
    if (isCalm) return
    timer = setTimeout(
      () => {
        killing = kill()
      },
      aliveMsMin + random.below(aliveMsMax - aliveMsMin),
    )
  }

  async function calm(): Promise<void> {
    isCalm = true
    clearTimeout(timer)
    for (const ledger of ledgers) ledger.calm()
    await killing
  }

  killLater()
  return {
    urls: () => children.filter((child) => child !== undefined).map(({ url }) => url),
    get counts() {
      return { kills, cuts: sum('cuts'), delays: sum('delays'), blackouts: sum('blackouts') }
    },
    calm,
    async stop() {
      await calm()
      await Promise.all(children.map((child) => child?.kill()))
      await Promise.all(ledgers.map((ledger) => ledger.close()))
    },
  }
}
