import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withServers } from '../../scripts/with-servers.ts'
import { killCrashChildren } from '../lib/crash.ts'
import { createWorld, type World } from '../lib/world.ts'

/** Does something in a world on servers that nobody else uses, and ends all of it. */
export async function onOwnServers(work: (world: World) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kassa-soak-'))
  const servers = await withServers({ env: process.env, dataDir, durable: false })
  try {
    process.env.DATABASE_URL = servers.databaseUrl
    process.env.TIGERBEETLE_ADDRESSES = servers.tigerbeetleAddresses
    const world = await createWorld()
    await work(world)
    await world.stop()
  } finally {
    await killCrashChildren()
    await servers.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
