/** What was measured of the passes of a reconciliation, for the terminal. */
import { table } from '../report.ts'
import { median } from '../stats.ts'
import type { Measured, TargetName } from './measured.ts'

export type Round = Record<TargetName, Measured>

export const passNames = ['ledger', 'records'] as const

const titles: Readonly<Record<TargetName, string>> = {
  scan: 'all transfers by the client',
  ledger: 'the pass ledger',
  copy: 'all rows by COPY',
  records: 'the pass records',
}

/** What the passes are held to: seconds for the same by those who do nothing with it. */
const ratios: readonly {
  name: string
  pass: TargetName
  over: readonly TargetName[]
  goal?: number
}[] = [
  { name: 'ledger / scan', pass: 'ledger', over: ['scan'], goal: 0.5 },
  { name: 'records / COPY', pass: 'records', over: ['copy'], goal: 0.5 },
  // It reads the ledger as well.
  { name: 'records / scan, then COPY', pass: 'records', over: ['scan', 'copy'] },
]

const peakMaxMebibytes = 512
/** What memory may grow by from some transfers to three times as many: what is held until it is collected. */
const growthMax = 1.15
const mebibyte = 2 ** 20

export function renderRates(rounds: readonly Round[]): string {
  const rates = (Object.keys(titles) as TargetName[]).map((name) => {
    const seconds = rounds.map((round) => round[name].seconds)
    const { count } = rounds[0]![name]
    const rate = count / median(seconds)
    const cpu = median(rounds.map((round) => round[name].cpuSeconds))
    const [took, worked] = [median(seconds).toFixed(2), cpu.toFixed(2)]
    return [name, titles[name], String(count), took, rate.toFixed(0), worked]
  })
  const compared = ratios.map(({ name, pass, over, goal }) => {
    const each = rounds.map((round) => {
      const seconds = over.reduce((sum, other) => sum + round[other].seconds, 0)
      return seconds / round[pass].seconds
    })
    const [middle, least, most] = [median(each), Math.min(...each), Math.max(...each)]
    return [
      name,
      middle.toFixed(2),
      `${least.toFixed(2)} to ${most.toFixed(2)}`,
      goal === undefined ? '' : `at least ${goal.toFixed(2)}`,
      goal === undefined ? '' : verdict(middle >= goal),
    ]
  })
  return [
    table(['', '', 'read', 'seconds', 'per second', 'CPU seconds'], rates, 2),
    table(['ratio', 'median', 'rounds', 'goal', ''], compared, 5),
  ].join('\n\n')
}

/** Of the passes, in all rounds and with three times as many transfers, as far as that was measured. */
export function renderMemory(rounds: readonly Round[], threefold: Partial<Round>): string {
  const rows = passNames.flatMap((name) => {
    const peak = Math.max(...rounds.map((round) => round[name].peakBytes)) / mebibyte
    const { count } = rounds[0]![name]
    const once = [
      titles[name],
      String(count),
      peak.toFixed(0),
      '',
      verdict(peak < peakMaxMebibytes),
    ]
    const later = threefold[name]
    if (!later) return [once]
    const peakLater = later.peakBytes / mebibyte
    const growth = peakLater / peak
    const isFlat = peakLater < peakMaxMebibytes && growth <= growthMax
    const thrice = [titles[name], String(later.count), peakLater.toFixed(0), growth.toFixed(2)]
    return [once, [...thrice, verdict(isFlat)]]
  })
  const goal = `goal: less than ${peakMaxMebibytes} MiB, growth at most ${growthMax.toFixed(2)}`
  return `${table(['memory', 'transfers', 'MiB at most', 'growth', ''], rows, 1)}\n${goal}`
}

const verdict = (isReached: boolean): string => (isReached ? 'reached' : 'missed')
