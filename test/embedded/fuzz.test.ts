import { viewOf } from '../../embedded/ledger/checksum.ts'
import { headerBytes, setChecksums } from '../../embedded/ledger/header.ts'
import { operations } from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { fingerprint } from './lib/history.ts'
import { decodeBody, encodeBody } from './lib/machine-client.ts'
import { type Random, randomFrom } from './lib/random.ts'
import { RawClient } from './lib/raw-client.ts'
import { kindOf, RawSocket } from './lib/raw-socket.ts'
import { startTestLedger } from './lib/test-ledger.ts'

/** The suite's share; the soak asks for more. */
const messages = Number(process.env.FUZZ_MESSAGES ?? 20_000)
const socketsAtOnce = 64
const random = randomFrom(Number(process.env.FUZZ_SEED ?? 11))
const test = suite('fuzz of the wire')

const body = encodeBody(codecs.lookup_accounts, [[1n, 2n], [3n]])

type Breakage = (message: Uint8Array, random: Random) => Uint8Array

/** Ways to break a message or a row of them; what they make hardly ever passes for a valid request. */
const breakages: Record<string, Breakage> = {
  'a flipped bit in the header': (m, r) => flip(m, r.below(headerBytes), r),
  'a flipped bit in the body': (m, r) => flip(m, headerBytes + r.below(m.length - headerBytes), r),
  'many flipped bits': (m, r) => {
    // Each of them once, for two flips of one bit would leave the message as it was.
    const bits = new Set(Array.from({ length: 1 + r.below(50) }, () => r.below(m.length * 8)))
    for (const bit of bits) m[bit >> 3]! ^= 1 << (bit & 7)
    return m
  },
  'a truncated message and another one': (m, r) => {
    return Buffer.concat([m.subarray(0, 1 + r.below(m.length - 1)), m])
  },
  'two parts in the wrong order': (m, r) => {
    const cut = 1 + r.below(m.length - 1)
    return Buffer.concat([m.subarray(cut), m.subarray(0, cut)])
  },
  'a piece twice': (m, r) => {
    const cut = 1 + r.below(headerBytes - 1)
    return Buffer.concat([m.subarray(0, cut), m])
  },
  noise: (_, r) => Uint8Array.from({ length: headerBytes + r.below(200) }, () => r.below(256)),
  'a wrong field under a right checksum': (m, r) => {
    m[64 + r.below(32)]! ^= 1 + r.below(255)
    setChecksums(viewOf(m), 0, m.length)
    return m
  },
}

/**
 * What begins with the whole message is valid and drawn anew: where the last byte alone is cut off, the
 * first one of the next message is the same one time in 256.
 */
function broken(message: Uint8Array, breakage: Breakage): Uint8Array {
  let made: Uint8Array
  do made = breakage(message.slice(), random)
  while (Buffer.compare(made.subarray(0, message.length), message) === 0)
  return made
}

function flip(message: Uint8Array, offset: number, r: Random): Uint8Array {
  message[offset]! ^= 1 << r.below(8)
  return message
}

test(`${messages} damaged messages close their connections and nothing else`, async () => {
  const ledger = await startTestLedger()
  const good = await RawSocket.connect(ledger.address)
  const client = new RawClient()
  client.accept(await good.reply(client.register()))
  const before = fingerprint(ledger.replica)
  const kinds = Object.values(breakages)
  let sent = 0
  const worker = async () => {
    while (sent < messages) {
      const bad = await RawSocket.connect(ledger.address)
      // Some damaged messages come after a valid one on the same connection.
      if (random.chance(0.3)) await bad.reply(new RawClient().ping())
      // What it damages would be executed if it passed: the client's own next request.
      const twin = Object.assign(new RawClient(client.id), { ...client, outstanding: null })
      const message = twin.next(operations.lookupAccounts, body)
      bad.send(broken(message, kinds[sent++ % kinds.length]!))
      const answer = await bad.receive()
      assert.is(answer, null, `${kindOf(answer)} instead of a closed connection`)
      bad.close()
      if (sent % 1_000 === 0) await stillServed()
    }
  }
  let serving = Promise.resolve()
  const stillServed = () => {
    serving = serving.then(async () => {
      const reply = await good.reply(client.next(operations.lookupAccounts, body))
      assert.equal(decodeBody(codecs.lookup_accounts, client.accept(reply)), [[], []])
    })
    return serving
  }
  await Promise.all(Array.from({ length: socketsAtOnce }, worker))
  assert.is(fingerprint(ledger.replica), before)
  good.close()
  await ledger.close()
})

test.run()
