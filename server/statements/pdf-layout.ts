/** Where things are on the pages of a statement, in points from the top left corner of an A4 page. */

const pageWidth = 595.28
export const margin = 40
export const right = pageWidth - margin
export const footerTop = 800

export interface Column {
  title: string
  left: number
  width: number
  align: 'left' | 'right'
}

/** From left to right; with 8 points between two. */
export const columns = {
  date: { title: 'Date (UTC)', left: margin, width: 116, align: 'left' },
  details: { title: 'Details', left: 164, width: 179, align: 'left' },
  paid: { title: 'Paid', left: 351, width: 62, align: 'right' },
  received: { title: 'Received', left: 421, width: 62, align: 'right' },
  balance: { title: 'Balance', left: 491, width: right - 491, align: 'right' },
} as const satisfies Record<string, Column>

export const headHeight = 18
/** Each row has two lines, so that how many pages there are is known before the first is drawn. */
export const rowHeight = 25

const firstTableTop = 248
const laterTableTop = 48
const tableBottom = 788
/** What follows the last row takes as much room as this many rows. */
const closingRows = 3

/** Where the table of a page begins; pages are counted from 1. */
export const tableTop = (page: number): number => (page === 1 ? firstTableTop : laterTableTop)

/** How many rows a page has room for. */
export function rowsOf(page: number): number {
  return Math.floor((tableBottom - tableTop(page) - headHeight) / rowHeight)
}

/** How many pages a statement of so many entries has. */
export function countPages(entries: number): number {
  const later = Math.max(0, entries + closingRows - rowsOf(1))
  return 1 + Math.ceil(later / rowsOf(2))
}
