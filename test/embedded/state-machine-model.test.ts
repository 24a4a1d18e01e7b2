import fc from 'fast-check'
import { assert, suite } from '../lib/suite.ts'
import { VirtualClock } from './lib/machine-client.ts'
import { Model, type ModelAccount, type ModelEvent } from './lib/model.ts'
import { reopened } from './lib/reopened.ts'
import {
  accounts,
  type Balances,
  closedFlag,
  type EventPlan,
  histories,
  limitFlag,
  lookUp,
  newMachine,
  payment,
  planned,
  requestPlan,
  sectionBytes,
  send,
} from './lib/stories.ts'

/** What holds whatever was asked: both sides of each ledger agree, and no limit is broken. */
function checkInvariants(balances: Balances): void {
  for (const ledger of [1, 2]) {
    const own = balances.filter((account) => account.ledger === ledger)
    const sum = (of: (account: Balances[number]) => bigint): bigint =>
      own.reduce((total, account) => total + of(account), 0n)
    assert.is(
      sum((one) => one.debits_posted),
      sum((one) => one.credits_posted),
    )
    assert.is(
      sum((one) => one.debits_pending),
      sum((one) => one.credits_pending),
    )
  }
  for (const account of balances) {
    const { debits_posted, debits_pending, credits_posted, credits_pending, flags } = account
    if (flags & limitFlag.debits) assert.ok(debits_posted + debits_pending <= credits_posted)
    if (flags & limitFlag.credits) assert.ok(credits_posted + credits_pending <= debits_posted)
  }
}

/** A machine and a model that have been told the same. */
class Pair {
  readonly clock = new VirtualClock()
  readonly machine = newMachine(this.clock)
  readonly model = new Model(accounts)
  readonly sent: ModelEvent[] = []
  readonly created: ModelEvent[] = []

  /** Sends events to both, and holds what they answer and what they then are against each other. */
  tell(plans: readonly EventPlan[]): void {
    const events: ModelEvent[] = []
    for (const plan of plans) {
      const event = planned(plan, this.sent)
      events.push(event)
      if (!this.sent.includes(event)) this.sent.push(event)
    }
    const statuses = send(this.machine, this.clock, events)
    const first = this.clock.now - BigInt(events.length) + 1n
    this.model.expire(first - 1n)
    assert.equal(statuses, this.model.create(events, first))
    this.created.push(...events.filter((_, index) => statuses[index] === 'created'))

    const balances = lookUp(this.machine, this.clock)
    // Looking up takes a millisecond, in which something may expire.
    this.model.expire(this.clock.now)
    checkInvariants(balances)
    assert.equal(balances.map(summary), this.model.accounts)
  }
}

/** An account of the machine in the words of the model. */
function summary(account: Balances[number]): ModelAccount {
  const { id, ledger, limit } = accounts.find((one) => one.id === account.id)!
  return {
    id,
    ledger,
    limit,
    debitsPending: account.debits_pending,
    debitsPosted: account.debits_posted,
    creditsPending: account.credits_pending,
    creditsPosted: account.credits_posted,
    closed: (account.flags & closedFlag) !== 0,
  }
}

const test = suite('the state machine against its model')

function property(check: (pair: Pair) => void): void {
  const requests = fc.array(requestPlan, { minLength: 5, maxLength: 40, size: 'max' })
  fc.assert(
    fc.property(requests, (plans) => {
      const pair = new Pair()
      for (const { events, waitSeconds } of plans) {
        pair.clock.advance(waitSeconds * 1000)
        pair.tell(events)
      }
      check(pair)
    }),
    { numRuns: 100 },
  )
}

test('statuses and balances agree, and the invariants hold', () => {
  property(() => {})
})

test('what was created answers exists a second time, and nothing changes', () => {
  property(({ clock, machine, created }) => {
    // Past all timeouts, so that nothing expires in between.
    clock.advance(10_000)
    const before = lookUp(machine, clock)
    for (const event of created.filter(({ linked }) => !linked)) {
      assert.equal(send(machine, clock, [event]), ['exists'])
    }
    assert.equal(lookUp(machine, clock), before)
  })
})

test('a machine made of a snapshot goes on like the one that was saved', () => {
  property(({ clock, machine, created }) => {
    const copy = reopened(machine)
    const copyClock = new VirtualClock(clock.now)
    const events = [
      payment(999_999n, 1n, 4n),
      ...created.slice(-3).map((event) => ({ ...event, linked: false })),
    ]
    for (const waitSeconds of [0, 2, 9]) {
      clock.advance(waitSeconds * 1000)
      copyClock.advance(waitSeconds * 1000)
      assert.is(copy.nextExpiry, machine.nextExpiry)
      assert.equal(send(copy, copyClock, events), send(machine, clock, events))
      assert.equal(lookUp(copy, copyClock), lookUp(machine, clock))
      assert.equal(histories(copy, copyClock), histories(machine, clock))
    }
    assert.equal(sectionBytes(copy), sectionBytes(machine))
  })
})

test.run()
