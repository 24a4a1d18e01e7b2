import { audit } from '../../embedded/ledger/audit.ts'
import { viewOf } from '../../embedded/ledger/checksum.ts'
import {
  createStateMachine,
  operations,
  type StateMachine,
} from '../../embedded/ledger/state-machine.ts'
import { assert, suite } from '../lib/suite.ts'
import { codecs } from './lib/codec.ts'
import { encodeBody } from './lib/machine-client.ts'

const test = suite('audit of the books')

const nothing = { user_data_128: 0n, user_data_64: 0n, user_data_32: 0, timestamp: 0n }
const balances = {
  debits_pending: 0n,
  debits_posted: 0n,
  credits_pending: 0n,
  credits_posted: 0n,
  reserved: 0,
}
const pending = 2
const post = 4

/** Two accounts, the second one not to be overdrawn; one pays 100, of which 30 come from a hold. */
function smallBooks(): StateMachine {
  const machine = createStateMachine()
  const account = (id: bigint, flags: number) => {
    return { id, ...balances, ...nothing, ledger: 840, code: 1, flags }
  }
  const accounts = encodeBody(codecs.create_accounts, [[account(1n, 0), account(2n, 2)]])
  machine.commit(operations.createAccounts, accounts, 10n)
  const transfer = (id: bigint, amount: bigint, flags: number, pending_id: bigint) => ({
    id,
    debit_account_id: 1n,
    credit_account_id: 2n,
    amount,
    pending_id,
    ...nothing,
    timeout: 0,
    ledger: 840,
    code: 1,
    flags,
  })
  const transfers = [
    transfer(1n, 70n, 0, 0n),
    transfer(2n, 50n, pending, 0n),
    transfer(3n, 30n, post, 2n),
    transfer(4n, 5n, pending, 0n),
  ]
  machine.commit(operations.createTransfers, encodeBody(codecs.create_transfers, [transfers]), 20n)
  return machine
}

/** The same books, seen through a change of the records that a query finds. */
function altered(
  machine: StateMachine,
  operation: number,
  change: (records: DataView) => void,
): StateMachine {
  return Object.assign(Object.create(machine), {
    timestamp: machine.timestamp,
    commit(asked: number, body: Uint8Array, timestamp: bigint) {
      const reply = machine.commit(asked, body, timestamp).slice()
      if (asked === operation) change(viewOf(reply))
      return reply
    },
  })
}

test('right books have totals and no faults', () => {
  const { ledgers, faults } = audit(smallBooks())
  assert.equal(faults, [])
  assert.equal(
    [...ledgers],
    [
      [
        840,
        {
          accounts: 2,
          transfers: 4,
          debitsPosted: 100n,
          creditsPosted: 100n,
          debitsPending: 5n,
          creditsPending: 5n,
        },
      ],
    ],
  )
})

const faults: readonly (readonly [
  name: string,
  operation: number,
  change: (records: DataView) => void,
  fault: RegExp,
])[] = [
  [
    'a posted balance that no transfer made',
    operations.queryAccounts,
    (r) => r.setBigUint64(32, 101n, true),
    /account 1: its posted balance/,
  ],
  [
    'more pending than is held',
    operations.queryAccounts,
    (r) => r.setBigUint64(16, 6n, true),
    /account 1: more is pending/,
  ],
  [
    'debits and credits that differ',
    operations.queryAccounts,
    (r) => r.setBigUint64(32, 99n, true),
    /ledger 840: debits and credits are not equal/,
  ],
  [
    'an overdrawn account',
    operations.queryAccounts,
    (r) => r.setBigUint64(128 + 32, 101n, true),
    /account 2: debits exceed credits/,
  ],
  [
    'an account that is not there',
    operations.queryTransfers,
    (r) => r.setBigUint64(16, 77n, true),
    /account 77, which is not there/,
  ],
  [
    'time that does not rise',
    operations.queryTransfers,
    (r) => r.setBigUint64(128 + 120, 1n, true),
    /does not come after/,
  ],
]
for (const [name, operation, change, fault] of faults) {
  test(`it finds ${name}`, () => {
    assert.match(audit(altered(smallBooks(), operation, change)).faults.join('\n'), fault)
  })
}

test.run()
