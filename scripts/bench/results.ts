import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where benches leave what they have measured, and profiles. */
export const resultsDir = fileURLToPath(new URL('../../bench-results', import.meta.url))

/** Writes all that a run has measured into a file of its own, and says where. */
export async function saveResults(
  name: string,
  results: { startedAt: string } & Record<string, unknown>,
): Promise<void> {
  await mkdir(resultsDir, { recursive: true })
  const file = join(resultsDir, `${name}-${results.startedAt.replaceAll(':', '')}.json`)
  await writeFile(file, `${JSON.stringify(results, null, 2)}\n`)
  console.log(`\nAll of it is in ${file}`)
}
