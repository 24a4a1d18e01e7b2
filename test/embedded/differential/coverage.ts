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
  steps = 0
  calls = 0
  events = 0
  objects = 0
  private readonly statuses = {
    create_accounts: new Map<string, number>(),
    create_transfers: new Map<string, number>(),
  }

  add(step: TraceStep, answer: Answer): void {
    this.steps += 1
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

  /** A line for each status and how often it was answered, and those that never were. */
  table(): string {
    const lines: string[] = []
    for (const [op, names] of Object.entries(statusNames) as [
      keyof typeof statusNames,
      string[],
    ][]) {
      const counts = this.statuses[op]
      lines.push(`${op}:`)
      for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) {
        lines.push(`${String(count).padStart(9)}  ${name}`)
      }
      const missing = names.filter((name) => !counts.has(name) && !unreachable.includes(name))
      lines.push(`    never  ${missing.join(', ') || 'none'}`)
    }
    return lines.join('\n')
  }
}
