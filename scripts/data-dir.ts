import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where everything is kept that we start or make ourselves: DATA_DIR, or `.data` in the project. */
export function dataDirOf(env: NodeJS.ProcessEnv): string {
  return env.DATA_DIR ? resolve(env.DATA_DIR) : fileURLToPath(new URL('../.data', import.meta.url))
}

/**
 * The secrets that the settings do not give, as settings: made at the first start and kept, so that after
 * restarts sessions go on, destinations of withdrawals can be read and the chain of evidence is continued.
 */
export async function keptSecrets(
  dataDir: string,
  { SESSION_SECRETS, DESTINATION_KEYS, EVIDENCE_KEY }: NodeJS.ProcessEnv,
): Promise<{ SESSION_SECRETS: string; DESTINATION_KEYS: string; EVIDENCE_KEY: string }> {
  return {
    SESSION_SECRETS: SESSION_SECRETS || (await keptSecret(dataDir, 'session-secret')),
    DESTINATION_KEYS: DESTINATION_KEYS || `kept:${await keptSecret(dataDir, 'destination-key')}`,
    EVIDENCE_KEY: EVIDENCE_KEY || (await keptSecret(dataDir, 'evidence-key')),
  }
}

/** 32 random bytes that are drawn once. */
async function keptSecret(dataDir: string, name: string): Promise<string> {
  const file = join(dataDir, name)
  const aside = `${file}.${process.pid}`
  await writeFile(aside, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 })
  try {
    await link(aside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(aside)
  }
  return (await readFile(file, 'utf8')).trim()
}
