/** A check of the ledger that goes on from a checkpoint, and one that proves it, on a ledger of its own. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account, Transfer } from 'tigerbeetle-node'
import { suspenseAccount } from '../../accounting/accounts.ts'
import { findChainEnd } from '../../accounting/chains.ts'
import { ControlCode, TransferCode } from '../../accounting/chart.ts'
import { partLinesMax, type TakenCheckpoint } from '../../accounting/checkpoint.ts'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import { readLedgerTime } from '../../accounting/clock.ts'
import { toLedgerId, toUuid, type Uuid } from '../../accounting/ids.ts'
import { checkLedger, type LedgerCheckOptions } from '../../accounting/ledger-check.ts'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { kept } from '../lib/checkpoint.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { createStory, damaged, type Story, text, toTexts } from '../lib/ledger-story.ts'
import { assert, suite } from '../lib/suite.ts'
import { until } from '../lib/until.ts'

const test = suite('checkpoints of the ledger')

let folder: string
let server: Server
let ledger: Ledger
let story: Story
let ada: Uuid
let ben: Uuid

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa checkpoint '))
  server = await startEmbeddedLedger({ dataDir: folder, durable: false })
  ledger = await createLedger({ ...ledgerOptions(), addresses: [server.address] })
  story = await createStory(ledger)
  ;[ada, ben] = story.wallets
})
test.after(async () => {
  ledger.close()
  await server.stop()
  await rm(folder, { recursive: true })
})

/** What a check finds, and the checkpoint that it has taken. */
async function check(options: LedgerCheckOptions = {}, reading: Ledger = ledger) {
  const checked = await checkLedger(reading, { pauseMs: 10, takesCheckpoint: true, ...options })
  return { ...checked, found: toTexts(checked.findings.kept) }
}

/** A checkpoint of a moment at which all is in order. */
async function take(options: LedgerCheckOptions = {}): Promise<TakenCheckpoint> {
  const { found, checkpoint } = await check(options)
  assert.equal(found, [])
  return checkpoint!
}

/** What a check of everything finds that proves the checkpoint, and one since the checkpoint. */
async function both(taken: TakenCheckpoint, reading: Ledger = ledger): Promise<string[][]> {
  const [proves, since] = [kept(taken), kept(taken)]
  return [(await check({ proves }, reading)).found, (await check({ since }, reading)).found]
}

/** Everything that can be open at a moment; answers what ends it. */
async function openAll(): Promise<() => Promise<void>> {
  await story.deposit(ada, 10_000n)
  const [held] = await story.chain(story.hold(ada, ben, 100n))
  await story.chain(story.hold(ada, ben, 3n, 1))
  const [money, take, fee] = await story.chain(...story.withdrawal(ada, 1_000n, 5n))
  const suspense = suspenseAccount(1, story.asset).id
  const received = story.leg({
    debitAccountId: story.clearing,
    creditAccountId: suspense,
    amountMinor: 70n,
    code: TransferCode.suspense,
  })
  const operationId = toUuid(received.id)
  const release = story.right(ControlCode.suspense_release, 0, operationId)
  await story.chain(received, release)
  const out = { debitAccountId: suspense, creditAccountId: ben, amountMinor: 70n }
  return async () => {
    const rest = { ...story.hold(ada, ben, 40n, 1), user_data_128: held!.user_data_128 }
    await story.chain(story.post(held!, 60n), rest)
    await story.chain(story.post(take!, 0n))
    await story.chain(story.post(money!, 1_000n), story.post(fee!, 5n))
    const assignment = story.leg({ ...out, code: TransferCode.suspense_assignment }, operationId)
    await story.chain(story.post(release, 0n), assignment)
  }
}

test('from one to the next it comes to the same as from the beginning', async () => {
  const empty = await take()
  assert.equal([empty.transfers, empty.parts], [0, []])
  let last = empty
  for (let round = 0; round < 3; round += 1) {
    const endAll = await openAll()
    const opened = await take({ since: kept(last) })
    assert.equal(await both(opened), [[], []])
    await endAll()
    const ended = await take({ since: kept(opened) })
    const whole = await take({ proves: kept(ended) })
    assert.equal([whole.transfers, whole.parts], [ended.transfers, ended.parts])
    assert.equal(await both(opened), [[], []])
    assert.equal(await both(last), [[], []])
    last = ended
  }
  assert.is(last.transfers, 3 * 15)
  const [hash, line] = [
    createHash('sha256'),
    JSON.stringify(['kassa checkpoint 1', `${last.moment}`, '45']),
  ]
  hash.update([`${line}\n`, ...last.parts].join(''))
  assert.equal(last.hash, hash.digest())
  // What has run out by itself leaves no transfer.
  await until(async () => {
    const [account] = await ledger.lookupAccounts([toLedgerId(ada)])
    return account?.debits_pending === 0n
  })
  assert.equal(await both(last), [[], []])
})

test('it has as many parts as it needs', async () => {
  const many = await createStory(ledger, 100)
  const [first] = many.wallets
  await many.deposit(first, 1_000_000n)
  for (const wallet of many.wallets.slice(1)) {
    const holds = Array.from({ length: 41 }, () => many.hold(first, wallet, 1n))
    await ledger.createTransfers(holds)
  }
  const taken = await take()
  assert.is(taken.parts.length, Math.ceil((99 * 41) / partLinesMax))
  assert.ok(taken.parts.every((part) => part.split('\n').length <= partLinesMax + 1))
  assert.equal(await both(taken), [[], []])
})

const changing =
  (one: Transfer, changes: Partial<Transfer> | undefined) =>
  (transfer: Transfer): Transfer[] => {
    if (transfer.id !== one.id) return [transfer]
    return changes ? [{ ...transfer, ...changes }] : []
  }

test('what is wrong after it is found as from the beginning', async () => {
  const [before] = await story.chain(story.payment(ada, ben, 1n))
  const taken = await take()
  const [after] = await story.chain(story.payment(ada, ben, 2n))
  const differ = [text('balance_differs', ada), text('balance_differs', ben)].sort()
  const lost = damaged(ledger, { transfers: changing(after!, undefined) })
  assert.equal(await both(taken, lost), [differ, differ])
  const odd = damaged(ledger, { transfers: changing(after!, { code: 77 }) })
  assert.equal(await both(taken, odd), Array(2).fill([text('unknown_code', after?.id)]))

  // An account that nothing has happened to since.
  const changed = (account: Account) =>
    account.id === toLedgerId(story.clearing)
      ? [{ ...account, debits_posted: account.debits_posted + 1n }]
      : [account]
  const wrong = [text('balance_differs', story.clearing), text('ledger_unbalanced', undefined)]
  assert.equal(await both(taken, damaged(ledger, { accounts: changed })), [wrong, wrong])
  const missing = damaged(ledger, {
    accounts: (account) => (account.id === toLedgerId(ben) ? [] : [account]),
  })
  const [whole, rest] = await both(taken, missing)
  assert.equal(rest, [text('account_missing', ben)])
  assert.ok(whole?.includes(text('account_missing', ben)))

  // What is wrong before it only a check from the beginning sees, when the accounts are as they were.
  const old = damaged(ledger, { transfers: changing(before!, { code: 77 }) })
  assert.equal(await both(taken, old), [[text('unknown_code', before?.id)], []])
  assert.is((await check({}, old)).checkpoint, undefined)
})

test('a ledger with another past is found by it alone', async () => {
  const [payment] = await story.chain(story.payment(ada, ben, 5n))
  const taken = await take()
  const shift = (account: Account, by: bigint) => {
    if (account.id === toLedgerId(ada))
      return [{ ...account, debits_posted: account.debits_posted + by }]
    if (account.id === toLedgerId(ben))
      return [{ ...account, credits_posted: account.credits_posted + by }]
    return [account]
  }
  const other = damaged(ledger, {
    transfers: changing(payment!, { amount: 6n }),
    accounts: (account) => shift(account, 1n),
  })
  const differ = [text('balance_differs', ada), text('balance_differs', ben)].sort()
  assert.equal(await both(taken, other), [[text('checkpoint_differs', ada)], differ])

  const unnoted = damaged(ledger, { transfers: changing(payment!, { amount: 0n }) })
  assert.ok((await both(taken, unnoted))[0]?.includes(text('checkpoint_differs', ada)))
})

test('a checkpoint that was changed is no checkpoint', async () => {
  await openAll()
  const taken = await take()
  const lines = taken.parts.join('').split('\n').slice(0, -1)
  const hashOf = ({ moment, transfers, parts }: TakenCheckpoint) => {
    const head = JSON.stringify(['kassa checkpoint 1', String(moment), String(transfers)])
    return createHash('sha256')
      .update([`${head}\n`, ...parts].join(''))
      .digest()
  }
  const forged = (changed: readonly string[], more: Partial<TakenCheckpoint> = {}) => {
    const it = { ...taken, parts: changed.map((line) => `${line}\n`), ...more }
    return { ...it, hash: hashOf(it) }
  }
  const idOf = (line: string | undefined): bigint => toLedgerId(JSON.parse(line ?? '[]')[1])
  const about = (id?: bigint) => [text('checkpoint_differs', id)]
  const last = lines.at(-1)
  const cases: [TakenCheckpoint, bigint | undefined][] = [
    [forged(lines.with(0, lines[0]!.replace(/"\d+"\]$/, '"1"]'))), idOf(lines[0])],
    [forged(lines.slice(1)), idOf(lines[0])],
    [forged(lines.slice(0, -1)), idOf(last)],
    [forged([...lines, last!.replace(/[0-9a-f]"/, '0"')]), undefined],
    [forged([...lines, 'no line']), undefined],
    [forged(lines, { transfers: taken.transfers + 1 }), undefined],
    [forged(lines, { moment: taken.moment + 3_600_000_000_000n }), undefined],
    [{ ...taken, hash: Buffer.alloc(32) }, undefined],
  ]
  for (const [proves, id] of cases) {
    const { found, findings } = await check({ proves: kept(proves) })
    if (id !== undefined) assert.equal(found, about(id))
    assert.equal([findings.kept.length, findings.kept[0]?.kind], [1, 'checkpoint_differs'])
  }

  const damagedOnes = [
    { ...taken, hash: Buffer.alloc(32) },
    { ...taken, parts: taken.parts.slice(1) },
    { ...taken, parts: [taken.parts[0]!.replace('978', '979').replace(/\d"\]/, '9"]')] },
    { ...taken, parts: ['no line\n'] },
    { ...taken, transfers: 1 },
    { ...taken, moment: taken.moment + 3_600_000_000_000n },
  ]
  for (const since of damagedOnes) {
    const refused = await check({ since: kept(since) }).catch(String)
    assert.match(String(refused), /The checkpoint is (damaged|of a later time)/)
  }
})

test('what is read after the end of a chain begins with a whole one', async () => {
  assert.is(await findChainEnd(ledger, 0n), 0n)
  assert.is(await findChainEnd(ledger, 1n), 0n)
  const chain = Array.from({ length: 600 }, () => story.payment(ada, ben, 1n))
  await story.deposit(ada, 600n)
  const before = await readLedgerTime(ledger)
  await story.chain(...chain)
  const [last] = await ledger.lookupTransfers([chain.at(-1)!.id])
  const [deposit] = await ledger.lookupTransfers([chain[0]!.id])
  const end = last!.timestamp
  assert.is(await findChainEnd(ledger, end), end)
  assert.is(await findChainEnd(ledger, end + 1n), end)
  const earlier = await findChainEnd(ledger, end - 1n)
  assert.ok(earlier < before && before < deposit!.timestamp)
  assert.is(await findChainEnd(ledger, deposit!.timestamp), earlier)
})

test.run()
