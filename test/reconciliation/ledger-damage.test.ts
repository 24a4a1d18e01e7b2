/** What TigerBeetle would never do, by damaged copies of what it answers. */
import { type Account, AccountFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import { toLedgerId, type Uuid } from '../../accounting/ids.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { createStory, damaged, findIn, type Story, text, toTexts } from '../lib/ledger-story.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('damaged copies of the ledger')

let ledger: Ledger
let story: Story
let ada: Uuid
let ben: Uuid
/** In their order: 100.00 for each, a payment, a chain of two, a hold that is captured, one that is open. */
let all: Transfer[]

test.before(async () => {
  ledger = await createLedger(ledgerOptions())
  story = await createStory(ledger)
  ;[ada, ben] = story.wallets
  const deposits = [await story.deposit(ada, 10_000n), await story.deposit(ben, 10_000n)]
  const [payment] = await story.chain(story.payment(ada, ben, 9_000n))
  const two = await story.chain(story.payment(ben, ada, 1n), story.payment(ben, ada, 2n))
  const [held] = await story.chain(story.hold(ada, ben, 50n))
  const [captured] = await story.chain(story.post(held!, 20n))
  const [open] = await story.chain(story.hold(ben, ada, 60n))
  all = [...deposits, payment!, ...two, held!, captured!, open!]
})
test.after(() => ledger.close())

/** Changes the transfer at this place. */
const changing =
  (place: number, change: (transfer: Transfer) => Partial<Transfer> | undefined) =>
  (transfer: Transfer): Transfer[] => {
    if (transfer.id !== all[place]?.id) return [transfer]
    const changed = change(transfer)
    return changed ? [{ ...transfer, ...changed }] : []
  }

const losing = (place: number) => changing(place, () => undefined)

const changingAccounts =
  (changes: Readonly<Record<Uuid, (account: Account) => Partial<Account>>>) =>
  (account: Account): Account[] => {
    const found = Object.entries(changes).find(([id]) => toLedgerId(id) === account.id)
    return [{ ...account, ...found?.[1](account) }]
  }

test('undamaged copies are clean', async () => {
  const copies = damaged(ledger, { transfers: (it) => [{ ...it }], accounts: (it) => [{ ...it }] })
  assert.equal(await findIn(story, copies), [])
})

test('a wrong balance, of each of the four, and both sides of one', async () => {
  for (const field of ['debits_posted', 'credits_posted'] as const) {
    const accounts = changingAccounts({ [ada]: (it) => ({ [field]: it[field] + 7n }) })
    const findings = await findIn(story, damaged(ledger, { accounts }))
    assert.equal(toTexts(findings), [
      text('balance_differs', ada),
      text('ledger_unbalanced', undefined),
    ])
    const [difference, sum] = findings
    assert.is(difference!.found! - difference!.expected!, 7n)
    assert.is(sum!.found!, field === 'debits_posted' ? 7n : -7n)
  }
  const both = changingAccounts({
    [ada]: (it) => ({ debits_pending: it.debits_pending + 3n }),
    [ben]: (it) => ({ credits_pending: it.credits_pending + 3n }),
  })
  const findings = await findIn(story, damaged(ledger, { accounts: both }))
  assert.equal(
    toTexts(findings),
    [text('balance_differs', ada), text('balance_differs', ben)].sort(),
  )
  assert.match(String(findings[0]?.detail), /(debits|credits) pending/)
})

test('a wallet that is closed by nothing', async () => {
  const accounts = changingAccounts({ [ada]: (it) => ({ flags: it.flags | AccountFlags.closed }) })
  const findings = await findIn(story, damaged(ledger, { accounts }))
  assert.equal(toTexts(findings), [text('balance_differs', ada)])
  assert.match(String(findings[0]?.detail), /is closed by no transfer/)
})

test('a limit that was broken for a moment only', async () => {
  // The payment comes before the deposit that pays for it: in the end all is the same.
  const [deposit, payment] = [0, 2]
  const timestampOf = async (place: number) =>
    (await ledger.lookupTransfers([all[place]!.id]))[0]!.timestamp
  const [early, late] = [await timestampOf(deposit), await timestampOf(payment)]
  const swapped: Ledger = Object.assign(Object.create(ledger), {
    queryTransfers: async (filter: Parameters<Ledger['queryTransfers']>[0]) => {
      const page = await ledger.queryTransfers(filter)
      return page
        .map((it) => {
          if (it.id === all[deposit]!.id) return { ...it, timestamp: late }
          return it.id === all[payment]!.id ? { ...it, timestamp: early } : it
        })
        .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
    },
  } satisfies Partial<Ledger>)
  const findings = await findIn(story, swapped)
  assert.equal(toTexts(findings), [text('limit_broken', ada)])
  assert.equal(findings[0]?.ids[1], all[payment]!.id)
  assert.equal([findings[0]?.expected, findings[0]?.found], [0n, 9_000n])
})

test('a limit of an account that may only have debits', async () => {
  const transfers = changing(0, ({ debit_account_id, credit_account_id }) => ({
    debit_account_id: credit_account_id,
    credit_account_id: debit_account_id,
  }))
  const texts = toTexts(await findIn(story, damaged(ledger, { transfers })))
  assert.ok(texts.includes(text('limit_broken', story.clearing)))
  assert.ok(texts.includes(text('limit_broken', ada)))
  assert.ok(texts.includes(text('wrong_accounts', all[0]?.id)))
})

test('a transfer that is lost', async () => {
  const findings = await findIn(story, damaged(ledger, { transfers: losing(2) }))
  assert.equal(
    toTexts(findings),
    [text('balance_differs', ada), text('balance_differs', ben)].sort(),
  )
})

test('an amount that is another one', async () => {
  const transfers = changing(2, ({ amount }) => ({ amount: amount + 1n }))
  const findings = await findIn(story, damaged(ledger, { transfers }))
  assert.equal(
    toTexts(findings),
    [text('balance_differs', ada), text('balance_differs', ben)].sort(),
  )
})

test('a chain without its end', async () => {
  const transfers = changing(4, ({ flags }) => ({ flags: flags | TransferFlags.linked }))
  const findings = await findIn(story, damaged(ledger, { transfers }))
  assert.equal(toTexts(findings), [text('chain_incomplete', all[3]?.id)])
  assert.equal(findings[0]?.ids, [all[3]?.id, all[4]?.id])
})

test('a resolution of what is not pending, of too much, and twice', async () => {
  const of = (change: Partial<Transfer>) =>
    findIn(story, damaged(ledger, { transfers: changing(6, () => change) }))
  const nothing = await of({ pending_id: 1n })
  assert.ok(toTexts(nothing).includes(text('resolution_impossible', all[6]?.id)))
  assert.ok(!toTexts(nothing).some((it) => it.startsWith('operation_incomplete')))
  const tooMuch = await of({ amount: 51n })
  assert.ok(toTexts(tooMuch).includes(text('resolution_impossible', all[6]?.id)))
  const elsewhere = await of({ credit_account_id: toLedgerId(story.clearing) })
  assert.equal(toTexts(elsewhere), [text('resolution_impossible', all[6]?.id)])
  const again = { ...story.post(all[7]!, 20n), pending_id: all[5]!.id }
  const twice: Ledger = Object.assign(Object.create(ledger), {
    queryTransfers: async (filter: Parameters<Ledger['queryTransfers']>[0]) => {
      const page = await ledger.queryTransfers(filter)
      return page.flatMap((it) =>
        it.id === all[6]!.id
          ? [it, { ...it, id: again.id, amount: 0n, timestamp: it.timestamp + 1n }]
          : [it],
      )
    },
  } satisfies Partial<Ledger>)
  assert.equal(toTexts(await findIn(story, twice)), [text('resolution_impossible', again.id)])
})

test('a transfer that is not later than the one before it', async () => {
  const [before] = await ledger.lookupTransfers([all[4]!.id])
  const transfers = changing(5, () => ({ timestamp: before!.timestamp }))
  const findings = await findIn(story, damaged(ledger, { transfers }))
  assert.equal(toTexts(findings), [text('time_reversed', all[5]?.id)])
})

test('an account that is lost', async () => {
  const accounts = (account: Account) => (account.id === toLedgerId(ben) ? [] : [account])
  const findings = await findIn(story, damaged(ledger, { accounts }))
  assert.equal(toTexts(findings), [text('account_missing', ben)])
})

test('a transfer between two ledgers', async () => {
  const elsewhere = await createStory(ledger)
  const transfers = changing(2, () => ({ credit_account_id: toLedgerId(elsewhere.wallets[0]) }))
  const copies = damaged(ledger, { transfers })
  // The accounts themselves are as they should be, but not by this transfer.
  assert.equal(
    toTexts(await findIn(story, copies)),
    [text('wrong_accounts', all[2]?.id), text('balance_differs', ben)].sort(),
  )
})

test.run()
