import { z } from 'zod'
import { block, readBlocks, unblock } from '../flows/blocks.ts'
import { pageOf } from '../http/paging.ts'
import { defineRoute } from '../http/route.ts'
import { partyFields, time } from '../http/schemas.ts'

const tags = ['Payment requests'] as const

const params = z.object({
  username: z
    .string()
    .min(1)
    .max(64)
    .transform((name) => name.toLowerCase())
    .meta({ description: "A username; or the user's id, which a request tells, for want of one" }),
})

const blockBody = z.object({ ...partyFields, created_at: time }).meta({ id: 'Block' })

const getBlocks = defineRoute(
  {
    method: 'GET',
    path: '/v1/blocks',
    summary: 'From whom you take no payment requests, newest first',
    tags,
    caller: 'customer',
    responses: { 200: { description: 'All of them', body: pageOf(blockBody) } },
    refusals: [],
  },
  async (deps, { caller }) => {
    const blocks = await readBlocks(deps, caller)
    const data = blocks.map(({ createdAt, ...party }) => ({
      ...party,
      created_at: createdAt.toISOString(),
    }))
    return { status: 200, body: { data, next_cursor: null } }
  },
)

const putBlock = defineRoute(
  {
    method: 'PUT',
    path: '/v1/blocks/{username}',
    summary: 'Take no payment requests from somebody any more',
    description: 'Requests that are open stay open. Repeating it changes nothing.',
    tags,
    caller: 'customer',
    params,
    responses: { 204: { description: 'New requests are refused' } },
    refusals: ['user_not_found', 'own_account', 'block_limit_reached'],
  },
  async (deps, { caller, params }) => {
    await block(deps, caller, params.username)
    return { status: 204 }
  },
)

const deleteBlock = defineRoute(
  {
    method: 'DELETE',
    path: '/v1/blocks/{username}',
    summary: 'Take payment requests from somebody again',
    description: 'Repeating it changes nothing.',
    tags,
    caller: 'customer',
    params,
    responses: { 204: { description: 'Requests are taken' } },
    refusals: [],
  },
  async (deps, { caller, params }) => {
    await unblock(deps, caller, params.username)
    return { status: 204 }
  },
)

export const blockRoutes = [getBlocks, putBlock, deleteBlock]
