import { DamageError, FormatError } from '../../embedded/ledger/storage.ts'
import { assert, suite } from '../lib/suite.ts'
import { fingerprint, openSim, runHistory } from './lib/history.ts'
import { randomFrom } from './lib/random.ts'
import { damage, filesOf, type Moment, SimStorage } from './lib/sim-storage.ts'

const test = suite('damage and formats')
const random = randomFrom(7)
/** A folder after a clean end, with a snapshot and a journal, and the state that is in it. */
let clean: Moment
let state: number

test.before(async () => {
  const history = await runHistory(randomFrom(3), 150, { close: true })
  clean = history.points.at(-1)!.moment
  state = history.fingerprints.at(-1)!
  const names = filesOf(clean).map(({ name }) => name)
  assert.ok(names.includes('snapshot') && names.includes('state'), 'the history has a snapshot')
})

/** Opens what is on the disk and returns the fingerprint, or the refusal. */
async function open(disk: Moment): Promise<number | Error> {
  const fail = (error: Error) => {
    throw error
  }
  try {
    const ledger = await openSim(new SimStorage({ random }, disk), () => 0n, fail)
    const found = fingerprint(ledger.replica)
    await ledger.close()
    return found
  } catch (error) {
    if (error instanceof DamageError || error instanceof FormatError) return error
    throw error
  }
}

function without(disk: Moment, name: string): Moment {
  return { ...disk, names: new Map([...disk.names].filter(([other]) => other !== name)) }
}

function journalOf(disk: Moment): string {
  return filesOf(disk).find(({ name }) => name.startsWith('journal-'))!.name
}

test('a clean folder opens as it was', async () => {
  assert.is(await open(clean), state)
})

test('any flipped bit is refused with its place, or hits nothing that counts', async () => {
  const refused = new Map<string, number>()
  for (let i = 0; i < 1_500; i++) {
    const { name, size } = random.pick(filesOf(clean).filter((file) => file.size > 0))
    const offset = random.below(size)
    const result = await open(damage(clean, name, offset, 1 << random.below(8)))
    if (result === state) continue
    assert.ok(result instanceof Error, `${name} at ${offset}: another state`)
    assert.ok(result.message.includes(name), `${name} at ${offset}: ${result.message}`)
    refused.set(name, (refused.get(name) ?? 0) + 1)
  }
  for (const name of ['snapshot', 'state', journalOf(clean)]) {
    assert.ok((refused.get(name) ?? 0) > 20, `damage of ${name} was noticed`)
  }
})

test('damage within the journal names the byte where the record starts', async () => {
  const result = await open(damage(clean, journalOf(clean), 128 + 20, 1))
  assert.instance(result, DamageError)
  assert.is((result as DamageError).offset, 128)
})

test('an unknown version is refused as such', async () => {
  const journal = await open(damage(clean, journalOf(clean), 8, 2))
  assert.instance(journal, FormatError)
  assert.match((journal as Error).message, /format version 3 is not known/)
  const line = 'kassa-ledger-snapshot '.length
  const snapshot = await open(damage(clean, 'snapshot', line, 2))
  assert.match((snapshot as Error).message, /snapshot: format version 3 is not known/)
})

test('a missing file is noticed', async () => {
  for (const name of ['snapshot', 'state', journalOf(clean)]) {
    const result = await open(without(clean, name))
    assert.ok(result instanceof Error, `${name} is missing`)
  }
})

test("another folder's journal is refused", async () => {
  const history = await runHistory(randomFrom(3), 150, { close: true })
  const other = history.points.at(-1)!.moment
  const name = journalOf(clean)
  const foreign = other.inodes.get(other.names.get(journalOf(other))!)!
  const inodes = new Map(clean.inodes).set(clean.names.get(name)!, foreign)
  assert.instance(await open({ ...clean, inodes }), FormatError)
})

test('a full disk is told, waited for, and gone on from', async () => {
  const lines: string[] = []
  let full = 0
  const fault = () => (full-- > 0 ? 'ENOSPC' : null)
  const storage = new SimStorage({ random, fault })
  const ledger = await openSim(
    storage,
    () => 1n,
    assert.unreachable,
    (line) => lines.push(line),
  )
  full = 3
  const durable = new Promise<void>((resolve) => {
    ledger.log.onDurable = resolve
  })
  ledger.log.append(new DataView(new ArrayBuffer(128)), new Uint8Array(0))
  await durable
  await ledger.close()
  assert.match(lines.join(), /disk is full.*room on the disk again/)
})

test.run()
