import { checkBooks } from '../lib/books.ts'
import { faultsOfCamt } from '../lib/camt053.ts'
import type { Json } from '../lib/http.ts'
import {
  createStatementWorld,
  download,
  formulaName,
  longMemo,
  type StatementWorld,
} from '../lib/statement-world.ts'
import { checksumOf, readCamt, readJson, statementReaders } from '../lib/statements.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('formats of statements')

let here: StatementWorld
test.before(async () => {
  here = await createStatementWorld()
})
test.after(async () => {
  await checkBooks(here.world.deps.ledger)
  await here.world.stop()
})

test('every format has the same entries, and the checksum fits them', async () => {
  const json = JSON.parse((await download(here, 'json')).toString())
  const expected = readJson(JSON.stringify(json))
  const { pdf, ...others } = statementReaders
  for (const [format, read] of Object.entries(others)) {
    const file = await download(here, format as keyof typeof others)
    const statement = read(file)
    assert.equal(statement, expected, format)
    assert.is(checksumOf(statement, json), json.checksum, format)
    assert.ok(file.includes(json.checksum), format)
    assert.ok(file.includes(json.number), format)
  }
  const toSeconds = (date: string) => date.replace(/\.\d+Z$/, 'Z')
  assert.equal(pdf(await download(here, 'pdf')), {
    ...expected,
    entries: expected.entries.map((entry) => ({ ...entry, date: toSeconds(entry.date) })),
  })
  const cut = { ...expected, entries: expected.entries.slice(1) }
  assert.is.not(checksumOf(cut, json), json.checksum)
})

test('texts mean nothing to a spreadsheet, to XML, or to hledger', async () => {
  const csv = (await download(here, 'csv')).toString()
  for (const cell of [`'${formulaName}`, "'=1+1", "'@sorry", "'-payout"])
    assert.ok(csv.includes(cell))
  assert.not.match(csv, /(^|,|")[=+@]/m)
  const stmt = readCamt((await download(here, 'camt.053')).toString())
  const details = stmt.Ntry.map((entry: Json) => entry.NtryDtls.TxDtls)
  assert.is(details[1].RltdPties.Cdtr.Pty.Nm, formulaName)
  assert.is(details[2].RmtInf.Ustrd.join(''), longMemo)
  assert.is(details[3].RltdPties.Dbtr.Pty.Nm, formulaName)
  assert.is(details[6].AddtlTxInf, '-payout '.padEnd(60, '7'))
  const journal = (await download(here, 'hledger')).toString()
  for (const line of journal.split('\n').filter((it) => /^\d/.test(it))) {
    assert.match(line, /^[^;]*( {2}; time: [\d:.]+Z)?$/)
  }
  assert.match(journal, /\) =SUM\(1\) 漢字 <b>& 👍🏽 \| Zażółć 漢字, "x", 👍🏽 \/ <&> date:/)
})

test('camt.053 has the elements of the standard in their order', async () => {
  const text = (await download(here, 'camt.053')).toString()
  assert.equal(faultsOfCamt(text), [])
  const [swapped, long] = [
    text.replace(/(<Amt Ccy="USD">[^<]*<\/Amt>)(<CdtDbtInd>\w+<\/CdtDbtInd>)/g, '$2$1'),
    text.replace('<MsgId>', `<MsgId>${'x'.repeat(35)}`),
  ]
  assert.ok(faultsOfCamt(swapped).length > 5)
  assert.is(faultsOfCamt(long).length, 1)
})

test.run()
