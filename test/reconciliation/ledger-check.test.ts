import { AccountFlags, type Transfer, TransferFlags } from 'tigerbeetle-node'
import { createAccounts, feeIncomeAccount, suspenseAccount } from '../../accounting/accounts.ts'
import { AccountCode, ControlCode, controlOf, TransferCode } from '../../accounting/chart.ts'
import { createLedger, type Ledger } from '../../accounting/client.ts'
import { toLedgerId, toUuid, type Uuid } from '../../accounting/ids.ts'
import { mintId } from '../../db/ids.ts'
import { zeroAccount } from '../embedded/lib/zero.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { createStory, findIn, type Story, text, toTexts } from '../lib/ledger-story.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('the ledger against itself')

let ledger: Ledger
test.before(async () => {
  ledger = await createLedger(ledgerOptions())
})
test.after(() => ledger.close())

/** A story that begins with some money, and one payment. */
async function begin(): Promise<Story> {
  const story = await createStory(ledger)
  const [ada, ben] = story.wallets
  await story.deposit(ada, 10_000n)
  await story.chain(story.payment(ada, ben, 500n))
  return story
}

async function expectBreaks(story: Story, expected: string[]): Promise<void> {
  assert.equal(toTexts(await findIn(story, ledger)), expected.sort())
}

test('operations as flows make them are no break', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const held = story.hold(ada, ben, 300n)
  await story.chain(held)
  const rest = story.hold(ada, ben, 200n)
  await story.chain(story.post(held, 100n), {
    ...rest,
    user_data_128: held.user_data_128,
  })
  await story.chain(story.void(rest))
  const [money, take, fee] = await story.chain(...story.withdrawal(ada, 1_000n, 5n))
  await story.chain(story.post(take!, 0n))
  await story.chain(story.post(money!, 1_000n), story.post(fee!, 5n))
  const suspended = story.leg({
    debitAccountId: story.clearing,
    creditAccountId: suspenseAccount(1, story.asset).id,
    amountMinor: 70n,
    code: TransferCode.suspense,
  })
  const release = story.right(ControlCode.suspense_release, 0, toUuid(suspended.id))
  await story.chain(suspended, release)
  const assignment = story.leg(
    {
      debitAccountId: suspenseAccount(1, story.asset).id,
      creditAccountId: ben,
      amountMinor: 70n,
      code: TransferCode.suspense_assignment,
    },
    toUuid(suspended.id),
  )
  await story.chain(story.post(release, 0n), assignment)
  await expectBreaks(story, [])
})

test('a code that is not in the chart', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const [odd] = await story.chain({ ...story.payment(ada, ben, 1n), code: 77 })
  await expectBreaks(story, [text('unknown_code', odd?.id)])
})

test('a code of the control ledger on the ledger of money', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const code = ControlCode.budget_use
  const [odd] = await story.chain({ ...story.payment(ada, ben, 1n), code })
  await expectBreaks(story, [text('unknown_code', odd?.id)])
})

test('money between accounts that its code does not allow', async () => {
  const story = await begin()
  const [ada] = story.wallets
  const income = feeIncomeAccount(story.asset).id
  const [payment] = await story.chain(story.payment(ada, income, 1n))
  const [withdrawal] = await story.chain({ ...story.payment(ada, story.clearing, 1n) })
  await expectBreaks(story, [
    text('wrong_accounts', payment?.id),
    text('wrong_accounts', withdrawal?.id),
  ])
})

test('flags, a timeout or an amount that no flow gives', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const odd = [
    { ...story.payment(ada, ben, 1n), flags: TransferFlags.pending },
    { ...story.hold(ada, ben, 1n), timeout: 0 },
    story.payment(ada, ben, 0n),
    { ...story.payment(ada, ben, 1n), flags: TransferFlags.balancing_debit },
  ]
  for (const transfer of odd) await story.chain(transfer)
  await expectBreaks(
    story,
    odd.map(({ id }) => text('wrong_flags', id)),
  )
})

test('a transfer that names no operation', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const [odd] = await story.chain({ ...story.payment(ada, ben, 1n), user_data_128: 0n })
  const [other] = await story.chain({ ...story.payment(ada, ben, 1n), user_data_32: 0 })
  await expectBreaks(story, [
    text('operation_unnamed', odd?.id),
    text('operation_unnamed', other?.id),
  ])
})

test('chains that are no operation, or only a part of one', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const [money] = story.withdrawal(ada, 1n, 1n)
  const [, take, fee] = story.withdrawal(ada, 2n, 1n)
  const held = story.hold(ada, ben, 10n)
  const other = story.payment(ada, ben, 1n)
  const chains = [[money!], [take!], [other, held], [fee!]]
  for (const transfers of chains) await story.chain(...transfers)
  await expectBreaks(story, [
    ...chains.map(([first]) => text('operation_incomplete', first?.id)),
    // Of these the money of the withdrawal is not there at all.
    text('pending_unresolved', take?.id),
    text('pending_unresolved', fee?.id),
  ])
})

test('legs that contradict each other', async () => {
  const story = await begin()
  const [ada, ben] = story.wallets
  const otherOperation = story.withdrawal(ada, 10n, 1n)
  otherOperation[2]!.user_data_128 += 1n
  await story.chain(...otherOperation)

  const held = story.hold(ada, ben, 10n)
  await story.chain(held)
  const wrongRest = { ...story.hold(ada, ben, 8n), user_data_128: held.user_data_128 }
  const capture = story.post(held, 3n)
  await story.chain(capture, wrongRest)

  const [money, take, fee] = await story.chain(...story.withdrawal(ada, 20n, 2n))
  await story.chain(story.post(take!, 0n))
  const half = story.post(money!, 10n)
  await story.chain(half, story.post(fee!, 2n))
  await expectBreaks(story, [
    text('operation_incomplete', otherOperation[0]?.id),
    text('operation_incomplete', capture.id),
    text('operation_incomplete', half.id),
    // Its operation has no money.
    text('pending_unresolved', otherOperation[2]?.id),
  ])
})

test('payments of one chain can be of several assets, the legs of each of one', async () => {
  const [story, other] = [await begin(), await begin()]
  const [ada, ben] = story.wallets
  const [eve, fay] = other.wallets
  const paid = () => [story.payment(ada, ben, 5n), other.payment(eve, fay, 6n)] as const
  const feeOf = ({ user_data_128 }: Transfer, { leg, asset }: Story, debitAccountId: Uuid) =>
    leg(
      {
        debitAccountId,
        creditAccountId: feeIncomeAccount(asset).id,
        amountMinor: 1n,
        code: TransferCode.fee,
      },
      toUuid(user_data_128),
    )
  const [one, two] = paid()
  await story.chain(
    one,
    feeOf(one, story, ada),
    two,
    feeOf(two, other, eve),
    story.payment(ben, ada, 1n),
  )
  await story.chain(...paid().toReversed())
  await expectBreaks(story, [])
  await expectBreaks(other, [])
  const [third, fourth] = paid()
  await story.chain(third, fourth, feeOf(fourth, story, ada))
  await expectBreaks(story, [text('operation_incomplete', third.id)])
})

test('a fee that was left pending when its withdrawal was ended', async () => {
  const story = await begin()
  const [ada] = story.wallets
  const [money, take, fee] = await story.chain(...story.withdrawal(ada, 20n, 2n))
  await story.chain(story.post(take!, 0n))
  await story.chain(story.post(money!, 20n))
  const findings = await findIn(story, ledger)
  assert.equal(toTexts(findings), [text('pending_unresolved', fee?.id)])
  assert.equal([findings[0]?.expected, findings[0]?.found], [0n, 2n])
})

test('accounts that the chart does not have', async () => {
  const story = await begin()
  const control = controlOf(story.asset)
  const open = (code: AccountCode, id = mintId(), asset = story.asset) => ({ id, asset, code })
  const [income, clearing, budget, rights] = [
    open(AccountCode.feeIncome),
    open(AccountCode.clearing),
    open(AccountCode.budget),
    open(AccountCode.rights, mintId(), control),
  ]
  await createAccounts(ledger, [income, clearing, budget, rights])
  const plain = {
    ...zeroAccount,
    id: toLedgerId(mintId()),
    ledger: story.asset.ledger,
    code: AccountCode.wallet,
    flags: AccountFlags.none,
  }
  const strange = { ...plain, id: toLedgerId(mintId()), code: 21, flags: AccountFlags.history }
  await ledger.createAccounts([plain, strange])
  await expectBreaks(story, [
    ...[income, clearing, budget, rights].map(({ id }) => text('account_unexpected', id)),
    text('account_unexpected', plain.id),
    text('account_unexpected', strange.id),
  ])
})

test.run()
