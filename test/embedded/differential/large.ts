import { AccountFlags, TransferFlags } from 'tigerbeetle-node'
import type { TraceObject, TraceStep } from '../lib/trace-file.ts'
import type { Draft } from './vocabulary.ts'
import { idOf, type World } from './world.ts'

const perMessage = 8189

/** Batches as large as a message can hold, or one event larger, and searches for all of it. */
export async function* largeCalls(world: World): AsyncGenerator<TraceStep> {
  const { random } = world
  const length = random.pick([perMessage, perMessage - 1, perMessage + 1, 4000, 8000])
  const accounts = world.accounts.filter(({ ledger }) => ledger === 1).slice(-2)
  const [debit, credit] = accounts
  if (!debit || !credit) return
  if (random.chance(0.3)) {
    const events: Draft[] = Array.from({ length }, () => ({
      id: world.newId(),
      ledger: 9,
      code: 1,
    }))
    yield { op: 'create_accounts', events }
    const ids = events.map(idOf)
    yield { op: 'lookup_accounts', ids }
    yield { op: 'query_accounts', filter: { ledger: 9, limit: perMessage, flags: random.below(2) } }
    return
  }
  if (random.chance(0.3)) return yield* manyExpire(world, accounts)
  const chain = random.chance(0.4)
  const broken = random.chance(0.5) ? random.below(length) : -1
  const events: Draft[] = Array.from({ length }, (_, index) => ({
    id: index === broken ? world.anyTransferId() : world.newId(),
    debit_account_id: idOf(debit),
    credit_account_id: idOf(credit),
    amount: '1',
    ledger: 1,
    code: 1 + (index % 3),
    flags: chain && index < length - 1 ? Number(AccountFlags.linked) : 0,
  }))
  yield { op: 'create_transfers', events }
  yield { op: 'lookup_accounts', ids: accounts.map(idOf) }
  yield { op: 'lookup_transfers', ids: events.map(idOf) }
  const flags = random.pick([1, 3, 5, 7])
  const account_id = idOf(debit)
  yield { op: 'get_account_transfers', filter: { account_id, limit: perMessage, flags } }
  yield { op: 'get_account_balances', filter: { account_id, limit: perMessage, flags, code: 2 } }
}

/** More pending transfers than one step of expiry ends, which all expire at about the same time. */
async function* manyExpire(
  world: World,
  accounts: readonly TraceObject[],
): AsyncGenerator<TraceStep> {
  const ids = accounts.map(idOf)
  const [debit = '0', credit = '0'] = ids
  for (let batch = 0; batch < 2; batch += 1) {
    const events: Draft[] = Array.from({ length: perMessage - batch }, (_, index) => ({
      id: world.newId(),
      debit_account_id: index % 2 === 0 ? debit : credit,
      credit_account_id: index % 2 === 0 ? credit : debit,
      amount: String(1 + (index % 5)),
      ledger: 1,
      code: 7,
      flags: Number(TransferFlags.pending),
      timeout: 3,
    }))
    yield { op: 'create_transfers', events }
    if (batch === 0) yield { op: 'lookup_accounts', ids }
  }
  yield { op: 'sleep', ms: 4500 }
  yield { op: 'lookup_accounts', ids }
  yield { op: 'query_transfers', filter: { code: 7, limit: 5, flags: 1 } }
}
