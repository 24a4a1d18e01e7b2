import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another process, or another ledger of this one, has the data folder open. */
class LockedError extends Error {
  constructor(folder: string) {
    super(`${folder} is in use by another ledger: stop that one first, or choose another folder`)
    this.name = 'LockedError'
  }
}

/**
 * Locks `folder` for this process and returns how to give it back. Node has no file locks of its
 * own, but its SQLite does: the operating system ends them with the process, however it dies, so
 * nothing stale can be left as with a file that holds a process id. Throws LockedError.
 */
export function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, 'lock'))
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const busy = error instanceof Error && 'errcode' in error && error.errcode === 5
    throw busy ? new LockedError(folder) : error
  }
  return () => database.close()
}
