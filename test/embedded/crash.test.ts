import { viewOf } from '../../embedded/ledger/checksum.ts'
import { at, commands, replyAt } from '../../embedded/ledger/header.ts'
import type { Ledger } from '../../embedded/ledger/ledger.ts'
import type { Peer } from '../../embedded/ledger/replica.ts'
import { isRead } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { type CrashPoint, fingerprint, type History, openSim, runHistory } from './lib/history.ts'
import { type Random, randomFrom } from './lib/random.ts'
import { crash, type Fault, type Moment, SimStorage } from './lib/sim-storage.ts'

/** The suite's share; the soak asks for more. */
const crashPoints = Number(process.env.CRASH_POINTS ?? 3_000)
const firstSeed = Number(process.env.CRASH_SEED ?? 1)
/** An hour before any timestamp of a history: the clock has gone back. */
const oldClock = () => 1_600_000_000_000_000_000n

const test = suite('crashes of a simulated disk')

test(`${crashPoints} crash points: what was answered is there, once`, async () => {
  let points = 0
  for (let seed = firstSeed; points < crashPoints; seed++) points += await checkHistory(seed)
})

/**
 * What longer runs have found. 814936593: killed while a first segment was made, then a power cut in
 * the recovery that kept the name of the new state file, but not that of the segment.
 */
const foundSeeds = [814936593]

test('crash points that were not survived once', async () => {
  for (const seed of foundSeeds) await checkHistory(seed)
})

test('a disk that fails or is full for a while: no answer is a lie', async () => {
  for (let seed = firstSeed; seed < firstSeed + 100; seed++) {
    const random = randomFrom(1_000_000 + seed)
    let bad = 0
    const fault = (): Fault => {
      if (bad === 0 && random.chance(0.03)) bad = 1 + random.below(5)
      if (bad > 0) bad--
      return bad === 0 ? null : seed % 2 === 0 ? 'ENOSPC' : 'EIO'
    }
    const history = await runHistory(random, 60, { fault })
    const last = history.points.at(-1)
    if (last !== undefined) await checkCrash(history, last, random, `fault seed ${seed}`)
  }
})

test.run()

/** Crashes at every point of a random history. Answers how many there were. */
async function checkHistory(seed: number): Promise<number> {
  const random = randomFrom(seed)
  const history = await runHistory(random, 60)
  assert.is(history.failure, null)
  for (const [index, point] of history.points.entries()) {
    await checkCrash(history, point, random, `seed ${seed}, point ${index}`)
  }
  return history.points.length
}

/** Crashes at a point, recovers, and holds the result against what clients were told. */
async function checkCrash(
  history: History,
  point: CrashPoint,
  random: Random,
  name: string,
): Promise<void> {
  // A process that is killed leaves what it wrote to the operating system, not yet on disk.
  let disk = random.chance(0.2) ? point.moment : crash(point.moment, random)
  // Sometimes the machine crashes again while it recovers.
  if (random.chance(0.1)) disk = await crashDuringRecovery(disk, random)
  const { ledger, storage } = await reopen(disk, random, name)
  const { op, timestamp } = ledger.replica
  assert.ok(op >= point.answeredOp, `${name}: op ${point.answeredOp} was answered, ${op} is there`)
  assert.ok(op < history.fingerprints.length, `${name}: op ${op} was never made`)
  assert.is(fingerprint(ledger.replica), history.fingerprints[op], `${name}: state after op ${op}`)
  await resend(ledger, point, random, name)
  assert.ok(ledger.replica.timestamp >= timestamp, `${name}: timestamps rise`)
  const after = fingerprint(ledger.replica)
  if (random.chance(0.7)) return
  if (random.chance(0.3)) await ledger.close()
  const again = await reopen(crash(storage.moment, random), random, name)
  assert.is(fingerprint(again.ledger.replica), after, `${name}: reopened`)
  await again.ledger.close()
}

async function reopen(disk: Moment, random: Random, name: string) {
  const storage = new SimStorage({ random }, disk)
  const fail = (error: Error) => {
    throw error
  }
  try {
    return { storage, ledger: await openSim(storage, oldClock, fail) }
  } catch (error) {
    throw new Error(`${name}: ${error}`, { cause: error })
  }
}

async function crashDuringRecovery(disk: Moment, random: Random): Promise<Moment> {
  const moments: Moment[] = [disk]
  const storage = new SimStorage({ random, onMoment: (moment) => moments.push(moment) }, disk)
  const ledger = await openSim(storage, oldClock, () => {})
  await ledger.close()
  return crash(random.pick(moments), random)
}

/** Clients come back and send their last request again: the answer is the same, or the first one. */
async function resend(
  ledger: Ledger,
  point: CrashPoint,
  random: Random,
  name: string,
): Promise<void> {
  for (const { request, reply } of point.clients) {
    if (random.chance(0.3)) continue
    const answer = await ask(ledger, request)
    assert.is(viewOf(answer).getUint8(at.command), commands.reply, `${name}: a reply`)
    // A read is executed again, and may then see more.
    if (reply === null || isRead(viewOf(reply).getUint8(replyAt.operation))) continue
    assert.ok(Buffer.from(answer).equals(reply), `${name}: the same reply again`)
  }
}

function ask(ledger: Ledger, request: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const peer: Peer = { send: resolve }
    ledger.replica.receive(peer, viewOf(request), 0)
  })
}
