/** People who join a run, and their wallets. */
import type { Currency } from './amounts.ts'
import { type Account, reach, read, signUp } from './cast.ts'
import type { Run } from './run.ts'
import type { ModelWallet } from './state.ts'

const usersMax = 5
const walletsMax = 8

/** Somebody joins, unless there are enough. */
export async function join(run: Run): Promise<void> {
  if (run.users.length < usersMax) await joinTogether(run, 1)
}

/** So many people join at once, with a wallet in each currency of the market. */
export async function joinTogether(run: Run, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `${run.prefix}_${run.users.length + i}`)
  const newcomers = await Promise.all(names.map((username) => settleIn(run, username)))
  run.users.push(...newcomers.map(({ user }) => user))
  run.search.change((model) => ({
    ...model,
    wallets: [...model.wallets, ...newcomers.flatMap(({ wallets }) => wallets)],
    people: new Map([
      ...model.people,
      ...newcomers.map(({ user }) => [user.username, user.id] as const),
    ]),
  }))
}

/** Signs up. The wallet in the default currency, which everybody has, is closed: the model has none such. */
async function settleIn(run: Run, username: string) {
  const { place, market } = run
  const user = { ...(await signUp(place, username)), username }
  const wallets: ModelWallet[] = []
  for (const currency of market.currencies) {
    wallets.push(...(await open(run, user, currency)))
  }
  const { data } = await read(place, user, '/v1/wallets')
  for (const { id, currency } of data) {
    if (market.currencies.includes(currency)) continue
    await reach(place, (url) => user.at(url).post(`/v1/wallets/${id}/close`, undefined))
  }
  await user.signIn()
  return { user, wallets }
}

/** Somebody opens another wallet, unless they have enough. */
export async function openAnother(
  run: Run,
  user: Account & { id: string },
  currency: Currency,
): Promise<void> {
  const own = run.search.model.wallets.filter(({ userId }) => userId === user.id)
  if (own.length >= walletsMax) return
  const wallets = await open(run, user, currency)
  run.search.change((model) => ({ ...model, wallets: [...model.wallets, ...wallets] }))
  await user.signIn()
}

/** The wallets that are there now and were not before: after a lost answer there may be more than one. */
async function open(
  { place }: Run,
  user: Account & { id: string },
  currency: Currency,
): Promise<ModelWallet[]> {
  const list = async () => (await read(place, user, '/v1/wallets')).data as Opened[]
  const before = new Set((await list()).map(({ id }) => id))
  await reach(
    place,
    (url) => user.at(url).post('/v1/wallets', { currency }),
    (reply) => reply?.status === 201,
  )
  const opened = (await list()).filter(({ id }) => !before.has(id))
  return opened.map((body) => toWallet(body, user.id))
}

type Opened = Pick<ModelWallet, 'id' | 'number' | 'currency'>

const toWallet = ({ id, number, currency }: Opened, userId: string): ModelWallet => ({
  id,
  number,
  userId,
  currency,
  state: 'active',
  minor: 0n,
  entries: [],
})
