import { CreateAccountStatus, CreateTransferStatus } from 'tigerbeetle-node'
import type { Answer, TraceCall, TraceStep } from '../lib/trace-file.ts'

/** No client can provoke this one before the year 2126. */
const unreachable = ['overflows_timeout']
const statusNames = {
  create_accounts: namesOf(CreateAccountStatus),
  create_transfers: namesOf(CreateTransferStatus),
}

function namesOf(statuses: object): string[] {
  return Object.keys(statuses).filter((name) => !/^\d+$/.test(name))
}

/** Counts what the traces have asked and been answered. */
export class Coverage {
  calls = 0
  events = 0
  objects = 0
  private readonly statuses = {
    create_accounts: new Map<string, number>(),
    create_transfers: new Map<string, number>(),
  }

  add(step: TraceStep, answer: Answer): void {
    if (step.op === 'sleep' || step.op === 'reconnect') return
    const calls = step.op === 'parallel' ? step.calls : [step]
    for (const [index, call] of calls.entries()) this.addCall(call, answer.calls?.[index] ?? answer)
  }

  private addCall(call: TraceCall, { results = [], objects = [] }: Answer): void {
    this.calls += 1
    this.objects += objects.length
    if (call.op !== 'create_accounts' && call.op !== 'create_transfers') return
    this.events += results.length
    const counts = this.statuses[call.op]
    for (const result of results) {
      const status = result.split(' ')[0]!
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
  }

  get summary(): string {
    return `${this.calls} calls, ${this.events} events, ${this.objects} objects read`
  }

  /** The statuses that were never answered, with their call. */
  missing(): string[] {
    return this.entries().flatMap(([op, names, counts]) =>
      names
        .filter((name) => !counts.has(name) && !unreachable.includes(name))
        .map((name) => `${op}: ${name}`),
    )
  }

  /** A line for each status and how often it was answered, and those that never were. */
  table(): string {
    const lines: string[] = []
    for (const [op, , counts] of this.entries()) {
      lines.push(`${op}:`)
      for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) {
        lines.push(`${String(count).padStart(9)}  ${name}`)
      }
    }
    return [...lines, `never: ${this.missing().join(', ') || 'none'}`].join('\n')
  }

  private entries(): [op: string, names: readonly string[], counts: Map<string, number>][] {
    const { create_accounts, create_transfers } = this.statuses
    return [
      ['create_accounts', statusNames.create_accounts, create_accounts],
      ['create_transfers', statusNames.create_transfers, create_transfers],
    ]
  }
}
