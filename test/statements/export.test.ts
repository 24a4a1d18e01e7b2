import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AccountCode, assetOf, assetOfLedger } from '../../accounting/chart.ts'
import { formatAmount } from '../../accounting/money.ts'
import { readArguments } from '../../scripts/export-arguments.ts'
import { openLedgerJournal } from '../../server/flows/ledger-journal.ts'
import { checkBooks } from '../lib/books.ts'
import { addLiquidity, exchange, freshAsset, quoted, setRate } from '../lib/exchange.ts'
import { setFee } from '../lib/fees.ts'
import type { Client } from '../lib/http.ts'
import { fund, openWallet, pay } from '../lib/money.ts'
import { readCsv, readHledger, readJson } from '../lib/statements.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('exports')

let world: World
let bank: Client
let ada: Person
let grace: Person
let folder: string
let pointsId: string

test.before(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'kassa-export-')), 'made by the first')
  world = await createWorld()
  bank = await world.paymentSystem()
  ada = await world.signUp({ name: 'Ada Lovelace' })
  grace = await world.signUp({ name: 'Grace Hopper' })
  await live()
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
  await rm(dirname(folder), { recursive: true })
})

async function live(): Promise<void> {
  const operator = await world.operator()
  const points = await freshAsset(world, 0)
  await fund(bank, ada.walletId, '500.00')
  pointsId = (await openWallet(ada.client, points.currency)).id
  await fund(bank, pointsId, '7', points.currency)
  await fund(bank, (await openWallet(ada.client, 'KWD')).id, '1.234', 'KWD')
  await addLiquidity(world.deps.ledger, 'EUR', 1_000_000n)
  await must(setRate(operator, 'USD/EUR', '0.9'), 200)
  await openWallet(ada.client, 'EUR')
  const quote = await quoted(ada.client, { from: 'USD', to: 'EUR', amount: '10.00' })
  await must(exchange(ada.client, quote), 201)
  await setFee(operator, 'payment', { fixed: '0.25' })
  const to_wallet_id = grace.walletId
  await must(pay(ada.client, { to_wallet_id, amount: '3.00', memo: 'secret' }), 201)
  await must(ada.client.post('/v1/holds', { to_wallet_id, amount: '2.00' }), 201)
  const deposit = { wallet_id: to_wallet_id, amount: '9.00', currency: 'USD', reference: 'back' }
  const { id } = await must(bank.post('/v1/deposits', deposit), 201)
  await must(pay(grace.client, { to_wallet_id: ada.walletId, amount: '8.00' }), 201)
  await must(
    bank.post(`/v1/deposits/${id}/reversals`, {
      amount: '9.00',
      reference: 'r',
      reason: 'stolen card',
    }),
    201,
  )
}

/** Runs scripts/`name` on the world's servers. */
function run(name: string, words: string[], variables: NodeJS.ProcessEnv = {}) {
  const script = fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url))
  const { PATH, HOME, NODE_COMPILE_CACHE, TIGERBEETLE_ADDRESSES } = process.env
  const DATABASE_URL = world.deps.config.databaseUrl
  const servers = { TIGERBEETLE_ADDRESSES, DATABASE_URL }
  const env = { PATH, HOME, NODE_COMPILE_CACHE, ...servers, ...variables }
  const child = spawn(process.execPath, [script, ...words], { env })
  let output = ''
  child.stdout.on('data', (part) => {
    output += part
  })
  child.stderr.on('data', (part) => {
    output += part
  })
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, output }))
  })
}

/** The files that an export has told, each with the SHA-256 that it has told. */
async function readTold(output: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const [, sum, name = ''] of output.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)) {
    const file = await readFile(join(folder, name))
    assert.is(createHash('sha256').update(file).digest('hex'), sum)
    files.set(name.replace(/.*\./, ''), file)
  }
  return files
}

test('a statement is written in each format, into files that are whole', async () => {
  const words = ['--wallet', ada.walletNumber, '--from', '2026-01-01', '--to', '2099-01-01']
  const { code, output } = await run('export.ts', [...words, '--folder', folder])
  assert.is(code, 0, output)
  const files = await readTold(output)
  assert.equal([...files.keys()], ['json', 'csv', 'xml', 'pdf', 'journal'])
  const text = (kind: string) => files.get(kind)?.toString() ?? ''
  const { entries } = readJson(text('json'))
  assert.ok(entries.length >= 5)
  assert.equal(readCsv(text('csv')).entries, entries)
  assert.equal(readHledger(text('journal')).entries, entries)
  assert.equal(
    (await readdir(folder)).filter((name) => name.endsWith('.unfinished')),
    [],
  )
})

test('a format that is not possible is left out, unless it is named', async () => {
  const period = ['--from', '2026-01-01', '--to', '2099-01-01', '--folder', folder]
  const words = ['--wallet', pointsId, ...period]
  const { code, output } = await run('export.ts', words)
  assert.is(code, 0, output)
  assert.match(output, /^Not as camt\.053: .*ISO 4217/m)
  assert.equal([...(await readTold(output)).keys()], ['json', 'csv', 'pdf', 'journal'])
  const named = await run('export.ts', [...words, '--format', 'camt.053', '--format', 'csv'])
  assert.is(named.code, 1)
  assert.equal([...(await readTold(named.output)).keys()], [])
})

test('what the command line says is understood, or refused', () => {
  const period = ['--from', '2026-01-01', '--to', '2026-02-01']
  const statement = {
    wallet: '7989862680',
    period: { from: 1_767_225_600_000_000_000n, to: 1_769_904_000_000_000_000n },
    formats: ['csv', 'pdf'],
  }
  const formats = ['--format', 'csv', '--format', 'pdf']
  const asked = readArguments(['--wallet', statement.wallet, ...period, ...formats])
  assert.equal(asked, { folder: '.', statement })
  const { formats: _, ...every } = statement
  assert.equal(readArguments(['--wallet', statement.wallet, ...period]), {
    folder: '.',
    statement: every,
  })
  assert.equal(readArguments(['--format', 'hledger']), { folder: '.' })
  for (const words of [
    [],
    ['--format', 'csv'],
    ['--format', 'hledger', ...period],
    ['--wallet', statement.wallet],
    ['--wallet', statement.wallet, ...period, '--format', 'xls'],
    ['--wallet', statement.wallet, '--from', '2026-02-01', '--to', '2026-01-01'],
    ['--wallet', statement.wallet, ...period, '--unknown', 'x'],
  ]) {
    assert.is(readArguments(words), undefined, words.join(' '))
  }
})

/** Adds a journal up as hledger does: what each account has, and what was asserted of it. */
function addUp(journal: string) {
  const balances = new Map<string, bigint>()
  const asserted = new Map<string, bigint>()
  const declared = new Set([...journal.matchAll(/^account (\S+)$/gm)].map(([, name]) => name))
  const minor = (text: string) => BigInt(text.replace('.', ''))
  for (const block of journal.split('\n\n')) {
    const postings = [...block.matchAll(/^ {4}(\S+) +(-?[\d.]+) (\S+)(?: = (-?[\d.]+) \S+)?$/gm)]
    const sums = new Map<string, bigint>()
    for (const [, account = '', amount = '', commodity = '', assertion] of postings) {
      const key = `${account} ${commodity}`
      const balance = (balances.get(key) ?? 0n) + minor(amount)
      balances.set(key, balance)
      sums.set(commodity, (sums.get(commodity) ?? 0n) + minor(amount))
      assert.ok(declared.has(account), account)
      if (assertion === undefined) continue
      assert.is(minor(assertion), balance, key)
      asserted.set(key, balance)
    }
    for (const [commodity, sum] of sums) assert.is(sum, 0n, `${commodity} in ${block}`)
  }
  return { balances, asserted }
}

/** Sums by kind of account and currency, as the ledger itself has them. */
function sumAccounts(accounts: Awaited<ReturnType<typeof checkBooks>>): Map<string, string> {
  const sums = new Map<string, bigint>()
  for (const { code, ledger, debits_posted, credits_posted } of accounts) {
    const key = `${code} ${ledger}`
    sums.set(key, (sums.get(key) ?? 0n) + debits_posted - credits_posted)
  }
  return new Map(
    [...sums].map(([key, minor]) => {
      const asset = assetOfLedger(Number(key.split(' ')[1]))
      return [`${key.split(' ')[0]} ${asset.currency}`, formatAmount(minor, asset)]
    }),
  )
}

test('the journal of the whole ledger adds up to what TigerBeetle has', async () => {
  const { code, output } = await run('export.ts', ['--format', 'hledger', '--folder', folder])
  assert.is(code, 0, output)
  const journal = (await readTold(output)).get('journal')?.toString() ?? ''
  const { balances, asserted } = addUp(journal)
  assert.equal(new Set(asserted.keys()), new Set(balances.keys()))
  const { currencies } = await world.deps.settings.read()
  const ledgers = new Set([...currencies.keys()].map((currency) => assetOf(currency).ledger))
  const accounts = (await checkBooks(world.deps.ledger)).filter(({ ledger }) => ledgers.has(ledger))
  assert.is(asserted.size, accounts.length)
  const sums = sumAccounts(accounts)
  for (const [prefix, kind, currency] of [
    ['liabilities:wallets', 'wallet', 'USD'],
    ['assets:clearing', 'clearing', 'USD'],
    ['assets:receivable', 'receivable', 'USD'],
    ['income:fees', 'feeIncome', 'USD'],
    ['liabilities:liquidity', 'liquidity', 'EUR'],
    ['assets:clearing', 'clearing', 'KWD'],
  ] as const) {
    const ofKind = [...balances].filter(
      ([key]) => key.startsWith(prefix) && key.endsWith(` ${currency}`),
    )
    const sum = ofKind.reduce((total, [, minor]) => total + minor, 0n)
    const expected = sums.get(`${AccountCode[kind]} ${currency}`) ?? ''
    assert.is(sum, BigInt(expected.replace('.', '')), prefix)
  }
  const adas = balances.get(`liabilities:wallets:${ada.walletNumber} USD`)
  const { balance } = await must(ada.client.get(`/v1/wallets/${ada.walletId}`), 200)
  assert.is(-(adas ?? 0n), BigInt(balance.posted.replace('.', '')))
  for (const personal of ['Ada', 'Grace', 'secret', ada.email, ada.userId, ada.walletId]) {
    assert.not.ok(journal.includes(personal), personal)
  }
  assert.match(journal, /^commodity 1000\. X[A-Z]{6}$/m)
  assert.match(journal, /^commodity 1000\.000 KWD$/m)
})

test('money that moves during an export is not in it', async () => {
  const journal = await openLedgerJournal(world.deps)
  let text = ''
  let transfers = 0
  for await (const part of journal.write()) {
    await must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '0.01' }), 201)
    text += part.text
    transfers += part.transfers
  }
  const { balances } = addUp(text)
  assert.is(transfers, [...text.matchAll(/^\d{4}-\d\d-\d\d \(/gm)].length)
  for await (const page of journal.readBalances()) {
    for (const { account, asset, debitMinor } of page) {
      assert.is(balances.get(`${account} ${asset.currency}`), debitMinor, account)
    }
  }
})

test('without hledger the check of it says so', async () => {
  const { code, output } = await run('check-hledger.ts', [], { PATH: '/nowhere' })
  assert.is(code, 2)
  assert.is(output, 'hledger is not installed (Debian: apt-get install hledger).\n')
})

test.run()
