import { setTimeout as wait } from 'node:timers/promises'

const pollIntervalMs = 10

/**
 * Asks until the answer is true. It has no limit of its own: a condition that never holds fails the
 * file by the test runner's limit, with the name of the test.
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await wait(pollIntervalMs)
}
