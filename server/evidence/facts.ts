/** What is hashed of the facts that the transfers of an interval name. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { TextDigest } from '../../db/evidence.ts'
import type { Fact, FactKeys, KeySet } from '../../db/facts.ts'

export interface HashedFacts {
  count: number
  hash: Buffer
}

/**
 * SHA-256 of facts, a line each, in the order of the lines' bytes. Each line is JSON without blanks: the kind,
 * what names it, the columns, and of a kind that has texts the digest of these.
 */
export function hashFacts(facts: Iterable<Fact>): HashedFacts {
  const lines = Array.from(facts, toLine).sort()
  const hash = createHash('sha256')
  for (const line of lines) hash.update(`${line}\n`)
  return { count: lines.length, hash: hash.digest() }
}

function toLine(fact: Fact): string {
  const { kind, id, inputHash, columns, texts } = fact
  const name = inputHash === null ? [id] : [id, inputHash]
  return JSON.stringify([kind, ...name, ...columns, ...(texts ? [digestOf(fact, texts)] : [])])
}

type Texts = NonNullable<Fact['texts']>

/**
 * The digest of texts as they are now. That which is kept stands for texts that were erased, and with
 * them the salt. Where only one of the two is gone, something else was done to them.
 */
function digestOf({ salt, digest }: Fact, texts: Texts): string | null {
  if (!isWritten(texts)) {
    if (!digest) return null
    return salt ? 'a text is missing' : digest.toString('hex')
  }
  return salt ? digestTexts(texts, salt).toString('hex') : 'a text has no salt'
}

const isWritten = (texts: Texts): boolean => texts.some((text) => text !== null)

const digestTexts = (texts: Texts, salt: Buffer): Buffer =>
  createHmac('sha256', salt).update(JSON.stringify(texts)).digest()

const saltBytes = 32

/** Digests for texts that have none yet, each with a salt of its own, and the facts with these. */
export function digestNewTexts(facts: readonly Fact[]): { facts: Fact[]; digests: TextDigest[] } {
  const digests: TextDigest[] = []
  const digested = facts.map((fact) => {
    const { kind, id, inputHash, texts } = fact
    if (fact.digest || inputHash === null || !texts || !isWritten(texts)) return fact
    const salt = randomBytes(saltBytes)
    const digest = digestTexts(texts, salt)
    digests.push({ kind, id, inputHash, salt, digest })
    return { ...fact, salt, digest }
  })
  return { facts: digested, digests }
}

/** Whether texts of a fact were erased. */
export const isErased = ({ salt, digest }: Fact): boolean => digest !== null && salt === null

/** Finds among facts those that something names. */
export function indexFacts(facts: readonly Fact[]): (names: FactKeys) => Fact[] {
  const index = new Map<string, Fact[]>()
  for (const fact of facts) {
    const name = `${fact.keySet} ${fact.key}`
    const sameName = index.get(name)
    if (sameName) sameName.push(fact)
    else index.set(name, [fact])
  }
  return (names) =>
    (Object.keys(names) as KeySet[]).flatMap((keySet) =>
      [...names[keySet]].flatMap((key) => index.get(`${keySet} ${key}`) ?? []),
    )
}

/** All that is named by any of several. */
export function joinNames(all: readonly FactKeys[]): FactKeys {
  const join = (keySet: KeySet) => new Set(all.flatMap((names) => [...names[keySet]]))
  return {
    operation: join('operation'),
    operation_id: join('operation_id'),
    account: join('account'),
    ledger: join('ledger'),
    fee_schedule: join('fee_schedule'),
    limit: join('limit'),
  }
}
