import { randomBytes } from 'node:crypto'
import { loadConfig } from '../../server/config.ts'
import type { Deps } from '../../server/deps.ts'
import { type Kassa, type StartOptions, startKassa } from '../../server/main.ts'
import { checkContract } from './contract.ts'
import { createTestDatabase } from './database.ts'
import { type Client, createAgent, createClient, type Json } from './http.ts'

export interface WorldOptions extends StartOptions {
  /** Settings that differ from those of other tests. */
  env?: Record<string, string>
}

/** A customer who is signed in, with one wallet in the default currency. */
export interface Person {
  client: Client
  userId: string
  email: string
  password: string
  walletId: string
  walletNumber: string
}

/** A database of its own and a Kassa that listens on a free port. */
export interface World {
  readonly url: string
  readonly deps: Deps
  /** A client of this Kassa, or of another one at `url`, without a session. */
  client(url?: string): Client
  /** Signs somebody up; what is not given is made up. */
  signUp(input?: Record<string, string>): Promise<Person>
  /** The first payment system, signed in. */
  paymentSystem(): Promise<Client>
  /** The first operator, signed in. */
  operator(): Promise<Client>
  /** Another process's Kassa on the same servers; it is stopped with the world at the latest. */
  startAnother(options?: WorldOptions): Promise<Kassa>
  stop(): Promise<void>
}

export const paymentSystemLogin = {
  email: 'payments@kassa.localhost',
  password: 'payment system password',
}
export const operatorLogin = {
  email: 'operator@kassa.localhost',
  password: 'operator password',
}
export const defaultPassword = 'correct horse battery'
/** What every test encrypts destinations with. */
export const destinationKeys = `test:${'k'.repeat(43)}`

/** Starts a world. It has to be stopped, which fails when a connection leaks. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const database = await createTestDatabase()
  const agent = createAgent()
  const started: Kassa[] = []

  async function start({ env = {}, ...startOptions }: WorldOptions): Promise<Kassa> {
    const config = loadConfig({
      DATABASE_URL: database.url,
      DATABASE_POOL_SIZE: '8',
      TIGERBEETLE_ADDRESSES: process.env.TIGERBEETLE_ADDRESSES,
      // On a busy machine an answer may take its time.
      LEDGER_DEADLINE_MS: '60000',
      PORT: '0',
      BCRYPT_COST: '4',
      ADDRESS_SIGN_UPS: '100000',
      SESSION_SECRETS: 'the secret of every test: 32 bytes or more',
      DESTINATION_KEYS: destinationKeys,
      PAYMENT_SYSTEM_PASSWORD: paymentSystemLogin.password,
      OPERATOR_PASSWORD: operatorLogin.password,
      // Whether one is carried out does not depend on the time of day.
      RECONCILE_CRON: 'off',
      LOG_LEVEL: 'silent',
      ...options.env,
      ...env,
    })
    const kassa = await startKassa(config, startOptions)
    started.push(kassa)
    return kassa
  }

  async function stop(): Promise<void> {
    await Promise.all(started.map((kassa) => kassa.stop()))
    await agent.close()
    await database.drop()
  }

  const kassa = await start(options).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  const client = (url = kassa.url) => createClient(url, agent, checkContract)

  async function signIn(credentials: { email: string; password: string }): Promise<Client> {
    const signedIn = client()
    await must(signedIn.post('/v1/sessions', credentials), 201)
    return signedIn
  }

  return {
    url: kassa.url,
    deps: kassa.deps,
    client,
    async signUp(input = {}) {
      const email = input.email ?? `${randomBytes(8).toString('hex')}@example.com`
      const password = input.password ?? defaultPassword
      const person = client()
      const user = await must(person.post('/v1/users', { ...input, email, password }), 201)
      const wallets = await must(person.get('/v1/wallets'), 200)
      const { id: walletId, number: walletNumber } = wallets.data[0]
      return { client: person, userId: user.id, email, password, walletId, walletNumber }
    },
    paymentSystem: () => signIn(paymentSystemLogin),
    operator: () => signIn(operatorLogin),
    startAnother: (other) => start({ ...options, ...other }),
    stop,
  }
}

/** The body of a reply that must have this status. */
export async function must(
  reply: Promise<{ status: number; text: string; body: Json }>,
  status: number,
): Promise<Json> {
  const { status: actual, text, body } = await reply
  if (actual !== status) throw new Error(`expected ${status}, got ${actual}: ${text}`)
  return body
}
