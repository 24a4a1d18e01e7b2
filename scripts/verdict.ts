/** What commands have in common that look for something wrong, and whose exit code tells what they found. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { explain } from './explain.ts'

/** Code 1 is what an uncaught error has too: so these commands catch all of them. */
export const exitCodes = { clean: 0, breaks: 1, failed: 2 } as const

/** Ends the command: it could not do what it was asked for, whatever it has found. */
export function fail(message: string): never {
  console.error(message)
  process.exit(exitCodes.failed)
}

/** Writes to stdout and waits until all of it is written; rejects when it cannot be: then nothing was told. */
export async function tell(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** Answers `--help`, and ends the command. */
export function answerHelp(usage: string): void {
  if (!process.argv.includes('--help')) return
  console.log(usage)
  process.exit(0)
}

/**
 * The options of the command line; answers `--help`, and fails with what is wrong and the usage when they
 * cannot be understood.
 * From then on whatever goes wrong makes the command fail: it must not look like a finding.
 */
export function readOptions<Options extends NonNullable<ParseArgsConfig['options']>>(
  options: Options,
  usage: string,
) {
  answerHelp(usage)
  process.on('uncaughtException', (error) => fail(explain(error)))
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const [reason] = (error as Error).message.split('. ')
    return fail(`${reason}.\n${usage}`)
  }
}
