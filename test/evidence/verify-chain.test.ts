/** `npm run verify-chain` as an auditor runs it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writePublicEvidenceKey } from '../../server/evidence/keys.ts'
import { withConnection } from '../lib/database.ts'
import { closeAll, evidenceKey, evidenceKeyText, otherKey } from '../lib/evidence.ts'
import { fund } from '../lib/money.ts'
import { startScript } from '../lib/start.ts'
import { assert, suite } from '../lib/suite.ts'
import { createWorld, type Person, type World } from '../lib/world.ts'

const test = suite('npm run verify-chain')

let world: World
let ada: Person
let folder = ''
let headFile = ''

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kassa-evidence-'))
  headFile = join(folder, 'head.json')
  world = await createWorld({ env: { EVIDENCE_KEY: evidenceKeyText } })
  ada = await world.signUp()
})
test.after(async () => {
  await world.stop()
  await rm(folder, { recursive: true })
})

const trusting = (key = evidenceKey) => ({ EVIDENCE_PUBLIC_KEYS: writePublicEvidenceKey(key) })

async function run(variables: NodeJS.ProcessEnv, ...options: string[]): Promise<[number, string]> {
  const { databaseUrl, tigerbeetleAddresses } = world.deps.config
  const addresses = {
    DATABASE_URL: databaseUrl,
    TIGERBEETLE_ADDRESSES: tigerbeetleAddresses.join(),
  }
  const script = startScript('verify-chain.ts', { ...addresses, ...variables }, options)
  return [Number(await script.ended), script.output()]
}

const deposit = async () => fund(await world.paymentSystem(), ada.walletId, '1.00')

test('what cannot be verified is neither the same nor different', async () => {
  const cases: [NodeJS.ProcessEnv, string[], RegExp][] = [
    [trusting(), [], /^No interval is closed yet/],
    [{}, [], /^Nobody is trusted/],
    [{ EVIDENCE_PUBLIC_KEYS: 'x' }, [], /EVIDENCE_PUBLIC_KEYS must have public keys/],
    [trusting(), ['--unknown'], /^Unknown option '--unknown'\.\nUsage: /],
    [trusting(), ['--against', join(folder, 'none')], /is not an exported head/],
    [{ ...trusting(), DATABASE_URL: 'postgres://127.0.0.1:1/none' }, [], /Nothing answers/],
  ]
  const ends = await Promise.all(cases.map(([variables, options]) => run(variables, ...options)))
  for (const [index, [code, output]] of ends.entries()) {
    assert.is(code, 2, output)
    assert.match(output, cases[index]![2])
  }
})

test('it tells that nothing differs, and exports the head', async () => {
  await deposit()
  await closeAll(world.deps)
  const [code, output] = await run(trusting(), '--export-head', headFile)
  assert.is(code, 0, output)
  assert.match(
    output,
    /^Recomputed: 1 intervals with \d+ transfers and \d+ facts\.\nThe head is interval 1/,
  )
  assert.match(output, /\nNothing differs from what was signed\.\n$/)
  const head = JSON.parse(await readFile(headFile, 'utf8'))
  assert.equal([head.number, head.public_key], ['1', writePublicEvidenceKey(evidenceKey)])
  await deposit()
  await closeAll(world.deps)
  const [later, text] = await run({}, '--against', headFile)
  assert.is(later, 0, text)
  assert.match(text, /^Recomputed: 2 intervals/)
})

test('it tells the first interval that differs, and exports nothing', async () => {
  const exported = await readFile(headFile, 'utf8')
  await withConnection(world.deps.config.databaseUrl, async (query) => {
    await query('SET session_replication_role = replica')
    await query("UPDATE deposits SET reference = 'another'")
  })
  const [code, output] = await run(trusting(), '--export-head', headFile)
  assert.is(code, 1, output)
  assert.match(output, /\nThe first that differs is interval 1, in postgresql\.\n {2}interval 1 \(/)
  assert.is(await readFile(headFile, 'utf8'), exported)
  const [unknown, told] = await run(trusting(otherKey))
  assert.is(unknown, 1)
  assert.match(told, /interval 1 \(chain\).*is not trusted/)
  await writeFile(headFile, exported.replace('"number": "1"', '"number": "2"'))
  assert.is((await run({}, '--against', headFile))[0], 2)
})

test.run()
