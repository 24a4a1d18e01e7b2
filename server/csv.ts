/** Writing CSV (RFC 4180) that people open in spreadsheets. */

/** What a spreadsheet takes for the beginning of a formula, also in its full-width form. */
const formula = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/

/** A cell of a text that somebody wrote; one that a spreadsheet would take for a formula is made text. */
export function toCsvText(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** A line of cells, each a number or the like as it is, or made by `toCsvText`. */
export const toCsvLine = (cells: readonly string[]): string => `${cells.join(',')}\r\n`
