import { createServer, type Server, type Socket } from 'node:net'
import { id, type Transfer } from 'tigerbeetle-node'
import { createLedger, LedgerOutcomeUnknown, LedgerUnavailable } from '../../accounting/client.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('ledger client')

/** A server that takes connections and never answers, until it is opened towards the real ledger. */
async function silentServer(): Promise<{ address: string; stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.resume()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('no port')
  return {
    address: `127.0.0.1:${address.port}`,
    stop: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => done())
      }),
  }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Between two accounts that are not there: answered, whatever the amount. */
function transferOf(amount: bigint): Transfer {
  return {
    id: id(),
    debit_account_id: 1n,
    credit_account_id: 2n,
    amount,
    pending_id: 0n,
    user_data_128: 0n,
    user_data_64: 0n,
    user_data_32: 0,
    timeout: 0,
    ledger: 840,
    code: 1,
    flags: 0,
    timestamp: 0n,
  }
}

test('a host name is resolved to an address, and the ledger answers', async () => {
  const port = ledgerOptions().addresses[0]!.split(':').at(-1)
  const ledger = await createLedger(ledgerOptions({ addresses: [`localhost:${port}`] }))
  assert.equal(await ledger.lookupAccounts([1n]), [])
  ledger.close()
  assert.instance(await rejection(ledger.lookupAccounts([1n])), LedgerUnavailable)
})

test('past the deadline the outcome is unknown, and further calls are refused at once', async () => {
  const silent = await silentServer()
  const ledger = await createLedger(ledgerOptions({ addresses: [silent.address], deadlineMs: 50 }))
  assert.instance(await rejection(ledger.lookupAccounts([1n])), LedgerOutcomeUnknown)
  assert.is(ledger.pending, 1)
  assert.instance(await rejection(ledger.lookupAccounts([1n])), LedgerUnavailable)
  assert.is(ledger.pending, 1)
  ledger.close()
  await silent.stop()
})

test('more calls than may wait are refused, and nothing of them is submitted', async () => {
  const silent = await silentServer()
  const ledger = await createLedger(
    ledgerOptions({ addresses: [silent.address], deadlineMs: 200, queueLimit: 3 }),
  )
  const calls = Array.from({ length: 5 }, () => rejection(ledger.lookupAccounts([1n])))
  const errors = await Promise.all(calls)
  assert.is(errors.filter((error) => error instanceof LedgerOutcomeUnknown).length, 3)
  assert.is(errors.filter((error) => error instanceof LedgerUnavailable).length, 2)
  ledger.close()
  await silent.stop()
})

test('transfers are packed: counted call by call, and one impossible value harms no other call', async () => {
  const ledger = await createLedger(ledgerOptions({ queueLimit: 3 }))
  const calls = [1n, -1n, 1n, 1n].map((amount) => ledger.createTransfers([transferOf(amount)]))
  assert.is(ledger.pending, 3)
  const answers = await Promise.allSettled(calls)
  assert.equal(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
  )
  const [, impossible, , refused] = answers.map((answer) =>
    answer.status === 'rejected' ? answer.reason : undefined,
  )
  assert.not.instance(impossible, LedgerUnavailable)
  assert.instance(refused, LedgerUnavailable)
  assert.is(ledger.pending, 0)
  ledger.close()
})

test('a pack that is not answered in time leaves the outcome of each call unknown', async () => {
  const silent = await silentServer()
  const ledger = await createLedger(ledgerOptions({ addresses: [silent.address], deadlineMs: 50 }))
  const calls = [1n, 2n].map((amount) => rejection(ledger.createTransfers([transferOf(amount)])))
  for (const error of await Promise.all(calls)) assert.instance(error, LedgerOutcomeUnknown)
  assert.is(ledger.pending, 2)
  assert.instance(await rejection(ledger.createTransfers([])), LedgerUnavailable)
  ledger.close()
  await silent.stop()
})

test.run()
