/** What tests about the chain of evidence do again and again. */
import { sql } from 'kysely'
import type { Database } from '../../db/database.ts'
import { readHead } from '../../db/evidence.ts'
import type { Deps } from '../../server/deps.ts'
import { closeIntervals } from '../../server/evidence/close.ts'
import { readEvidenceKey } from '../../server/evidence/keys.ts'
import { type Difference, type VerifyOptions, verifyChain } from '../../server/evidence/verify.ts'
import { assert } from './suite.ts'

const keyText = (letter: string) => Buffer.from(letter.repeat(32)).toString('base64')

/** What the chain of a world is signed with, and another key. */
export const evidenceKeyText = keyText('e')
export const evidenceKey = readEvidenceKey(evidenceKeyText)!
export const otherKey = readEvidenceKey(keyText('f'))!

type ChainDeps = Pick<Deps, 'config' | 'db' | 'ledger'>

const anHourMs = 3_600_000

/** Closes all that is committed, however new it is; answers the number of the newest interval. */
export async function closeAll(deps: ChainDeps): Promise<number> {
  const nowMs = () => Date.now() + anHourMs
  while ((await closeIntervals({ ...deps, nowMs })).isMore);
  return Number((await readHead(deps.db))?.number ?? 0n)
}

/** Verifies the chain with the world's key, unless told otherwise. */
export function verify(
  deps: Pick<Deps, 'db' | 'ledger'>,
  options: Partial<VerifyOptions> = {},
): ReturnType<typeof verifyChain> {
  return verifyChain(deps, { trusted: [evidenceKey], ...options })
}

/** Asserts that nothing differs. */
export async function assertSame(deps: Pick<Deps, 'db' | 'ledger'>): Promise<void> {
  assert.equal((await verify(deps)).differences, [])
}

const show = ({ number, store }: Pick<Difference, 'number' | 'store'>) => `${number} ${store}`

/** Asserts that the first interval which differs is this one, in this store. */
export async function assertFirst(
  deps: Pick<Deps, 'db' | 'ledger'>,
  number: number,
  store: Difference['store'],
  about: string,
  options: Partial<VerifyOptions> = {},
): Promise<void> {
  const [first] = (await verify(deps, options)).differences
  assert.is(first && show(first), `${number} ${store}`, `${about}: ${first?.what}`)
}

/**
 * Carries out what somebody does who rules PostgreSQL, whom no trigger stops, looks at it, and undoes it.
 */
export async function tampered(
  { db }: Pick<Deps, 'db'>,
  tamper: string | ((trx: Database) => Promise<unknown>),
  look: (trx: Database) => Promise<unknown>,
): Promise<void> {
  const undone = new Error('undone')
  const trying = db.transaction().execute(async (trx) => {
    await sql`SET LOCAL session_replication_role = replica`.execute(trx)
    if (typeof tamper === 'string') await sql.raw(tamper).execute(trx)
    else await tamper(trx)
    await look(trx)
    throw undone
  })
  await trying.catch((error: unknown) => {
    if (error !== undone) throw error
  })
}
