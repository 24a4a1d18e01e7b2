/** `npm run reconcile` on a Kassa that runs, on a ledger of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { CreateTransferStatus } from 'tigerbeetle-node'
import { createAccounts, equityAccount } from '../../accounting/accounts.ts'
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { toTransfer } from '../../accounting/legs.ts'
import { mintId } from '../../db/ids.ts'
import { type Server, startEmbeddedLedger } from '../../scripts/with-servers.ts'
import { ledgerPass } from '../../server/reconciliation/ledger-pass.ts'
import type { Pass } from '../../server/reconciliation/pass.ts'
import { judge, type Ran, runPasses } from '../../server/reconciliation/reconcile.ts'
import { toCsv, toJson } from '../../server/reconciliation/report.ts'
import { toText } from '../../server/reconciliation/report-text.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund, openWallet, pair, pay } from '../lib/money.ts'
import { madeUp, passOf } from '../lib/recorded.ts'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('npm run reconcile')

let folder: string
let server: Server
let world: World
let bank: Client

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa reconcile '))
  server = await startEmbeddedLedger({ dataDir: folder, durable: false })
  world = await createWorld({ env: { TIGERBEETLE_ADDRESSES: server.address } })
  bank = await world.paymentSystem()
})
test.after(async () => {
  await world.stop()
  await server.stop()
  await rm(folder, { recursive: true })
})

/** The command as a process of its own. */
async function reconcile(...options: string[]): Promise<{ code: unknown; output: string }> {
  return reconcileAt(server.address, ...options)
}

async function reconcileAt(address: string, ...options: string[]) {
  const { databaseUrl } = world.deps.config
  const variables = { DATABASE_URL: databaseUrl, TIGERBEETLE_ADDRESSES: address }
  const script = startScript('reconcile.ts', variables, options)
  const code = await script.ended
  return { code, output: script.output() }
}

/** What the command does, in this process. */
const run = () => runPasses(world.deps, [ledgerPass])
const show = (all: readonly Ran[]) => toText(all, (_, text) => text, String)

test('what nobody has used yet is clean', async () => {
  const { code, output } = await reconcile()
  assert.is(code, 0, output)
  assert.match(output, /^ledger: 0 transfers, \d+ accounts, as of \S+Z\n/)
  assert.match(output, /\nClean: everything agrees\.\n$/)
})

/** Everybody pays, holds and takes until told to stop, also what is refused. */
function hammer(people: readonly Person[]): () => Promise<number> {
  let isOn = true
  const workers = people.map(async ({ client, walletId }, index) => {
    const other = people[(index + 1) % people.length]!
    let count = 0
    while (isOn) {
      await fund(bank, walletId, '2.00')
      await pay(client, { to_wallet_id: other.walletId, amount: '0.70' })
      const input = { to_wallet_id: other.walletId, amount: '0.50', expires_in: 1 }
      const { id } = await must(client.post('/v1/holds', input), 201)
      const path = `/v1/holds/${id}`
      const capture = { amount: '0.20', final: false }
      if (count % 3 === 0) await other.client.post(`${path}/capture`, capture)
      if (count % 3 === 1) await other.client.post(`${path}/void`, {})
      count += 3
    }
    return count
  })
  const done = Promise.all(workers)
  // Whoever stops it is told.
  done.catch(() => {})
  return async () => {
    isOn = false
    return (await done).reduce((sum, count) => sum + count, 0)
  }
}

test('a run while money moves is clean', async () => {
  const people = await Promise.all(Array.from({ length: 4 }, () => world.signUp()))
  const stop = hammer(people)
  const first = await reconcile('--json')
  const second = await run()
  const moved = await stop()
  assert.is(first.code, 0, first.output)
  assert.is(judge(second), 'clean', show(second))
  const { verdict, passes }: Json = JSON.parse(first.output)
  assert.is(verdict, 'clean')
  const counts = [passes[0].counts.transfers, second[0]?.result?.counts.transfers]
  assert.ok(moved > 10 && counts[1] > counts[0], `${moved}, ${counts}`)
})

test('totals by currency, also of an own asset', async () => {
  const operator = await world.operator()
  const asset = { currency: 'POINT', name: 'Points', scale: 0 }
  await must(operator.post('/v1/currencies', asset), 201)
  const person = await world.signUp()
  const { id } = await openWallet(person.client, 'POINT')
  await fund(bank, id, '70', 'POINT')
  const all = await run()
  assert.is(judge(all), 'clean')
  const { passes }: Json = JSON.parse(toJson(all))
  const totals = passes[0].totals.find(({ currency }: Json) => currency === 'POINT')
  assert.equal(totals, {
    currency: 'POINT',
    assets: '70',
    customers: '70',
    held: '0',
    suspense: '0',
    liquidity: '0',
    equity: '0',
    result: '0',
    difference: '0',
  })
  assert.match(show(all), /\n {2}POINT +70 +70 +0 +0 +0 +0 +0 +0\n/)
})

test('a server that is away, or an option that there is not, is no finding and not clean', async () => {
  const away = await reconcileAt('127.0.0.1:nothing')
  assert.is(away.code, 2, away.output)
  const badMapping = join(folder, 'mapping.json')
  await writeFile(badMapping, '{')
  const bank = ['--statement', 'none.csv', '--payment-system', 'Nobody']
  const cases: [string[], RegExp][] = [
    [['--jsn'], /^Unknown option '--jsn'\.\nUsage: /],
    [bank.slice(0, 2), /^--statement needs --payment-system NAME\.\nUsage: /],
    [[...bank, '--time-zone', 'Mars'], /^There is no time zone Mars\.\nUsage: /],
    [[...bank, '--mapping', badMapping], /mapping\.json: [^\n]*JSON[^\n]*\n$/],
    [bank, /\n {2}There is no such payment system\.\n/],
  ]
  const odd = await Promise.all(cases.map(([options]) => reconcile(...options)))
  for (const [index, { code, output }] of odd.entries()) {
    assert.is(code, 2)
    assert.match(output, cases[index]![1])
  }
  const { databaseUrl } = world.deps.config
  const addresses = { DATABASE_URL: databaseUrl, TIGERBEETLE_ADDRESSES: server.address }
  const unheard = startScript('reconcile.ts', addresses)
  unheard.process.stdout?.destroy()
  assert.is(await unheard.ended, 2, 'nobody could be told what was found')
  const nothing = startScript('reconcile.ts', {})
  assert.is(await nothing.ended, 2)
  assert.match(nothing.output(), /DATABASE_URL/)
})

test('a transfer past Kassa is a break, to people and to programs', async () => {
  const { from } = await pair(world, bank, '5.00')
  const asset = assetOf('USD')
  await createAccounts(world.deps.ledger, [equityAccount(asset)])
  const id = mintId()
  const leg = {
    debitAccountId: from,
    creditAccountId: equityAccount(asset).id,
    amountMinor: 100n,
    asset,
    code: TransferCode.payment,
  }
  const transfer = toTransfer(leg, { id, operationId: id, inputHash: 1 })
  const [created] = await world.deps.ledger.createTransfers([transfer])
  assert.is(created?.status, CreateTransferStatus.created)

  const { code, output } = await reconcile('--json')
  assert.is(code, 1)
  const { verdict, passes }: Json = JSON.parse(output)
  assert.is(verdict, 'breaks')
  assert.is(passes[0].breaks.length, 1)
  const [found] = passes[0].breaks
  assert.equal(
    [found.kind, found.subject, found.ledger_ids, found.currency],
    ['wrong_accounts', id, [id], 'USD'],
  )
  assert.ok(Math.abs(Date.parse(found.since) - Date.now()) < 600_000)

  const all = await run()
  const rows = parse(toCsv(all), { columns: true }) as Record<string, string>[]
  assert.equal(
    rows.map(({ pass, kind, subject, detail }) => [pass, kind, subject, detail]),
    [['ledger', 'wrong_accounts', id, found.detail]],
  )
  const text = show(all)
  assert.match(text, /wrong_accounts: 1\n +Cause: +\S.*\n +Remedy: +\S.*\n +- Transfer/)
  assert.ok(text.includes(id))
  assert.match(text, /\nThere are breaks\.$/)
})

test('what a bank writes can neither hide breaks on a terminal nor add lines', async () => {
  const text = 'D-1\u001b[2J\u001b[H\r\nClean: everything agrees.\u009b\u202e'
  const hostile = madeUp('hostile', { detail: `${text}!`, statementLines: [text] })
  const shown = show(await runPasses(world.deps, [passOf([hostile])]))
  assert.not.match(shown, /(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
  assert.not.match(shown, /^Clean/m)
  assert.ok(
    shown.includes('D-1\ufffd[2J\ufffd[H\ufffd\ufffdClean: everything agrees.\ufffd\ufffd!'),
  )
})

test('a part that failed is never clean, and the others are told', async () => {
  const broken: Pass = { ...ledgerPass, name: 'broken', run: () => Promise.reject(new Error('no')) }
  const all = await runPasses(world.deps, [broken, ledgerPass])
  assert.is(judge(all), 'failed')
  assert.match(
    show(all),
    /^broken: could not be carried out\n {2}Error: no\n\nledger: \d+ transfers/,
  )
  assert.is(judge([]), 'failed')
})

test.run()
