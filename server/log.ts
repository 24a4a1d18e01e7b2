import pino, { type Logger } from 'pino'
import pretty, { type PrettyOptions } from 'pino-pretty'
import type { Config } from './config.ts'

/** Lines are written in batches, at the latest after this time. */
const flushIntervalMs = 250
const batchBytes = 15 * 1_024

/** A request is one line, its id last; of the rest only an error's stack goes on below. */
const onTerminal = {
  translateTime: 'SYS:HH:MM:ss.l',
  singleLine: true,
  ignore: 'pid,hostname,method,route,status,duration_ms',
  messageFormat: ({ msg, method, route = '', status, duration_ms }) =>
    method === undefined ? String(msg) : `${status} ${method} ${route} ${duration_ms} ms`,
} satisfies PrettyOptions

/** Logs to standard output: for people on a terminal, JSON lines otherwise. */
export function createLogger({ logLevel }: Pick<Config, 'logLevel'>): Logger {
  const destination = process.stdout.isTTY
    ? pretty({ ...onTerminal, sync: true })
    : pino.destination({
        dest: 1,
        sync: false,
        minLength: batchBytes,
        periodicFlush: flushIntervalMs,
      })
  return pino({ level: logLevel, serializers: { err: describeError } }, destination)
}

/** An error without the values it carries: PostgreSQL's errors quote rows. */
function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = 'code' in error ? error.code : undefined
  const cause = error.cause === undefined ? undefined : describeError(error.cause)
  return { type: error.name, code, message: error.message, stack: error.stack, cause }
}
