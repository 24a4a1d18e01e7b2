/** Histories, and the lists that follow the ledger, held against the model. */
import { deepStrictEqual } from 'node:assert/strict'
import type { Json } from '../http.ts'
import { until } from '../until.ts'
import { showMinor } from './amounts.ts'
import { type Account, readAll } from './cast.ts'
import { type Run, userOf } from './run.ts'
import { type Entry, type ModelWallet, walletOf } from './state.ts'

/** Each history has the model's entries, and each balance in it follows from the one before. */
export async function compareHistories(run: Run): Promise<void> {
  for (const wallet of run.search.model.wallets) {
    const owner = userOf(run, wallet.userId)
    const { data } = await readAll(run.place, owner, `/v1/wallets/${wallet.id}/transactions`)
    const moved = data.filter(({ phase, amount }) => isMovement(phase) && Number(amount) !== 0)
    checkBalances(wallet, moved.toReversed())
    const told = moved.map(({ kind, direction, amount }) => ({
      kind,
      direction,
      minor: BigInt(amount.replace('.', '')),
    }))
    const expected = toTexts(wallet.entries)
    deepStrictEqual(toTexts(told), expected, `history of wallet ${wallet.id}`)
  }
}

/**
 * What a history says, in minor units. What was paid of a debt is one sum: of two deposits at once either
 * can have been first and have paid more of it, and neither answers nor balances tell which.
 */
function toTexts(entries: readonly Pick<Entry, 'kind' | 'direction' | 'minor'>[]): string[] {
  const isDebt = ({ kind }: Pick<Entry, 'kind'>) => kind === 'chargeback_payment'
  const paid = entries.filter(isDebt).reduce((sum, { minor }) => sum + minor, 0n)
  const others = entries.filter((entry) => !isDebt(entry))
  return [
    ...others.map(({ kind, direction, minor }) => `${kind} ${direction} ${minor}`).sort(),
    `paid of debts ${paid}`,
  ]
}

const isMovement = (phase: string) => phase === 'single' || phase === 'post'

function checkBalances({ id, currency }: ModelWallet, oldestFirst: readonly Json[]): void {
  let minor = 0n
  for (const told of oldestFirst) {
    const change = BigInt(told.amount.replace('.', ''))
    minor += told.direction === 'in' ? change : -change
    deepStrictEqual(told.balance, showMinor(minor, currency), `wallet ${id} after ${told.id}`)
  }
}

/** The lists have what the model has, once they have caught up. */
export async function compareLists(run: Run): Promise<void> {
  const now = Date.now()
  for (const user of run.users) {
    for (const [name, ids] of Object.entries(listed(run, user.id))) {
      const list = await readCaughtUp(run, user, `/v1/${name}`, now)
      deepStrictEqual(list.map(({ id }) => id).sort(), ids.sort(), `${name} of ${user.id}`)
    }
  }
  const suspense = await readCaughtUp(run, run.operator, '/v1/suspense', now)
  const states = new Map(suspense.map(({ id, state }) => [id, state]))
  for (const { id, suspense: state } of run.search.model.deposits.values()) {
    deepStrictEqual(states.get(id), state, `suspense of ${id}`)
  }
}

/** The ids that each of somebody's lists has. */
function listed({ search: { model } }: Run, userId: string): Record<string, string[]> {
  const isMine = (walletId: string) => walletOf(model, walletId).userId === userId
  const isParty = ({ payerId, payeeId }: { payerId: string; payeeId: string }) =>
    isMine(payerId) || isMine(payeeId)
  const idsOf = <T extends { id: string }>(
    things: ReadonlyMap<string, T>,
    isListed: (thing: T) => boolean,
  ) => [...things.values()].filter(isListed).map(({ id }) => id)
  return {
    holds: idsOf(model.holds, isParty),
    'payment-requests': idsOf(
      model.requests,
      ({ requesterId, payerId }) => requesterId === userId || payerId === userId,
    ),
    withdrawals: idsOf(model.withdrawals, ({ walletId }) => isMine(walletId)),
    refunds: idsOf(model.refunds, ({ paidId }) => {
      const paid = model.paid.get(paidId)
      return paid !== undefined && isParty(paid)
    }),
  }
}

/** A list that has everything from before `now`. */
async function readCaughtUp(
  { place }: Run,
  account: Account,
  path: string,
  now: number,
): Promise<Json[]> {
  let list: Json[] = []
  await until(async () => {
    const { data, page } = await readAll(place, account, path)
    list = data
    return Date.parse(page.as_of) > now
  })
  return list
}
