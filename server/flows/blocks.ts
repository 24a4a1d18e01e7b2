import { type Block, deleteBlock, insertBlock, listBlocks } from '../../db/user-blocks.ts'
import type { Customer } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { Refusal } from '../refusals.ts'
import { findCustomer } from './find-user.ts'

type BlockDeps = Pick<Deps, 'db'>

/** How many others a user can block. */
const blocksMax = 1_000

/** Whom the caller blocks, the newest first. */
export async function readBlocks({ db }: BlockDeps, caller: Customer): Promise<Block[]> {
  return listBlocks(db, caller.userId)
}

/**
 * Takes no more requests for money from somebody, named by username or id. Those that are open stay
 * so. Repeating it changes nothing. Refusals: user_not_found, own_account, block_limit_reached.
 */
export async function block(deps: BlockDeps, caller: Customer, name: string): Promise<void> {
  const user = await findCustomer(deps, name)
  if (!user || user.deactivatedAt) throw new Refusal('user_not_found')
  const [userId, blockedUserId] = [caller.userId, user.id]
  if (userId === blockedUserId) throw new Refusal('own_account')
  if (!(await insertBlock(deps.db, { userId, blockedUserId, limit: blocksMax }))) {
    throw new Refusal('block_limit_reached', `A person can block ${blocksMax} others.`)
  }
}

/** Takes requests from somebody again; nothing when that was so, or when there is nobody so named. */
export async function unblock(deps: BlockDeps, caller: Customer, name: string): Promise<void> {
  const user = await findCustomer(deps, name)
  if (user) await deleteBlock(deps.db, caller.userId, user.id)
}
