/** The statement for people: a head with the sums, a table, page numbers. */
import { showLedgerTime } from '../flows/ledger-time.ts'
import { loadFonts, loadUniversalFont, type PdfFonts } from './pdf-fonts.ts'
import {
  type Column,
  columns,
  countPages,
  footerTop,
  headHeight,
  margin,
  right,
  rowHeight,
  rowsOf,
  tableTop,
} from './pdf-layout.ts'
import {
  type EntryPages,
  type Statement,
  type StatementEntry,
  type StatementFormat,
  showMinor,
} from './statement.ts'

/** A PDF is for reading; with more entries it is refused. */
const entriesMax = 5_000

const colors = { text: '#1a1a1a', faint: '#6b6b6b', line: '#c8c8c8', head: '#f1f1ee' } as const

/** How far below the top of a line its letters stand, as a part of their size. */
const ascent = 0.93

/** A text field of the page. */
interface Field extends Pick<Column, 'left' | 'width' | 'align'> {
  top: number
  size?: number
  font?: 'regular' | 'bold'
  color?: string
}

type Put = (text: string, field: Field) => void

interface Drawing {
  doc: PDFKit.PDFDocument
  statement: Statement
  put: Put
  pageCount: number
}

async function* write(statement: Statement, pages: EntryPages): AsyncGenerator<Uint8Array, void> {
  const fonts = await loadFonts()
  const doc = await openDocument(statement, fonts)
  const put = createPut(doc, fonts)
  const { count } = statement.paid
  const drawing = { doc, statement, put, pageCount: countPages(count + statement.received.count) }
  await provideFont(doc, fonts, [statement.holder])
  let page = 0
  let row = 0
  const turn = (): void => {
    page += 1
    row = 0
    doc.addPage()
    drawPage(drawing, page)
  }
  turn()
  for await (const entries of pages) {
    await provideFont(doc, fonts, entries.flatMap(textsOf))
    for (const entry of entries) {
      if (row === rowsOf(page)) {
        yield* drain(doc)
        turn()
      }
      drawRow(drawing, entry, tableTop(page) + headHeight + row * rowHeight)
      row += 1
    }
  }
  while (page < drawing.pageCount) turn()
  drawClosing(drawing, tableTop(page) + headHeight + row * rowHeight)
  doc.end()
  for await (const chunk of doc) yield chunk as Uint8Array
}

async function openDocument(
  { number, asOf }: Statement,
  fonts: PdfFonts,
): Promise<PDFKit.PDFDocument> {
  // Loaded when first needed: few processes ever are asked for a PDF.
  const { default: PDFDocument } = await import('pdfkit')
  const doc = new PDFDocument({
    size: 'A4',
    margin,
    autoFirstPage: false,
    lang: 'en',
    info: { Title: `Statement ${number}`, CreationDate: new Date(showLedgerTime(asOf)) },
  })
  doc.registerFont('regular', fonts.regular)
  doc.registerFont('bold', fonts.bold)
  return doc
}

/** What the document has made so far. */
function* drain(doc: PDFKit.PDFDocument): Generator<Uint8Array, void> {
  for (let chunk = doc.read(); chunk !== null; chunk = doc.read()) yield chunk
}

/** Reads the large font when one of these texts needs it. */
async function provideFont(
  doc: PDFKit.PDFDocument,
  fonts: PdfFonts,
  texts: readonly (string | null)[],
): Promise<void> {
  if (texts.every((text) => text === null || fonts.cover(toLine(text)))) return
  doc.registerFont('universal', await loadUniversalFont())
}

/** Text on one line, without characters that are only for machines. */
const toLine = (text: string): string => text.replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ').trim()

/** Puts texts on the current page: what is too long is cut, or, where it is aligned right, made smaller. */
function createPut(doc: PDFKit.PDFDocument, fonts: PdfFonts): Put {
  return (text, { left, top, width, align, size = 8, font = 'regular', color = colors.text }) => {
    const line = toLine(text)
    doc.font(fonts.cover(line) ? font : 'universal', size).fillColor(color)
    if (align === 'left') {
      doc.text(cut(doc, line, width), left, top, { lineBreak: false })
      return
    }
    const natural = doc.widthOfString(line)
    const fitting = natural > width ? (size * width) / natural : size
    doc.fontSize(fitting)
    // On the same line as its neighbours.
    const lowered = top + (size - fitting) * ascent
    doc.text(line, left + width - Math.min(natural, width), lowered, { lineBreak: false })
  }
}

function cut(doc: PDFKit.PDFDocument, line: string, width: number): string {
  if (doc.widthOfString(line) <= width) return line
  const characters = Array.from(line)
  let length = characters.length
  const shortened = () => `${characters.slice(0, length).join('')}…`
  while (length > 0 && doc.widthOfString(shortened()) > width) {
    length -= Math.max(1, Math.floor(length / 16))
  }
  return shortened()
}

/** What every page has: the table's head and the footer; the first also the statement's head. */
function drawPage(drawing: Drawing, page: number): void {
  const { doc, statement, put, pageCount } = drawing
  if (page === 1) drawHead(drawing)
  const top = tableTop(page)
  doc.rect(margin - 5, top, right - margin + 10, headHeight).fill(colors.head)
  for (const { title, ...place } of Object.values(columns)) {
    put(title, { ...place, top: top + 5, font: 'bold' })
  }
  const footer = { left: margin, top: footerTop, width: right - margin, size: 7 } as const
  put(`Statement ${statement.number}`, { ...footer, align: 'left', color: colors.faint })
  put(`Page ${page} of ${pageCount}`, { ...footer, align: 'right', color: colors.faint })
}

const showTime = (timestamp: bigint) => showLedgerTime(timestamp).slice(0, 19).replace('T', ' ')

function drawHead({ statement, put }: Drawing): void {
  const { wallet, holder, number, from, to, asOf, isFinal, closing, received, paid } = statement
  const wide = { left: margin, width: right - margin, align: 'left' } as const
  put('Statement', { ...wide, top: 40, size: 20, font: 'bold' })
  put(number, { ...wide, align: 'right', top: 48, size: 9, color: colors.faint })
  const facts = [
    ['Holder', holder ?? ''],
    ['Wallet', `${wallet.number}, ${wallet.currency}`],
    ['From', `${showTime(from)} UTC`],
    ['To', `${showTime(to)} UTC, not included`],
    ['State', isFinal ? 'final' : `preliminary, as of ${showTime(asOf)} UTC`],
  ] as const
  drawPairs(put, facts, { left: margin, labelWidth: 50, valueWidth: 215, align: 'left' })
  const show = (minor: bigint) => `${showMinor(statement, minor)} ${wallet.currency}`
  const sums = [
    ['Opening balance', show(statement.openingMinor)],
    [`Received (${received.count})`, show(received.minor)],
    [`Paid (${paid.count})`, show(-paid.minor)],
    ['Closing balance', show(closing.postedMinor)],
    ['Held', show(closing.heldMinor)],
    ['Available', show(closing.availableMinor)],
  ] as const
  drawPairs(put, sums, { left: 325, labelWidth: 100, valueWidth: right - 425, align: 'right' })
}

function drawPairs(
  put: Put,
  pairs: readonly (readonly [label: string, value: string])[],
  place: { left: number; labelWidth: number; valueWidth: number; align: 'left' | 'right' },
): void {
  for (const [index, [label, value]] of pairs.entries()) {
    const { left, labelWidth, valueWidth, align } = place
    const line = { top: 92 + index * 22, size: 9 }
    put(label, { ...line, left, width: labelWidth, align: 'left', color: colors.faint })
    const font = label.endsWith('balance') ? 'bold' : 'regular'
    put(value, { ...line, left: left + labelWidth, width: valueWidth, align, font })
  }
}

/** What a row says in words, the second line smaller. */
function linesOf({ kind, counterparty, memo, reference }: StatementEntry): [string, string] {
  const what = kind.replaceAll('_', ' ')
  const title = `${what.charAt(0).toUpperCase()}${what.slice(1)}`
  const notes = [memo, reference].filter((text) => text !== null)
  return [counterparty === null ? title : `${title} · ${counterparty}`, notes.join(' · ')]
}

const textsOf = ({ counterparty, memo, reference }: StatementEntry) => [
  counterparty,
  memo,
  reference,
]

function drawRow({ doc, statement, put }: Drawing, entry: StatementEntry, top: number): void {
  const { timestamp, changeMinor, balanceMinor, id } = entry
  const [first, second] = linesOf(entry)
  const small = { top: top + 14, size: 6.5, color: colors.faint }
  put(showTime(timestamp), { ...columns.date, top: top + 4 })
  put(id, { ...columns.date, ...small, size: 5.2 })
  put(first, { ...columns.details, top: top + 4 })
  if (second !== '') put(second, { ...columns.details, ...small })
  const column = changeMinor < 0n ? columns.paid : columns.received
  put(showMinor(statement, changeMinor), { ...column, top: top + 4 })
  put(showMinor(statement, balanceMinor), { ...columns.balance, top: top + 4 })
  drawLine(doc, top + rowHeight)
}

function drawLine(doc: PDFKit.PDFDocument, y: number): void {
  doc.moveTo(margin, y).lineTo(right, y).lineWidth(0.5).strokeColor(colors.line).stroke()
}

/** After the last row: the sums below their columns, and the checksum. */
function drawClosing({ statement, put }: Drawing, top: number): void {
  const { paid, received, closing, checksum } = statement
  const bold = { top: top + 6, font: 'bold' } as const
  const { left, align } = columns.date
  put('Closing balance', { ...bold, left, align, width: 280 })
  put(showMinor(statement, -paid.minor), { ...columns.paid, ...bold })
  put(showMinor(statement, received.minor), { ...columns.received, ...bold })
  put(showMinor(statement, closing.postedMinor), { ...columns.balance, ...bold })
  const wide = { left, align, width: right - margin, size: 6.5, color: colors.faint }
  put(checksum, { ...wide, top: top + 30 })
}

function fault({ paid, received }: Statement): string | undefined {
  const count = paid.count + received.count
  if (count <= entriesMax) return undefined
  return `A PDF has at most ${entriesMax} entries, this period has ${count}: choose a shorter one.`
}

export const pdf = {
  contentType: 'application/pdf',
  extension: 'pdf',
  fault,
  write,
} as const satisfies StatementFormat
