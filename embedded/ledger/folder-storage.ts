import { constants, readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Storage, StorageFile } from './storage.ts'

/** Opens `folder`, made when it is not there, as the real storage. */
export async function openFolder(folder: string): Promise<Storage> {
  await mkdir(folder, { recursive: true })
  return {
    list: () => readdir(folder),
    async open(name, options = {}) {
      const synced = options.syncedWrites === true ? constants.O_DSYNC : 0
      const flags = constants.O_RDWR | constants.O_CREAT | synced
      return folderFile(await open(join(folder, name), flags, 0o600))
    },
    rename: (from, to) => rename(join(folder, from), join(folder, to)),
    remove: (name) => rm(join(folder, name)),
    async sync() {
      const handle = await open(folder, constants.O_RDONLY)
      try {
        await handle.sync()
      } finally {
        await handle.close()
      }
    },
  }
}

function folderFile(handle: FileHandle): StorageFile {
  return {
    size: async () => (await handle.stat()).size,
    read: (target, position) => readSync(handle.fd, target, 0, target.byteLength, position),
    async write(bytes, position) {
      let done = 0
      while (done < bytes.byteLength) {
        const left = bytes.byteLength - done
        const { bytesWritten } = await handle.write(bytes, done, left, position + done)
        done += bytesWritten
      }
    },
    sync: () => handle.datasync(),
    truncate: (size) => handle.truncate(size),
    close: () => handle.close(),
  }
}
