/**
 * The long tests of the embedded ledger's durability: 500 real kills under load, 200,000 crash
 * points on a simulated disk and 500,000 damaged messages, with new seeds each time. Ends with status 1 at the first failure.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const seed = String(Date.now() % 1_000_000_000)
const runs = [
  { file: 'kill.test.ts', env: { KILLS: '500', KILL_SEED: seed } },
  { file: 'crash.test.ts', env: { CRASH_POINTS: '200000', CRASH_SEED: seed } },
  { file: 'fuzz.test.ts', env: { FUZZ_MESSAGES: '500000', FUZZ_SEED: seed } },
]

for (const { file, env } of runs) {
  console.log(`${file} ${JSON.stringify(env)}`)
  const path = join(import.meta.dirname, '../test/embedded', file)
  const child = spawn(process.execPath, [path], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'ignore'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) process.exit(1)
}
