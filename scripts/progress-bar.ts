const barWidth = 40

/** On a terminal: how much is done, 0 to 1, in a line on stderr that is written over. */
export function showProgress(part: number, what: string): void {
  if (!process.stderr.isTTY) return
  const done = Math.max(0, Math.min(part, 1))
  const bar = '#'.repeat(Math.round(done * barWidth)).padEnd(barWidth, '-')
  process.stderr.write(`\r[${bar}] ${String(Math.floor(done * 100)).padStart(3)} %  ${what} `)
}

/** Ends the line. */
export function endProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\n')
}
