import { Difference, textOf } from '../lib/model/search.ts'

/** Tells why a soak has failed: of Kassa and a model that have parted, the model and the answers before as well. */
export function tellFailure(seed: number, error: unknown): void {
  console.error(`\nseed ${seed}: ${error instanceof Error ? error.stack : error}`)
  if (!(error instanceof Difference)) return
  console.error(`the model before:\n${textOf(error.model)}`)
  console.error(`the group's answers before:\n${error.history.map(textOf).join('\n')}`)
}
