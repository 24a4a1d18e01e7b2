import { checksum, viewOf } from '../../embedded/ledger/checksum.ts'
import {
  at,
  headerBytes,
  messageBytesMax,
  pongAt,
  release,
  requestAt,
  setChecksums,
} from '../../embedded/ledger/header.ts'
import { sessionsMax } from '../../embedded/ledger/sessions.ts'
import { operations } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { decodeBody, encodeBody } from './lib/machine-client.ts'
import { RawClient } from './lib/raw-client.ts'
import { kindOf, RawSocket } from './lib/raw-socket.ts'
import { startTestLedger, type TestLedger } from './lib/test-ledger.ts'

const test = suite('the wire')
let ledger: TestLedger
let address: string
const sockets: RawSocket[] = []

test.before(async () => {
  ledger = await startTestLedger()
  address = process.env.WIRE_ADDRESS ?? ledger.address
})
test.after.each(() => {
  for (const socket of sockets.splice(0)) socket.close()
})
test.after(() => ledger.close())

const lookup = encodeBody(codecs.lookup_accounts, [[1n]])

async function open(): Promise<RawSocket> {
  const socket = await RawSocket.connect(address)
  sockets.push(socket)
  return socket
}

async function session(): Promise<{ socket: RawSocket; client: RawClient }> {
  const socket = await open()
  const client = new RawClient()
  client.accept(await socket.reply(client.register()))
  return { socket, client }
}

test('checksums of known messages', () => {
  const hex = (bytes: Uint8Array) => Buffer.from(checksum(bytes)).toString('hex')
  assert.is(hex(new Uint8Array(0)), '83cc600dc4e3e7e62d4055826174f149')
  assert.is(hex(new Uint8Array(16)), 'f72ad48dd05dd1656133101cd4be3a26')
})

test('a registration tells the batch size limit', async () => {
  const socket = await open()
  const client = new RawClient()
  const body = client.accept(await socket.reply(client.register()))
  assert.is(body.byteLength, 64)
  assert.is(viewOf(body).getUint32(0, true), messageBytesMax - headerBytes)
})

test('a ping before and after the registration is answered with its own time', async () => {
  const socket = await open()
  const client = new RawClient()
  for (const time of [123n, 456n]) {
    const pong = await socket.reply(client.ping(time))
    assert.is(kindOf(pong), 'pong')
    assert.is(viewOf(pong).getBigUint64(pongAt.monotonic, true), time)
    if (client.session === 0n) client.accept(await socket.reply(client.register()))
  }
})

test('a message in pieces of any size, and several in one piece', async () => {
  const { socket, client } = await session()
  for (const piece of [1, 100, 255, 256, 257, 300]) {
    const message = client.next(operations.lookupAccounts, lookup)
    for (let i = 0; i < message.length; i += piece) {
      socket.send(message.subarray(i, i + piece))
      await new Promise(setImmediate)
    }
    const reply = await socket.receive()
    assert.equal(decodeBody(codecs.lookup_accounts, client.accept(reply!)), [[]])
  }
  socket.send(Buffer.concat([client.ping(1n), client.ping(2n), client.ping(3n)]))
  for (let i = 0; i < 3; i++) assert.is(kindOf(await socket.receive()), 'pong')
})

test('the largest request of 8,189 events', async () => {
  const { socket, client } = await session()
  const events = Array.from({ length: 8189 }, () => 0n)
  const body = encodeBody(codecs.lookup_transfers, [events.slice(0, 8000)])
  const reply = await socket.reply(client.next(operations.lookupTransfers, body))
  assert.equal(decodeBody(codecs.lookup_transfers, client.accept(reply)), [[]])
})

test('a request sent again gets the same reply, byte by byte, on any connection', async () => {
  const { socket, client } = await session()
  const message = client.next(operations.lookupAccounts, lookup)
  const first = await socket.reply(message)
  const other = await open()
  for (const again of [socket, other, other]) {
    assert.equal(await again.reply(message), first)
  }
})

/** What the real server answers to requests that break a rule; `null` means that it stays silent. */
const evictions: readonly (readonly [
  name: string,
  answer: string | null,
  make: (client: RawClient) => Uint8Array,
])[] = [
  ['of a session too low', 'eviction 7', (c) => c.next(140, lookup, { session: c.session - 1n })],
  ['of a session too high', null, (c) => c.next(140, lookup, { session: c.session + 1n })],
  ['of a release too low', 'eviction 2', (c) => c.next(140, lookup, { release: 16 << 8 })],
  ['of a release too high', 'eviction 3', (c) => c.next(140, lookup, { release: release + 1 })],
  ['of another release', 'eviction 8', (c) => c.next(140, lookup, { release: release - 1 })],
  ['of an unknown operation', 'eviction 4', (c) => c.next(200, lookup)],
  ['with a wrong body', 'eviction 5', (c) => c.next(140, lookup.slice(16))],
  ['with an old number', null, (c) => c.next(140, lookup, { request: 1 })],
  ['with a number too high', null, (c) => c.next(140, lookup, { request: 9 })],
  ['with a wrong parent', null, (c) => c.next(140, lookup, { parent: new Uint8Array(16) })],
  ['of a newer view', null, (c) => c.next(140, lookup, { view: 7 })],
  ['to ping with a release too high', 'eviction 3', (c) => c.ping(1n, { release: release + 1 })],
  ['to ping with a release too low', 'eviction 2', (c) => c.ping(1n, { release: 16 << 8 })],
]
for (const [name, answer, make] of evictions) {
  test(`a request ${name}: ${answer ?? 'silence'}`, async () => {
    const { socket, client } = await session()
    for (let i = 0; i < 2; i++) {
      client.accept(await socket.reply(client.next(operations.lookupAccounts, lookup)))
    }
    // A ping after it is answered in any case: what comes first is the answer, if there is one.
    socket.send(make(client))
    socket.send(client.ping(9n))
    assert.is(kindOf(await socket.receive()), answer ?? 'pong')
  })
}

test('a request and a ping with a session that is not there: eviction 1', async () => {
  const socket = await open()
  const nobody = new RawClient()
  assert.is(kindOf(await socket.ask(nobody.next(140, lookup, { session: 1n }))), 'eviction 1')
  assert.is(kindOf(await socket.ask(nobody.ping(1n, { session: 1n }))), 'eviction 1')
})

/** Messages that no client sends. The connection is closed, and nothing else happens. */
const nonsense: readonly (readonly [name: string, bend: (message: Uint8Array) => void])[] = [
  ['header checksum', (m) => m.fill(7, 0, 1)],
  ['body checksum', (m) => m.fill(7, headerBytes, headerBytes + 1)],
  ['size below a header', sealed((v) => v.setUint32(at.size, 255, true))],
  ['size above the largest', sealed((v) => v.setUint32(at.size, messageBytesMax + 1, true))],
  ['cluster', sealed((v) => v.setUint32(at.cluster, 1, true))],
  ['protocol version', sealed((v) => v.setUint16(at.protocol, 1, true))],
  ['epoch', sealed((v) => v.setUint32(at.epoch, 1, true))],
  ['reserved operation', sealed((v) => v.setUint8(requestAt.operation, 3))],
  ['client of zero', sealed((v) => v.setBigUint64(requestAt.client, 0n, true), true)],
]

function sealed(bend: (view: DataView) => void, zeroClient = false) {
  return (message: Uint8Array) => {
    const size = message.byteLength
    if (zeroClient) message.fill(0, requestAt.client, requestAt.client + 16)
    bend(viewOf(message))
    setChecksums(viewOf(message), 0, size)
  }
}

for (const [name, bend] of nonsense) {
  test(`a wrong ${name} closes the connection and harms no other`, async () => {
    const { socket, client } = await session()
    const other = await session()
    const message = client.next(operations.lookupAccounts, lookup)
    bend(message)
    assert.is(kindOf(await socket.ask(message)), 'closed')
    const reply = await other.socket.reply(other.client.next(operations.lookupAccounts, lookup))
    assert.is(kindOf(reply), 'reply')
  })
}

test(`the client after ${sessionsMax} others ends the session that was idle longest`, async () => {
  const first = await session()
  const second = await session()
  // The first one has done something since the second one did.
  first.client.accept(await first.socket.reply(first.client.next(140, lookup)))
  let newest = second
  for (let i = 0; i < sessionsMax - 1; i++) newest = await session()
  const ask = async ({ socket, client }: typeof first) => {
    return kindOf(await socket.ask(client.next(140, lookup)))
  }
  assert.is(await ask(second), 'eviction 1')
  assert.is(await ask(first), 'reply')
  assert.is(await ask(newest), 'reply')
})

test('a client that never completes a message is cut off', async () => {
  const impatient = await startTestLedger(20)
  for (const bytes of [1, 300]) {
    const socket = await RawSocket.connect(impatient.address)
    sockets.push(socket)
    const whole = new RawClient().register()
    assert.is(kindOf(await socket.ask(whole.subarray(0, bytes))), 'closed')
  }
  assert.match(impatient.lines.join(), /did not complete a message in time/)
  await impatient.close()
})

test('a client that sends and never reads is cut off', async () => {
  const socket = await open()
  const pings = Array.from({ length: 256 }, () => new RawClient().ping())
  await socket.sendUntilCut(Buffer.concat(pings))
  assert.match(ledger.lines.join(), /does not read its answers/)
})

test('noise is cut off, however much of it follows', async () => {
  const socket = await open()
  await socket.sendUntilCut(Buffer.alloc(1024 * 1024, 0xa5))
  assert.is(kindOf(await socket.receive()), 'closed')
})

test.run()
