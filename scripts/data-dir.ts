import { randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'

/** Where everything is kept that we start or make ourselves: DATA_DIR, or `.data` in the project. */
export function dataDirOf(env: NodeJS.ProcessEnv): string {
  return env.DATA_DIR ? resolve(env.DATA_DIR) : fileURLToPath(new URL('../.data', import.meta.url))
}

const addressesFile = (dataDir: string) => join(dataDir, 'addresses')

/**
 * Notes where the servers are while a Kassa runs on them, so that commands find them; not for others to
 * read, as the database's address has its password. Answers what takes the note away.
 */
export async function noteAddresses(
  dataDir: string,
  { databaseUrl, tigerbeetleAddresses }: { databaseUrl: string; tigerbeetleAddresses: string },
): Promise<() => Promise<void>> {
  const file = addressesFile(dataDir)
  const lines = [`DATABASE_URL=${databaseUrl}`, `TIGERBEETLE_ADDRESSES=${tigerbeetleAddresses}`]
  await rm(file, { force: true })
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return () => rm(file, { force: true })
}

/**
 * The environment of a command: where it has no addresses, with those of the Kassa that runs on the data
 * folder, and with the key that it signs evidence with.
 */
export async function withNotedAddresses(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  if (env.DATABASE_URL || env.TIGERBEETLE_ADDRESSES || env.NODE_ENV === 'production') return env
  const dataDir = dataDirOf(env)
  const noted = await readFile(addressesFile(dataDir), 'utf8').catch(() => undefined)
  if (noted === undefined) return env
  const key = await readFile(join(dataDir, 'evidence-key'), 'utf8').catch(() => '')
  return { EVIDENCE_KEY: key.trim(), ...env, ...parseEnv(noted) }
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
