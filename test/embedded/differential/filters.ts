import type { TraceCall, TraceTimestamp } from '../lib/trace-file.ts'
import {
  codes,
  type Draft,
  ledgers,
  limits,
  max128,
  oddTimestamps,
  recent,
  userData,
} from './vocabulary.ts'
import { idOf, type World } from './world.ts'

/** A search by account: its transfers or its balances. */
export function accountFilterCall(world: World): TraceCall {
  const { random } = world
  const account_id = random.chance(0.04)
    ? random.pick(['0', String(max128), world.unknownId()])
    : idOf(recent(random, world.accounts, 12) ?? { id: '1' })
  const filter = makeFilter(world)
  filter.account_id = account_id
  filter.flags = random.chance(0.92)
    ? random.pick([1, 2, 3, 3, 3, 5, 6, 7, 7])
    : random.pick([0, 4, 8, 11, 2 ** 31 + 3, 4294967295])
  const op = random.chance(0.55) ? 'get_account_transfers' : 'get_account_balances'
  return { op, filter }
}

/** A search among all accounts or all transfers. */
export function queryCall(world: World): TraceCall {
  const { random } = world
  const filter = makeFilter(world)
  if (random.chance(0.25)) filter.ledger = random.pick(ledgers)
  const flags = random.chance(0.94) ? random.below(2) : random.pick([2, 3, 2 ** 31, 4294967295])
  if (flags !== 0) filter.flags = flags
  return { op: random.chance(0.5) ? 'query_accounts' : 'query_transfers', filter }
}

function makeFilter(world: World): Draft {
  const { random } = world
  const filter: Draft = { limit: random.pick(limits) }
  if (random.chance(0.5)) filter.limit = random.pick([1, 2, 3, 7, 8189])
  for (const [field, values] of Object.entries(userData)) {
    if (random.chance(0.2)) filter[field] = random.pick<string | number>(values)
  }
  if (random.chance(0.2)) filter.code = random.pick(codes)
  for (const field of ['timestamp_min', 'timestamp_max']) {
    if (random.chance(0.3)) filter[field] = bound(world)
  }
  if (filter.timestamp_min && random.chance(0.15)) filter.timestamp_max = filter.timestamp_min
  return filter
}

function bound(world: World): TraceTimestamp {
  return world.random.chance(0.12) ? world.random.pick(oddTimestamps) : world.someTimestamp()
}

/** Accounts or transfers by id: known ones, unknown ones, some twice, some that are no id. */
export function lookupCall(world: World): TraceCall {
  const { random } = world
  const op = random.chance(0.6) ? 'lookup_accounts' : 'lookup_transfers'
  const ids: string[] = []
  for (let count = random.chance(0.03) ? 0 : 1 + random.below(12); count > 0; count -= 1) {
    const known = op === 'lookup_accounts' ? world.anyAccountId() : world.anyTransferId()
    ids.push(random.chance(0.06) ? random.pick(['0', String(max128), world.unknownId()]) : known)
  }
  return { op, ids }
}
