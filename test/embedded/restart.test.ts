import { viewOf } from '../../embedded/ledger/checksum.ts'
import { type Ledger, openLedger } from '../../embedded/ledger/ledger.ts'
import { sessionsMax } from '../../embedded/ledger/sessions.ts'
import { operations } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { fingerprint, openSim } from './lib/history.ts'
import { decodeBody, encodeBody } from './lib/machine-client.ts'
import { randomFrom } from './lib/random.ts'
import { RawClient } from './lib/raw-client.ts'
import { kindOf, RawSocket } from './lib/raw-socket.ts'
import { crash, SimStorage } from './lib/sim-storage.ts'
import { startTestLedger } from './lib/test-ledger.ts'

const test = suite('sessions and time over a restart')
const random = randomFrom(5)
const second = 1_000_000_000n
const noUserData = { user_data_128: 0n, user_data_64: 0n, user_data_32: 0 }

/** A ledger on a simulated disk, whose machine crashes on demand. */
class Machine {
  storage = new SimStorage({ random })
  now = 1_000n * second
  ledger!: Ledger

  async start(): Promise<this> {
    this.ledger = await openSim(this.storage, () => this.now, assert.unreachable)
    return this
  }

  async crash(): Promise<void> {
    this.storage = new SimStorage({ random }, crash(this.storage.moment, random))
    await this.start()
  }

  ask(message: Uint8Array): Promise<Uint8Array> {
    return new Promise((send) => this.ledger.replica.receive({ send }, viewOf(message), 0))
  }

  /** What a client gets at once: null when the request is dropped. */
  answerTo(message: Uint8Array): Uint8Array | null {
    let answer: Uint8Array | null = null
    const peer = {
      send(bytes: Uint8Array) {
        answer = bytes
      },
    }
    this.ledger.replica.receive(peer, viewOf(message), 0)
    return answer
  }

  async register(): Promise<RawClient> {
    const client = new RawClient()
    client.accept(await this.ask(client.register()))
    return client
  }

  async read(client: RawClient): Promise<Uint8Array> {
    const message = client.next(operations.lookupAccounts, accountIds)
    client.accept(await this.ask(message))
    return message
  }

  async createAccounts(client: RawClient, ids: readonly bigint[]): Promise<bigint[]> {
    const body = encodeBody(codecs.create_accounts, [ids.map(account)])
    const reply = client.accept(await this.ask(client.next(operations.createAccounts, body)))
    return decodeBody(codecs.create_accounts, reply)[0]!.map(({ timestamp }) => timestamp)
  }
}

const accountIds = encodeBody(codecs.lookup_accounts, [[1n]])

function account(id: bigint) {
  return {
    id,
    debits_pending: 0n,
    debits_posted: 0n,
    credits_pending: 0n,
    credits_posted: 0n,
    ...noUserData,
    reserved: 0,
    ledger: 1,
    code: 1,
    flags: 0,
    timestamp: 0n,
  }
}

function pending(timeout: number) {
  return {
    id: 1n,
    debit_account_id: 1n,
    credit_account_id: 2n,
    amount: 10n,
    pending_id: 0n,
    ...noUserData,
    timeout,
    ledger: 1,
    code: 1,
    flags: 2,
    timestamp: 0n,
  }
}

test('a client that was some reads ahead goes on', async () => {
  const machine = await new Machine().start()
  const client = await machine.register()
  await machine.createAccounts(client, [1n])
  for (let i = 0; i < 3; i++) await machine.read(client)
  await machine.crash()
  assert.is((await machine.createAccounts(client, [2n])).length, 1)
  await machine.read(client)
  await machine.ledger.close()
})

test('a read that is sent again after a restart is answered, and so is the next request', async () => {
  const machine = await new Machine().start()
  const client = await machine.register()
  await machine.createAccounts(client, [1n])
  await machine.read(client)
  const message = await machine.read(client)
  await machine.crash()
  client.outstanding = message
  const reply = client.accept(await machine.ask(message))
  assert.is(decodeBody(codecs.lookup_accounts, reply)[0]!.length, 1)
  await machine.createAccounts(client, [2n])
  await machine.ledger.close()
})

test('after its first request a client has to follow its own last reply again', async () => {
  const machine = await new Machine().start()
  const client = await machine.register()
  await machine.createAccounts(client, [1n])
  await machine.crash()
  await machine.read(client)
  const skipping = client.next(operations.lookupAccounts, accountIds, { request: 9 })
  assert.is(machine.answerTo(skipping), null)
  const old = client.next(operations.lookupAccounts, accountIds, { request: 1 })
  assert.is(machine.answerTo(old), null)
  await machine.ledger.close()
})

test('whose session ended is the same after a restart, though reads decided it', async () => {
  const machine = await new Machine().start()
  const clients: RawClient[] = []
  for (let i = 0; i < sessionsMax; i++) clients.push(await machine.register())
  // Without this read the first client would be the one that was idle longest.
  await machine.read(clients[0]!)
  clients.push(await machine.register())
  await machine.crash()
  assert.is(machine.ledger.replica.sessions.size, sessionsMax)
  const kinds = clients.slice(0, 3).map((client) => {
    return kindOf(machine.answerTo(client.next(operations.lookupAccounts, accountIds)))
  })
  assert.equal(kinds, ['reply', 'eviction 1', 'reply'])
  await machine.ledger.close()
})

test('timestamps rise when the clock goes back, and over a restart', async () => {
  const machine = await new Machine().start()
  const client = await machine.register()
  const timestamps: bigint[] = []
  for (let id = 1n; id <= 40n; id += 2n) {
    timestamps.push(...(await machine.createAccounts(client, [id, id + 1n])))
    machine.now += BigInt(random.below(20) - 15) * second
    if (random.chance(0.2)) await machine.crash()
  }
  assert.equal(
    timestamps,
    timestamps.toSorted((a, b) => (a < b ? -1 : 1)),
  )
  assert.is(new Set(timestamps).size, timestamps.length)
  await machine.ledger.close()
})

test('a long journal becomes a snapshot before anything new is accepted', async () => {
  const machine = new Machine()
  const options = { storage: machine.storage, clock: () => machine.now, report: () => {} }
  const long = { ...options, onFailure: assert.unreachable, segmentBytes: 1024 * 1024 }
  machine.ledger = await openLedger(long)
  const client = await machine.register()
  for (let id = 1n; id <= 100n; id++) await machine.createAccounts(client, [id])
  const before = fingerprint(machine.ledger.replica)
  await machine.crash()
  assert.is(fingerprint(machine.ledger.replica), before)
  const names = (await machine.storage.list()).sort()
  assert.equal(names, ['journal-00000002', 'snapshot', 'state'])
  await machine.crash()
  assert.is(fingerprint(machine.ledger.replica), before)
  await machine.ledger.close()
})

test('a pending transfer whose time came while the machine was off expires', async () => {
  const machine = await new Machine().start()
  const client = await machine.register()
  await machine.createAccounts(client, [1n, 2n])
  const body = encodeBody(codecs.create_transfers, [[pending(60)]])
  client.accept(await machine.ask(client.next(operations.createTransfers, body)))
  machine.now += 61n * second
  await machine.crash()
  const lookup = client.next(operations.lookupAccounts, accountIds)
  const [found] = decodeBody(codecs.lookup_accounts, client.accept(await machine.ask(lookup)))[0]!
  assert.is(found!.debits_pending, 0n)
  await machine.ledger.close()
})

test('a pending transfer expires while nobody calls', async () => {
  const ledger = await startTestLedger()
  const socket = await RawSocket.connect(ledger.address)
  const client = new RawClient()
  client.accept(await socket.reply(client.register()))
  const accounts = encodeBody(codecs.create_accounts, [[account(1n), account(2n)]])
  client.accept(await socket.reply(client.next(operations.createAccounts, accounts)))
  const transfers = encodeBody(codecs.create_transfers, [[pending(1)]])
  client.accept(await socket.reply(client.next(operations.createTransfers, transfers)))
  socket.close()
  const { stateMachine } = ledger.replica
  assert.is.not(stateMachine.nextExpiry, 0n)
  while (stateMachine.nextExpiry !== 0n) await new Promise((resolve) => setTimeout(resolve, 5))
  await ledger.close()
})

test.run()
