/** Starts everything that is compared, with the same people and wallets in each. */
import { assetOf, TransferCode } from '../../accounting/chart.ts'
import { type Books, openRowLockBooks } from './books.ts'
import { type Child, startChild } from './child.ts'
import { type LoadResult, pace, type Saturate } from './load.ts'
import type { Usage } from './meter.ts'
import type { Latency } from './open-loop.ts'
import {
  constantPath,
  holdAndCapture,
  type Operation,
  requestAndAccept,
  requestsOf,
  transfer,
  transferAt,
} from './operations.ts'
import { currency, type Population } from './population.ts'
import type { Target } from './rounds.ts'
import type { RowLockBooks, RowLockSetup } from './servers/bare-koa-pg.ts'
import type { RawSetup } from './servers/raw-client.ts'
import { prepare, type Setting, type SettingOptions } from './setting.ts'
import { signInAll } from './sign-in.ts'
import type { Workload } from './workload.ts'

export interface TargetOptions extends SettingOptions {
  saturate: Saturate
  profileDir: string | undefined
}

/** As in docs/benchmarks.md, in the order of the table. */
export const targetNames: readonly string[] = [
  'a',
  "a'",
  'b',
  'c',
  'd',
  'd hot',
  'e',
  'f',
  'g',
  'h',
  'i',
]

/** A server that has started, and the `Cookie` headers of all users there. */
interface Server {
  child: Child
  url: string
  cookies: readonly string[]
}

/** Everything that is measured; `opened` gets what is to be closed. */
export async function startTargets(
  options: TargetOptions,
  opened: AsyncDisposableStack,
): Promise<Target[]> {
  const setting = await prepare(options, opened)
  const start = (name: string, env: NodeJS.ProcessEnv = {}): Child => {
    const { profileDir } = options
    const child = startChild(new URL(`servers/${name}.ts`, import.meta.url), { env, profileDir })
    opened.defer(child.stop)
    return child
  }
  const bare = await startBare(start('bare-koa'), setting)
  const locking = await startBare(start('bare-koa-pg'), setting)
  const lockingBooks = await openRowLockBooks(() => locking.child.call<RowLockBooks>('books'))
  const kassa = await startKassa(start('kassa', setting.env), setting)
  const limited = { ...kassa, cookies: await signInToKassa(kassa.url, setting, setting.limited) }

  const { wallets, feeWallets } = setting.people
  const over = (server: Server, operation: Operation, hot = false, books?: Books) =>
    between(wallets, server, operation, hot, books)
  const between = (
    wallets: readonly string[],
    { child, url, cookies }: Server,
    operation: Operation,
    hot: boolean,
    books?: Books,
  ) => {
    return overHttp(child, { url, operation, cookies, wallets, hot }, options.saturate, books)
  }
  const books = setting.ledgerBooks
  const all = `${wallets.length} wallets`
  const hot = 'one hot wallet'
  return [
    { name: 'a', title: 'bare Koa, a constant', ...over(bare, transferAt('/')) },
    {
      name: "a'",
      title: "Kassa's middleware, a constant",
      ...over(kassa, transferAt(constantPath)),
    },
    { name: 'b', title: `Kassa, ${all}`, ...over(kassa, transfer, false, books) },
    { name: 'c', title: `Kassa, ${hot}`, ...over(kassa, transfer, true, books) },
    {
      name: 'd',
      title: `row locks, ${all}`,
      ...over(locking, transferAt('/'), false, lockingBooks),
    },
    {
      name: 'd hot',
      title: `row locks, ${hot}`,
      ...over(locking, transferAt('/'), true, lockingBooks),
    },
    await startRaw(start('raw-client'), setting),
    { name: 'f', title: 'Kassa, hold + capture', ...over(kassa, holdAndCapture, false, books) },
    { name: 'g', title: 'Kassa, request + accept', ...over(kassa, requestAndAccept, false, books) },
    {
      name: 'h',
      title: 'Kassa, payment with fee',
      ...between(feeWallets, kassa, transfer, false, setting.feeBooks),
    },
    {
      name: 'i',
      title: 'Kassa, with fee and limit',
      ...between(setting.limited.feeWallets, limited, transfer, false, setting.feeBooks),
    },
  ]
}

async function startBare(
  child: Child,
  { people: { wallets, emails }, rowLocksUrl }: Setting,
): Promise<Server> {
  const setup: RowLockSetup = { databaseUrl: rowLocksUrl, wallets, users: emails.length }
  const { url } = await child.call<{ url: string }>('start', setup)
  const toRequest = (_email: string, user: number) => ({ path: `/sessions/${user}`, body: {} })
  return { child, url, cookies: await signInAll(url, emails, toRequest) }
}

async function startKassa(child: Child, setting: Setting): Promise<Server> {
  const { url } = await child.call<{ url: string }>('start')
  return { child, url, cookies: await signInToKassa(url, setting, setting.people) }
}

function signInToKassa(
  url: string,
  { password }: Setting,
  { emails }: Population,
): Promise<string[]> {
  const toRequest = (email: string) => ({ path: '/v1/sessions', body: { email, password } })
  return signInAll(url, emails, toRequest)
}

async function startRaw(child: Child, { people, ledgerBooks, env }: Setting): Promise<Target> {
  const setup: RawSetup = {
    addresses: env.TIGERBEETLE_ADDRESSES!.split(','),
    wallets: people.wallets,
    ledger: assetOf(currency).ledger,
    code: TransferCode.payment,
  }
  await child.call('start', setup)
  return {
    name: 'e',
    title: 'raw client, no HTTP',
    saturate: (load) => child.call<LoadResult>('saturate', load),
    pace: (at) => child.call<Latency>('pace', at),
    usage: () => child.call<Usage>('usage'),
    verify: ledgerBooks.verify,
    answersPerPayment: 1,
  }
}

/** Without books it is one that moves no money. */
function overHttp(
  child: Child,
  workload: Workload,
  saturate: Saturate,
  books?: Books,
): Omit<Target, 'name' | 'title'> {
  return {
    saturate: (load) => saturate(workload, load),
    pace: (at, connections) => pace(workload, connections, at),
    usage: () => child.call<Usage>('usage'),
    verify: async (moved) => books?.verify(moved),
    answersPerPayment: books ? requestsOf(workload.operation) : 0,
  }
}
