import { ConfigError } from '../server/config.ts'
import { explainRefusal } from '../server/http/errors.ts'
import { Refusal } from '../server/refusals.ts'

/**
 * An error of starting up as lines for the terminal: a sentence where the cause is outside (settings,
 * files, ports, servers), the stack where it is a bug.
 */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) {
    return ['The settings need a change:', ...error.problems.map((line) => `  ${line}`)].join('\n')
  }
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0])
  if (error instanceof Refusal) return explainRefusal(error)
  if (!(error instanceof Error)) return String(error)
  const { code, address, port } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  if (code === 'EADDRINUSE') {
    return `Port ${port} of ${address} is in use. Stop what listens there, or set PORT to another.`
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `Cannot listen on ${address ?? 'that host'} (${code}): set HOST to an address of this machine.`
  }
  if (code === 'EACCES' && port !== undefined) {
    return `No right to listen on port ${port} of ${address}: set PORT to another.`
  }
  if (code === 'ECONNREFUSED') return `Nothing answers at ${address}:${port}.`
  const isPlain = error.name === 'Error' || error.name === 'error'
  return isPlain ? error.message : (error.stack ?? error.message)
}
