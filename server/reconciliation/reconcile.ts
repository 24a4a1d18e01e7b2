/** A run of a reconciliation: its passes, one after the other, each on its own. */
import type { Verdict } from '../../db/schema.ts'
import type { Pass, PassContext, PassResult, Progress } from './pass.ts'

/** What has become of a pass. */
export interface Ran {
  pass: Pass
  /** Undefined when it could not be carried out. */
  result: PassResult | undefined
  error: unknown
}

/** Runs passes. One that cannot be carried out does not keep the others from it. */
export async function runPasses(
  context: PassContext,
  passes: readonly Pass[],
  progress: (pass: string) => Progress = () => () => {},
): Promise<Ran[]> {
  const all: Ran[] = []
  for (const pass of passes) {
    const ran = await pass.run(context, progress(pass.name)).then(
      (result) => ({ pass, result, error: undefined }),
      (error: unknown) => ({ pass, result: undefined, error }),
    )
    all.push(ran)
  }
  return all
}

/** What all passes together say. A part that failed is never clean, whatever the others have found. */
export function judge(all: readonly Ran[]): Verdict {
  if (all.length === 0 || all.some(({ result }) => result === undefined)) return 'failed'
  return all.every(({ result }) => result?.breaks.length === 0) ? 'clean' : 'breaks'
}
