/** Whose requests for money users do not want. */
import type { Database } from './database.ts'
import { lockUser, type Party } from './users.ts'

/** Somebody who is blocked. */
export interface Block extends Party {
  createdAt: Date
}

/** Whom a user blocks, the newest first. */
export async function listBlocks(db: Database, userId: string): Promise<Block[]> {
  const rows = await db
    .selectFrom('user_blocks')
    .innerJoin('users', 'users.id', 'user_blocks.blocked_user_id')
    .select(['users.id', 'users.username', 'users.name', 'user_blocks.created_at'])
    .where('user_blocks.user_id', '=', userId)
    .orderBy('user_blocks.created_at', 'desc')
    .orderBy('users.id', 'desc')
    .execute()
  return rows.map(({ created_at, ...party }) => ({ ...party, createdAt: created_at }))
}

/** Whether `userId` blocks `blockedUserId`. */
export async function isBlocked(
  db: Database,
  userId: string,
  blockedUserId: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('user_blocks')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('blocked_user_id', '=', blockedUserId)
    .executeTakeFirst()
  return row !== undefined
}

/** Blocks somebody, once; answers false when the user blocks `limit` others already. */
export async function insertBlock(
  db: Database,
  { userId, blockedUserId, limit }: { userId: string; blockedUserId: string; limit: number },
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, userId)
    const { count } = await trx
      .selectFrom('user_blocks')
      .select((eb) => eb.fn.countAll<bigint>().as('count'))
      .where('user_id', '=', userId)
      .where('blocked_user_id', '!=', blockedUserId)
      .executeTakeFirstOrThrow()
    if (count >= BigInt(limit)) return false
    await trx
      .insertInto('user_blocks')
      .values({ user_id: userId, blocked_user_id: blockedUserId })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    return true
  })
}

/** Blocks somebody no longer; nothing when that was not so. */
export async function deleteBlock(
  db: Database,
  userId: string,
  blockedUserId: string,
): Promise<void> {
  await db
    .deleteFrom('user_blocks')
    .where('user_id', '=', userId)
    .where('blocked_user_id', '=', blockedUserId)
    .execute()
}
