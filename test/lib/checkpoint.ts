/** Checkpoints that are kept in memory. */
import type { KeptCheckpoint, TakenCheckpoint } from '../../accounting/checkpoint.ts'

export const kept = (taken: TakenCheckpoint): KeptCheckpoint => ({
  ...taken,
  async *readParts() {
    yield* taken.parts
  },
  isStillThere: () => Promise.resolve(true),
})
