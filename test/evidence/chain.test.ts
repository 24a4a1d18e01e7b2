/** Whoever changes the ledger or the chain itself, with or without the key, is found. */
import { sql } from 'kysely'
import type { Transfer } from 'tigerbeetle-node'
import type { Ledger } from '../../accounting/client.ts'
import type { Database } from '../../db/database.ts'
import { type EvidenceRecord, listRecords, readHead } from '../../db/evidence.ts'
import { closeIntervals } from '../../server/evidence/close.ts'
import { readHeadFile, writeHead } from '../../server/evidence/head.ts'
import type { EvidenceKey } from '../../server/evidence/keys.ts'
import { signRecord } from '../../server/evidence/record.ts'
import { checkBooks } from '../lib/books.ts'
import {
  assertFirst,
  assertSame,
  closeAll,
  evidenceKey,
  evidenceKeyText,
  otherKey,
  tampered,
  verify,
} from '../lib/evidence.ts'
import type { Client, Json } from '../lib/http.ts'
import { fund, pay, unique } from '../lib/money.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, must, type Person, type World } from '../lib/world.ts'

const test = suite('the chain of evidence')

let world: World
let bank: Client
let ada: Person
let grace: Person
/** Of the second interval, which is looked at, and of the newest. */
let middle = 0
let newest = 0

test.before(async () => {
  world = await createWorld({ env: { EVIDENCE_KEY: evidenceKeyText } })
  bank = await world.paymentSystem()
  ada = await world.signUp()
  grace = await world.signUp()
  await fund(bank, ada.walletId, '100.00')
  await closeAll(world.deps)
  for (let count = 0; count < 3; count += 1) await send('Rent')
  middle = await closeAll(world.deps)
  await send('Lunch')
  newest = await closeAll(world.deps)
  assert.is(newest, middle + 1)
})
test.after(async () => {
  await checkBooks(world.deps.ledger)
  await world.stop()
})

const send = (memo: string): Promise<Json> =>
  must(pay(ada.client, { to_wallet_id: grace.walletId, amount: '1', memo }), 201)

/** The world with a ledger that answers something else. */
const forging = (forge: (transfers: Transfer[]) => Transfer[]): Ledger => ({
  ...world.deps.ledger,
  queryTransfers: async (filter) => forge(await world.deps.ledger.queryTransfers(filter)),
})

async function recordOf(number: number, db: Database = world.deps.db): Promise<EvidenceRecord> {
  const at = BigInt(number)
  const [record] = await listRecords(db, { after: at - 1n, upTo: at, limit: 1 })
  return record!
}

test('any field of a transfer that is forged is found, and what is gone or added', async () => {
  const { fromTime, toTime } = await recordOf(middle)
  const isInside = ({ timestamp }: Transfer) => timestamp >= fromTime && timestamp < toTime
  const [, sample] = (await scanAll()).filter(isInside)
  const isSample = ({ id }: Transfer) => id === sample!.id
  const fields = Object.keys(sample!) as (keyof Transfer)[]
  assert.is(fields.length, 13)
  const forgeries: Record<string, (transfers: Transfer[]) => Transfer[]> = {
    gone: (transfers) => transfers.filter((it) => !isSample(it)),
    added: (transfers) =>
      transfers.flatMap((it) => (isSample(it) ? [it, { ...it, id: it.id + 1n }] : it)),
    'in another order': (transfers) => {
      const at = transfers.findIndex(isSample)
      return at < 0 ? transfers : transfers.with(at, transfers[at + 1]!).with(at + 1, sample!)
    },
  }
  for (const field of fields) {
    const value = sample![field]
    const forged = { ...sample!, [field]: typeof value === 'bigint' ? value + 1n : value + 1 }
    forgeries[field] = (transfers) => transfers.map((it) => (isSample(it) ? forged : it))
  }
  for (const [name, forge] of Object.entries(forgeries)) {
    await assertFirst({ ...world.deps, ledger: forging(forge) }, middle, 'ledger', name)
  }
  await assertFirst({ ...world.deps, ledger: forging(() => []) }, 1, 'ledger', 'an empty ledger')
  await assertSame(world.deps)
})

/** All transfers, which are few here. */
async function scanAll(): Promise<Transfer[]> {
  const all: Transfer[] = []
  const ledger = forging((transfers) => {
    all.push(...transfers)
    return transfers
  })
  await verify({ ...world.deps, ledger })
  return all.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
}

const others: Record<string, string> = {
  number: '1000000',
  from_time: 'from_time - 1',
  to_time: 'to_time + 1',
  transfer_count: 'transfer_count + 1',
  fact_count: 'fact_count + 1',
  key_id: "'0123456789abcdef'",
}

test('any column of a record that is changed is found, and records that are gone', async () => {
  const hashes = ['transfers_hash', 'facts_hash', 'previous_hash', 'hash', 'signature']
  const flipped = hashes.map((name) => [name, `set_byte(${name}, 3, 255 - get_byte(${name}, 3))`])
  const changes = Object.entries({ ...others, ...Object.fromEntries(flipped) }).map(
    ([column, value]) =>
      `UPDATE evidence_records SET ${column} = ${value} WHERE number = ${middle}`,
  )
  const gone = [middle, 1].map((it) => `DELETE FROM evidence_records WHERE number = ${it}`)
  for (const tampering of [...changes, gone[0]!]) {
    await tampered(world.deps, tampering, (trx) =>
      assertFirst({ ...world.deps, db: trx }, middle, 'chain', tampering),
    )
  }
  await tampered(world.deps, gone[1]!, (trx) =>
    assertFirst({ ...world.deps, db: trx }, 1, 'chain', 'the first record is gone'),
  )
})

/** Makes the records from one on anew, by whoever has this key. */
async function rewrite(trx: Database, from: number, key: EvidenceKey): Promise<void> {
  await sql`DELETE FROM evidence_records WHERE number >= ${from}`.execute(trx)
  const config = { ...world.deps.config, evidenceKey: key }
  // What it does in a transaction happens in this one.
  const db: Database = Object.create(trx, {
    transaction: { value: () => ({ execute: (work: (it: Database) => unknown) => work(trx) }) },
    selectFrom: { value: trx.selectFrom.bind(trx) },
  })
  const nowMs = () => Date.now() + 3_600_000
  while ((await closeIntervals({ ...world.deps, config, db, nowMs })).count > 0);
}

test('a chain that another key has signed is found', async () => {
  await tampered(
    world.deps,
    (trx) => rewrite(trx, middle, otherKey),
    async (trx) => {
      const deps = { ...world.deps, db: trx }
      await assertFirst(deps, middle, 'chain', 'signed by another key')
      const both = { trusted: [evidenceKey, otherKey] }
      assert.is((await verify(deps, both)).differing, 0, 'keys are rotated like this')
    },
  )
})

test('a signature of the right key on another record is found', async () => {
  const { hash, signature, ...said } = await recordOf(middle)
  const signed = signRecord({ ...said, factCount: said.factCount + 1 }, evidenceKey)
  const tampering = `UPDATE evidence_records
    SET signature = '\\x${signed.signature.toString('hex')}' WHERE number = ${middle}`
  await tampered(world.deps, tampering, (trx) =>
    assertFirst({ ...world.deps, db: trx }, middle, 'chain', tampering),
  )
})

test('who has the key can make it anew, but not what was exported before', async () => {
  const head = (await readHead(world.deps.db))!
  const against = readHeadFile(writeHead(head, evidenceKey))
  assert.is((await verify(world.deps, { against })).differing, 0)
  const forge = async (trx: Database) => {
    await sql`UPDATE memos SET memo = 'forged' WHERE memo = 'Rent'`.execute(trx)
    await rewrite(trx, middle, evidenceKey)
  }
  await tampered(world.deps, forge, async (trx) => {
    const deps = { ...world.deps, db: trx }
    await assertSame(deps)
    // It has all in one interval now.
    await assertFirst(deps, newest, 'chain', 'rewritten', { against })
    const older = readHeadFile(writeHead(await recordOf(middle), evidenceKey))
    await assertFirst(deps, middle, 'chain', 'rewritten', { against: older })
  })
  const cut = `DELETE FROM evidence_records WHERE number > ${middle}`
  await tampered(world.deps, cut, async (trx) => {
    const deps = { ...world.deps, db: trx }
    await assertSame(deps)
    await assertFirst(deps, newest, 'chain', 'the tail is cut', { against })
  })
  await tampered(world.deps, 'DELETE FROM evidence_records', (trx) =>
    assertFirst({ ...world.deps, db: trx }, newest, 'chain', 'all is cut', { against }),
  )
})

test('a file that is no exported head is refused', async () => {
  const head = (await readHead(world.deps.db))!
  const text = writeHead(head, evidenceKey)
  const content = JSON.parse(text)
  const wrong = [
    '',
    '{}',
    JSON.stringify({ ...content, number: '1' }),
    JSON.stringify({ ...content, sha256: '0'.repeat(64) }),
    JSON.stringify({ ...content, record: content.record.replace('"facts":"', '"facts":"1') }),
    JSON.stringify({ ...content, signature: Buffer.alloc(64).toString('base64') }),
    JSON.stringify({ ...content, public_key: 'MCowBQYDK2VwAyEA' }),
    writeHead(head, otherKey),
  ]
  for (const file of wrong) assert.throws(() => readHeadFile(file), undefined, file)
})

test('texts are erased, all of a row at once, and the chain stays as it is', async () => {
  const { deps } = world
  const told = { sender: 'Ada', details: 'Salary', reference: unique('erased') }
  const input = { wallet_id: ada.walletId, amount: '5.00', currency: 'USD', ...told }
  const { id } = await must(bank.post('/v1/deposits', input), 201)
  const early = await send('Erased early')
  await sql`UPDATE memos SET memo = NULL WHERE transfer_id = ${early.id}`.execute(deps.db)
  const late = await send('Erased late')
  await closeAll(deps)
  const before = await verify(deps)
  await sql`UPDATE memos SET memo = NULL WHERE transfer_id = ${late.id}`.execute(deps.db)
  const setSender = (to: string) =>
    sql.raw(`UPDATE deposits SET ${to} WHERE id = '${id}'`).execute(deps.db)
  await assert.rejects(setSender('sender = NULL'), /all of a row at once/)
  await setSender('sender = NULL, details = NULL')
  await assertSame(deps)
  assert.is((await verify(deps)).erased, before.erased + 2n)
  const { rows } = await sql<{ digest: Buffer; salt: Buffer | null }>`
    SELECT salt, digest FROM evidence_digests WHERE id IN (${late.id}, ${id})`.execute(deps.db)
  assert.equal(
    rows.map(({ salt, digest }) => [salt, digest.length]),
    [
      [null, 32],
      [null, 32],
    ],
  )
  const path = `/v1/transfers/${late.id}`
  assert.is((await must(ada.client.get(path), 200)).memo, null)

  for (const text of ["memo = 'Rent'", "memo = 'Rent', created_at = now()"]) {
    const again = `UPDATE memos SET ${text} WHERE transfer_id = '${late.id}'`
    await assert.rejects(sql.raw(again).execute(deps.db), /append-only/)
    await tampered(deps, again, (trx) =>
      assertFirst({ ...deps, db: trx }, newest + 1, 'postgresql', again),
    )
  }
})

test('what is kept for evidence cannot be changed', async () => {
  for (const statement of [
    'UPDATE evidence_records SET fact_count = 0',
    'DELETE FROM evidence_records',
    'TRUNCATE evidence_records',
    "UPDATE evidence_digests SET digest = 'x'",
    "UPDATE evidence_digests SET salt = 'x'",
    'DELETE FROM evidence_digests',
    'TRUNCATE evidence_digests',
    "UPDATE memos SET memo = 'x'",
    'UPDATE memos SET memo = NULL, created_at = now()',
    'DELETE FROM memos',
    'TRUNCATE memos',
    "UPDATE deposits SET reference = 'x'",
    'DELETE FROM deposits',
  ]) {
    await assert.rejects(sql.raw(statement).execute(world.deps.db), /append-only/, statement)
  }
})

test.run()
