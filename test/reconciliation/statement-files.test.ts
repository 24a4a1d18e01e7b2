import { parseDay, type Statement, StatementError } from '../../server/reconciliation/statement.ts'
import { findGaps, sortOut } from '../../server/reconciliation/statement-check.ts'
import { readMapping } from '../../server/reconciliation/statement-csv.ts'
import { parseStatements } from '../../server/reconciliation/statement-file.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('files of bank statements')

const name = 'file'
const read = (text: string, mapping?: unknown): Statement[] =>
  parseStatements(
    { name, text },
    { mapping: mapping === undefined ? undefined : readMapping(mapping, 'mapping') },
  )

function problemOf(text: string, mapping?: unknown): string {
  try {
    read(text, mapping)
  } catch (error) {
    if (error instanceof StatementError) return error.message
    throw error
  }
  throw new Error(`it was read: ${text}`)
}

const briefly = ({ lines }: Statement) =>
  lines.map(({ bankId, references, amountMinor, fileLine }) => [
    bankId,
    references.join(' '),
    amountMinor,
    fileLine,
  ])

const namespace = 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'
const camt = (inside: string, xmlns = namespace) =>
  `<?xml version="1.0"?>\n<Document xmlns="${xmlns}"><BkToCstmrStmt>\n${inside}\n</BkToCstmrStmt></Document>`
const stmt = (inside: string) =>
  `<Stmt><Id>1</Id><Acct><Id><IBAN>DE1</IBAN></Id><Ccy>EUR</Ccy></Acct>\n${inside}\n</Stmt>`
const money = (tag: string, amount: string, direction = 'CRDT') =>
  `<${tag}><Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>${direction}</CdtDbtInd>`
const dates = '<BookgDt><Dt>2026-11-02</Dt></BookgDt>'
const entry = (amount: string, inside: string, direction = 'CRDT', status = '<Cd>BOOK</Cd>') =>
  `${money('Ntry', amount, direction)}<Sts>${status}</Sts>${dates}${inside}</Ntry>`
const balance = (code: string, amount: string, date: string, direction = 'CRDT') =>
  `${money('Bal', amount, direction)}<Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp><Dt><Dt>${date}</Dt></Dt></Bal>`

test('a camt.053 entry of several transactions is a line for each, if it tells what each moved', () => {
  const part = (amount: string, reference: string, inside = '') =>
    `<TxDtls><Refs><EndToEndId>${reference}</EndToEndId></Refs>${amount && `<Amt Ccy="EUR">${amount}</Amt>`}${inside}</TxDtls>`
  const batch = (...parts: string[]) =>
    `<AcctSvcrRef>B1</AcctSvcrRef><NtryDtls><Btch><PmtInfId>P1</PmtInfId></Btch>${parts.join('\n')}</NtryDtls>`
  const of = (amount: string, ...parts: string[]) =>
    briefly(read(camt(stmt(entry(amount, batch(...parts)))))[0]!)
  assert.equal(of('30.00', part('10.00', 'A'), part('20.00', 'NOTPROVIDED')), [
    ['B1/1', 'A', 1000n, 4],
    ['B1/2', '', 2000n, 5],
  ])
  // One of them in the other direction.
  const debit = '<CdtDbtInd>DBIT</CdtDbtInd>'
  assert.equal(of('8.50', part('10', 'A'), part('1.5', 'B', debit)), [
    ['B1/1', 'A', 1000n, 4],
    ['B1/2', 'B', -150n, 5],
  ])
  const whole = [['B1', 'A B P1', 2900n, 4]]
  assert.equal(of('29.00', part('10.00', 'A'), part('20.00', 'B')), whole, 'less a charge')
  assert.equal(of('29.00', part('', 'A'), part('29.00', 'B')), whole, 'without an amount')
  const old = (amount: string) => `<AmtDtls><TxAmt><Amt Ccy="EUR">${amount}</Amt></TxAmt></AmtDtls>`
  assert.equal(
    of('30.00', part('', 'A', old('10.00')), part('', 'B', old('20.00'))).map((it) => it[2]),
    [1000n, 2000n],
    'as version 02 has it',
  )
})

test('only what is booked is a line; taking back is in the direction that it says', () => {
  const inside = [
    entry('1.00', '<NtryRef>1</NtryRef>'),
    entry('2.00', '', 'CRDT', '<Cd>PDNG</Cd>'),
    entry('3.00', '', 'CRDT', 'INFO'),
    entry('0.00', ''),
    entry('4.00', '<RvslInd>true</RvslInd><AddtlNtryInf>A &amp; B &#8364;</AddtlNtryInf>', 'DBIT'),
  ]
  const [statement] = read(camt(stmt(inside.join('\n'))))
  assert.equal(
    statement?.lines.map(({ amountMinor }) => amountMinor),
    [100n, -400n],
  )
  assert.is(statement?.skippedCount, 3)
  assert.is(statement?.lines[1]?.text, 'A & B €')
})

test('balances and days of camt.053 are those of the booked balance, in the order of what is told', () => {
  const inside = [
    balance('PRCD', '5.00', '2026-10-31', 'DBIT'),
    balance('CLAV', '9.00', '2026-11-30'),
    entry('1.00', ''),
    balance('CLBD', '4.00', '2026-11-30', 'DBIT'),
  ].join('\n')
  const [previous] = read(camt(stmt(inside)))
  assert.equal([previous?.openingMinor, previous?.closingMinor], [-500n, -400n])
  assert.equal([previous?.from, previous?.to].map(Number), [
    parseDay('2026-11-02'),
    parseDay('2026-11-30'),
  ])
  const period =
    '<FrToDt><FrDtTm>2026-11-01T00:00:00+01:00</FrDtTm><ToDtTm>2026-12-01T00:00:00+01:00</ToDtTm></FrToDt>'
  const [opened, other] = read(
    camt(stmt(period + inside + balance('OPBD', '6.00', '2026-11-01')) + stmt(period)),
  )
  assert.is(opened?.openingMinor, 600n)
  assert.equal([opened?.from, opened?.to].map(Number), [
    parseDay('2026-11-01'),
    parseDay('2026-11-30'),
  ])
  assert.equal([other?.openingMinor, other?.lines.length], [undefined, 0])
})

test('a prefix, a comment and CDATA are XML like any other', () => {
  const text = camt(stmt(entry('1.00', '<AddtlNtryInf><![CDATA[<b> &amp;]]></AddtlNtryInf>')))
    .replace(/<(\/?)([A-Z])/g, '<$1c:$2')
    .replace('xmlns=', 'xmlns:c=')
    .replace('<c:BkToCstmrStmt>', '<c:BkToCstmrStmt><!-- <Ntry> -->')
  assert.is(read(text.replaceAll('\n', '\r\n'))[0]?.lines[0]?.text, '<b> &amp;')
})

test('many entries are read in their order, each with its line, and not without end', () => {
  const many = Array.from({ length: 350 }, (_, index) => entry(`${index + 1}.00`, ''))
  many.splice(150, 0, balance('CLAV', '9.00', '2026-11-30'))
  const text = camt(stmt(many.join('\n')))
  const [statement] = read(text)
  const at = text.split('\n').flatMap((it, index) => (it.includes('<Ntry>') ? [index + 1] : []))
  assert.equal(
    statement?.lines.map(({ amountMinor, fileLine }) => [amountMinor, fileLine]),
    at.map((fileLine, index) => [BigInt(index + 1) * 100n, fileLine]),
  )
  const odd = '<a/>'.repeat(100_001)
  const expected = 'more than 100000 elements'
  assert.is(problemOf(camt(stmt(odd))), `file: ${expected}`)
  assert.is(problemOf(camt(stmt(`\n${entry('1.00', odd)}`))), `file:5: ${expected}`)
})

test('what is no camt.053 is told with its line', () => {
  const missing = (inside: string) => problemOf(camt(stmt(inside)))
  const cases = [
    [problemOf('<a>\n<b></a>'), 'file:2: this is not XML'],
    [problemOf('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), 'file:1: a document type is not taken'],
    [problemOf('<a/>'), 'file:1: this is no camt.053'],
    [problemOf(camt('', namespace.replace('08', '04'))), 'file:2: camt.053.001.04 is not read'],
    [problemOf(camt('')), 'file: there is no statement in it'],
    [
      missing(entry('1.00', '<AddtlNtryInf>&nbsp;</AddtlNtryInf>')),
      'file:4: "&nbsp;" stands for no character',
    ],
    [missing(entry('1.001', '')), 'file:4: amount "1.001" of EUR has more decimals'],
    [missing(entry('1,00', '')), 'file:4: amount "1,00" of EUR is no decimal number'],
    [missing(entry('-1.00', '')), 'file:4: amount "-1.00" is negative'],
    [missing(entry('1.00', '').replace('EUR', 'EURO')), 'file:4: currency "EURO" is not in'],
    [missing(entry('1.00', '').replace('CRDT', 'CREDIT')), 'file:4: CdtDbtInd is "CREDIT"'],
    [missing(entry('1.00', '').replace('BOOK', 'DONE')), 'file:4: an entry\'s status is "DONE"'],
    [missing(entry('1.00', '').replace(dates, '')), 'file:4: Ntry without BookgDt'],
    [missing(entry('1.00', '').replace('11-02', '11-31')), 'file:4: BookgDt "2026-11-31" is no'],
    [missing(balance('CLBD', '1.00', '2026-11-01').replace('EUR', 'USD')), 'file:4: a balance in'],
    [
      missing(
        '<FrToDt><FrDtTm>2026-11-02T00:00:00</FrDtTm><ToDtTm>2026-11-01T00:00:00</ToDtTm></FrToDt>',
      ),
      'file:4: the statement ends before it begins',
    ],
    [missing(''), 'file:3: a statement that tells of no time'],
    [
      missing('<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>'),
      'file:4: a page of several',
    ],
    [problemOf(camt(`\n\n<Stmt><Id>1</Id></Stmt>`)), 'file:5: a statement without an id or an'],
  ] as const
  for (const [problem, expected] of cases) assert.ok(problem.startsWith(expected), problem)
})

const columns = { booking_date: 'date', amount: 'amount', references: ['ref'] }
const mapping = { currency: 'USD', columns }

test('columns of CSV are what the mapping says', () => {
  const plain = read(
    'date,amount,ref\n2026-11-02,-1.5,A\n\n2026-11-03,+2,\n2026-11-04,0,B',
    mapping,
  )
  assert.equal(briefly(plain[0]!), [
    [undefined, 'A', -150n, 2],
    [undefined, '', 200n, 4],
  ])
  assert.equal([plain[0]?.skippedCount, plain[0]?.openingMinor], [1, undefined])
  assert.equal([plain[0]?.from, plain[0]?.to], [parseDay('2026-11-02'), parseDay('2026-11-04')])

  const bank = {
    currency: 'EUR',
    delimiter: '\t',
    skip_lines: 2,
    date_format: 'DD/MM/YYYY',
    decimal_separator: ',',
    thousands_separator: "'",
    from: '2026-11-01',
    to: '2026-11-30',
    columns: { booking_date: 'd', in: 'in', out: 'out', balance: 'saldo', text: ['t', 'u'] },
  }
  const text = [
    'Account\tof ours',
    '',
    'd\tin\tout\tsaldo\tt\tu',
    "02/11/2026\t1'000,50\t\t2'000,50\tone\ttwo",
    '03/11/2026\t\t-0,5\t2000\t\t"a\tb"',
  ].join('\r\n')
  const [statement] = read(text, bank)
  assert.equal(
    statement?.lines.map(({ amountMinor, text }) => [amountMinor, text]),
    [
      [100_050n, 'one two'],
      [-50n, 'a\tb'],
    ],
  )
  assert.equal([statement?.openingMinor, statement?.closingMinor], [100_000n, 200_000n])
})

test('what is no CSV of this mapping is told with its line', () => {
  const header = 'date,amount,ref\n'
  const direction = { ...columns, direction: { column: 'ref', in: 'C', out: 'D' } }
  const cases = [
    [problemOf(`${header}2026-11-02,1`), 'file: CSV needs a mapping'],
    [problemOf('date,amount\n', mapping), 'file:1: there is no column "ref"'],
    [problemOf('date,amount,ref,ref\n', mapping), 'file:1: there are 2 columns "ref"'],
    [problemOf(`${header}\n2.11.2026,1,`, mapping), 'file:3: booking date "2.11.2026" is no YYYY'],
    [problemOf(`${header}2026-11-02,1e3,`, mapping), 'file:2: amount "1e3" of USD is no decimal'],
    [problemOf(`${header}2026-11-02,,`, mapping), 'file:2: amount "" of USD is no decimal'],
    [
      problemOf(`${header}2026-11-02,1.000,`, { ...mapping, decimal_separator: ',' }),
      'file:2: amount "1.000" has a point',
    ],
    [problemOf(`${header}2026-11-02,1,,x`, mapping), 'file:2: 4 cells, and the header has 3'],
    [problemOf(`${header}"2026-11-02,1,`, mapping), 'file:2: this is not CSV'],
    [
      problemOf(`${header}2026-11-02,1,X`, { ...mapping, columns: direction }),
      'file:2: direction "X" is neither in nor out',
    ],
    [problemOf(header, { ...mapping, currency: 'ABC' }), 'file:1: currency "ABC" is not in'],
    [problemOf(header, { columns }), 'mapping: currency: '],
    [problemOf(header, { ...mapping, columns: { booking_date: 'd' } }), 'mapping: columns: needs'],
    [problemOf(header, { ...mapping, colour: 1 }), 'mapping: '],
    [problemOf(header, mapping), 'file: there is no statement in it'],
  ] as const
  for (const [problem, expected] of cases) assert.ok(problem.startsWith(expected), problem)
})

test('what is no statement in JSON lines is told with its line', () => {
  const head = (more: object = {}) => {
    const days = { from: '2026-11-01', to: '2026-11-30' }
    return `${JSON.stringify({ statement: { id: '1', account: 'a', currency: 'USD', ...days, ...more } })}\n`
  }
  const line = (more: object) =>
    `${head()}\n${JSON.stringify({ amount: '1', booking_date: '2026-11-02', ...more })}`
  const cases = [
    [problemOf('{'), 'file:1: this is not JSON'],
    [problemOf('{"amount":"1","booking_date":"2026-11-02"}'), 'file:1: a line comes before'],
    [problemOf(head({ to: '2026-10-31' })), 'file:1: the statement ends before it begins'],
    [problemOf(head({ opening: 1 })), 'file:1: statement.opening: must be text'],
    [problemOf(line({ amount: 1.5 })), 'file:3: amount: must be text, as "115.60"'],
    [problemOf(line({ amount: '1.001' })), 'file:3: amount "1.001" of USD has more decimals'],
    [problemOf(line({ booking_date: '2026-02-29' })), 'file:3: booking_date "2026-02-29" is no'],
    [problemOf(line({ colour: 1 })), 'file:3: '],
    [problemOf(`${head()}null`), 'file:2: '],
  ] as const
  for (const [problem, expected] of cases) assert.ok(problem.startsWith(expected), problem)
})

test('statements that go on where another one ends do not overlap; others of the same days do', () => {
  const part = (from: string, to: string, opening: string, closing: string, ...lines: string[]) => {
    const head = { id: from, account: 'a', currency: 'USD', from, to, opening, closing }
    const rows = lines.map((text) => ({ amount: '1', booking_date: to, text }))
    return [{ statement: head }, ...rows].map((it) => JSON.stringify(it)).join('\n')
  }
  const overlapsOf = (...parts: string[]) =>
    sortOut(read(parts.join('\n'))).overlaps.map(({ repeated }) => repeated.length)
  const first = part('2026-11-01', '2026-11-15', '0', '1', 'one')
  assert.equal(overlapsOf(first, part('2026-11-16', '2026-11-30', '1', '2', 'one')), [])
  assert.equal(overlapsOf(first, part('2026-11-15', '2026-11-30', '1', '2', 'two')), [])
  assert.equal(overlapsOf(first, part('2026-11-15', '2026-11-30', '5', '6', 'two')), [0])
  assert.equal(overlapsOf(first, part('2026-11-10', '2026-11-15', '1', '2', 'one', 'one')), [1])
  assert.equal(overlapsOf(first, first.replace('"a"', '"b"')), [])
})

test('of statements that follow each other each begins with the balance of the one before', () => {
  const of = (id: string, from: string, to: string, balances: object, more: object = {}): string =>
    JSON.stringify({
      statement: { id, account: 'A', currency: 'USD', from, to, ...balances, ...more },
    })
  const day = (number: number) => `2026-11-${String(number).padStart(2, '0')}`
  const days = (
    id: string,
    [from, to]: [number, number],
    opening?: string,
    closing?: string,
    more?: object,
  ) => of(id, day(from), day(to), { opening, closing }, more)
  const gapsOf = (...statements: string[]) =>
    findGaps(read(statements.join('\n'))).map(({ earlier, later }) => [earlier.id, later.id])

  const [first, second] = [days('1', [1, 5], '0', '10'), days('2', [6, 9], '10', '20')]
  assert.equal(gapsOf(first, second, days('3', [10, 12], '20', '5')), [])
  assert.equal(gapsOf(days('3', [10, 12], '20', '5'), second, first), [], 'in any order')
  assert.equal(gapsOf(first, days('2', [6, 9], '9.99', '20')), [['1', '2']])
  assert.equal(gapsOf(first, days('3', [10, 12], '20', '5')), [['1', '3']], 'one is missing')
  assert.equal(gapsOf(first, days('3', [10, 12], '10', '5')), [], 'nothing has moved between')
  // Several of a day, and days that are told of by two.
  const within = [days('2a', [6, 6], '10', '11'), days('2b', [6, 6], '11', '20')]
  const third = days('3', [7, 7], '20', '20')
  assert.equal(gapsOf(first, ...within, third), [])
  assert.equal(gapsOf(third, ...within.toReversed(), first), [])
  assert.equal(gapsOf(first, within[1]!, third), [['1', '2b']])
  assert.equal(gapsOf(first, first, second, second), [])
  assert.equal(gapsOf(first, days('2', [4, 8], '3', '20'), days('3', [7, 9], '18', '20')), [])
  assert.equal(gapsOf(first, days('2', [5, 9], '10', '20')), [], 'within a day')
  // What is not told, and what is of another account.
  assert.equal(gapsOf(days('1', [1, 5], '0'), days('2', [6, 9], '7', '20')), [])
  assert.equal(gapsOf(first, days('2', [6, 9], undefined, '20')), [])
  assert.equal(gapsOf(first, days('2', [6, 9], '7', '20', { account: 'B' })), [])
  assert.equal(gapsOf(first, days('2', [6, 9], '7', '20', { currency: 'EUR' })), [])
})

test('thousands are parted where thousands are, or the mapping is of another file', () => {
  const columns = { booking_date: 'date', amount: 'amount' }
  const german = { currency: 'EUR', decimal_separator: ',', thousands_separator: '.', columns }
  const of = (amount: string) => `date,amount\n2026-11-02,"${amount}"\n`
  const readAll = (...amounts: string[]) =>
    amounts.map((amount) => read(of(amount), german)[0]!.lines[0]!.amountMinor)
  assert.equal(readAll('1.234,50', '-1.234.567', '+12.345,6', '12.34.567,00', '999,99', '1234,5'), [
    123_450n,
    -123_456_700n,
    1_234_560n,
    123_456_700n,
    99_999n,
    123_450n,
  ])
  for (const amount of ['1.50', '1.5', '12.34,5', '1234.567', '.500', '1.234.56', '1,234.5']) {
    assert.match(problemOf(of(amount), german), /^file:2: amount .* parts no thousands$/, amount)
  }
  const same = { ...german, decimal_separator: '.' }
  assert.match(problemOf(of('1.50'), same), /thousands_separator: must be another/)
})

test.run()
