/** The people of a run, and how they reach the processes there are. */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type Client, type Json, type Reply, sameSession } from '../http.ts'
import { operatorLogin } from '../world.ts'

/** Where requests go. */
export interface Place {
  /** The processes that there are now, at least one. */
  urls(): readonly string[]
  /** A client of one of them, without a session. */
  client(url: string): Client
  /** Whether answers can be lost: then everything has to be repeatable. */
  isRough: boolean
}

/** Somebody with an account, at every process. */
export interface Account {
  readonly email: string
  /** Their client of a process. */
  at(url: string): Client
  /** Starts a session that knows of every wallet there is now. */
  signIn(): Promise<void>
}

const retryMs = 20

/** Asks any process until one of them answers; what it answers is not looked at. */
export async function reach(
  place: Place,
  ask: (url: string) => Promise<Reply>,
  isAnswer: (reply: Reply | undefined) => boolean = (reply) =>
    reply !== undefined && reply.status < 500,
): Promise<Reply> {
  for (;;) {
    const urls = place.urls()
    const url = urls[Math.floor(Math.random() * urls.length)] ?? ''
    const reply = await ask(url).catch(isNoReply)
    if (isAnswer(reply) && reply) return reply
    await wait(retryMs)
  }
}

/** Makes nothing of a connection that was cut; anything else is an error. */
export function isNoReply(error: unknown): undefined {
  if (error instanceof Error && 'code' in error) return undefined
  throw error
}

/** Somebody who has signed up. */
function toAccount(place: Place, email: string, password: string): Account {
  let session: Client | undefined
  const clients = new Map<string, Client>()
  return {
    email,
    at(url) {
      if (!session) throw new Error(`${email} has not signed in`)
      const known = clients.get(url)
      if (known) return known
      const client = sameSession(session, place.client(url))
      clients.set(url, client)
      return client
    },
    async signIn() {
      const credentials = { email, password }
      let client: Client | undefined
      const reply = await reach(place, (url) => {
        client = place.client(url)
        return client.post('/v1/sessions', credentials)
      })
      if (reply.status !== 201) throw new Error(`${email} cannot sign in: ${reply.text}`)
      session = client
      clients.clear()
    },
  }
}

/** A new customer. */
export async function signUp(place: Place, username: string): Promise<Account & { id: string }> {
  const email = `${randomUUID()}@example.com`
  const password = 'correct horse battery'
  const reply = await reach(place, (url) =>
    place.client(url).post('/v1/users', { email, password, username }),
  )
  // Signing up cannot be repeated: after a lost answer the name is taken.
  const hasSignedUp = reply.status === 201 || reply.status === 409
  if (!hasSignedUp) throw new Error(`${username} cannot sign up: ${reply.text}`)
  const account = toAccount(place, email, password)
  await account.signIn()
  const id =
    reply.status === 201 ? reply.body.id : (await read(place, account, '/v1/session')).user.id
  return { ...account, id }
}

/** Reads something that must be there, at any process that answers. */
export async function read(place: Place, account: Account, path: string): Promise<Json> {
  const reply = await reach(place, (url) => account.at(url).get(path))
  if (reply.status !== 200) throw new Error(`GET ${path}: ${reply.text}`)
  return reply.body
}

/** All of a list, in its order, with what its last page says besides. */
export async function readAll(
  place: Place,
  account: Account,
  path: string,
): Promise<{ data: Json[]; page: Json }> {
  const data: Json[] = []
  const first = `${path}${path.includes('?') ? '&' : '?'}limit=200`
  for (let next = first; ; ) {
    const page = await read(place, account, next)
    data.push(...page.data)
    if (page.next_cursor === null) return { data, page }
    next = `${first}&cursor=${encodeURIComponent(page.next_cursor)}`
  }
}

const operatorSession = new WeakMap<Place, Promise<Account>>()

/** The first operator; there is one session of theirs for all runs. */
export function signInOperator(place: Place): Promise<Account> {
  const known = operatorSession.get(place) ?? signedIn(place, operatorLogin)
  operatorSession.set(place, known)
  return known
}

/** The operator, and two payment systems of which nobody else knows. */
export async function makeStaff(place: Place) {
  const operator = await signInOperator(place)
  const systems = new Map<string, Account>()
  for (let count = 0; count < 2; count += 1) {
    const made = await addSystem(place, operator)
    systems.set(made.id, made.account)
  }
  return { operator, systems }
}

async function signedIn(
  place: Place,
  { email, password }: { email: string; password: string },
): Promise<Account> {
  const account = toAccount(place, email, password)
  await account.signIn()
  return account
}

async function addSystem(
  place: Place,
  operator: Account,
): Promise<{ id: string; account: Account }> {
  for (;;) {
    const name = randomUUID()
    const email = `${name}@bank.example.com`
    const reply = await reach(place, (url) =>
      operator.at(url).post('/v1/payment-systems', { name, email }),
    )
    // One that was made without an answer is left alone: nobody knows its password.
    if (reply.status === 409) continue
    if (reply.status !== 201) throw new Error(`no payment system was added: ${reply.text}`)
    const { payment_system, password } = reply.body
    return { id: payment_system.id, account: await signedIn(place, { email, password }) }
  }
}
