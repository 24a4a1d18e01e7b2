/**
 * Several operations at once: each for itself, packed into as few requests as the server takes, or all
 * of them as one chain. What holds for one operation by its id holds for each of them.
 */
import type { CreateTransferResult, Transfer } from 'tigerbeetle-node'
import { type Ledger, RequestTooLarge } from './client.ts'
import { toLedgerId, toUuid } from './ids.ts'
import { type Chain, link } from './legs.ts'
import { lookUpTransfers } from './lookup.ts'
import { readOutcome } from './outcome.ts'
import {
  afterSubmission,
  burn,
  type Plan,
  planNever,
  type StoredOperation,
  type Submission,
  toCreated,
  toReplay,
  toStored,
  toSubmission,
  toTransfers,
} from './transfers.ts'

type Key = Pick<Plan, 'operationId' | 'inputHash'>
/** A submission that has moved nothing. */
export type NotDone = Extract<Submission, { kind: 'declined' | 'invalid' }>

/**
 * Submits operations that succeed or fail each for itself; the ledger tries them in this order. The
 * answers have the same order, and each of them is final: the principal's id of what has not happened
 * is burnt, also when the ledger refuses it at any time.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitEach(ledger: Ledger, plans: readonly Plan[]): Promise<Submission[]> {
  const submissions = await submitChains(ledger, plans)
  const open = plans.flatMap((plan, index) =>
    isFinal(plan, submissions[index]!) ? [] : [{ plan, index }],
  )
  if (open.length === 0) return submissions
  const burning = submitChains(
    ledger,
    open.map(({ plan: { operationId, inputHash } }) => planNever({ operationId, inputHash })),
  )
  for (const [place, burnt] of (await afterSubmission(burning)).entries()) {
    const { index, plan } = open[place]!
    if (burnt.kind === 'invalid') {
      throw new Error(`transfer ${plan.operationId} could not be burnt: ${burnt.status}`)
    }
    const wasDeclined = burnt.kind === 'declined' && burnt.reason === undefined
    if (burnt.kind !== 'declined' || wasDeclined) submissions[index] = burnt
  }
  return submissions
}

function isFinal({ principalLeg = 0 }: Plan, submission: Submission): boolean {
  if (submission.kind === 'invalid') return false
  return submission.kind !== 'declined' || submission.leg === principalLeg
}

/** Submits each plan once, and reads what it has become. A decline is not final yet. */
async function submitChains(ledger: Ledger, plans: readonly Plan[]): Promise<Submission[]> {
  const chains = plans.map((plan) => link(toTransfers(plan, plan.operationId)))
  const results = await createChains(ledger, chains)
  const outcomes = plans.map(({ principalLeg }, index) =>
    readOutcome(results[index]!, principalLeg),
  )
  const principalAt = (index: number) => chains[index]![plans[index]!.principalLeg ?? 0]!
  const existing = outcomes.flatMap(({ kind }, index) =>
    kind === 'exists' ? principalAt(index).id : [],
  )
  const stored = await afterSubmission(lookUpTransfers(ledger, existing))
  return outcomes.map((outcome, index) => {
    if (outcome.kind === 'created') {
      const operation = toCreated(plans[index]!, outcome.timestamp)
      return { kind: 'done', replayed: false, operation }
    }
    const principal = principalAt(index)
    return outcome.kind === 'exists'
      ? toReplay(principal, stored.get(principal.id))
      : toSubmission(principal, outcome)
  })
}

/** The results of chains, which are sent in as few requests as the server takes, each chain in one. */
async function createChains(
  ledger: Ledger,
  chains: readonly Chain[],
): Promise<CreateTransferResult[][]> {
  const all: CreateTransferResult[][] = []
  while (all.length < chains.length) {
    const pack = takePack(chains, all.length, ledger.largestRequest())
    const sending = createTransfers(ledger, pack.flat())
    const results = await (all.length === 0 ? sending : afterSubmission(sending))
    if (results === 'too large') continue
    let start = 0
    for (const { length } of pack) {
      all.push(results.slice(start, start + length))
      start += length
    }
  }
  return all
}

/** Sends a request, unless it is larger than was known to be possible: nothing was sent then. */
async function createTransfers(
  ledger: Ledger,
  transfers: Transfer[],
): Promise<CreateTransferResult[] | 'too large'> {
  try {
    return await ledger.createTransfers(transfers)
  } catch (error) {
    const isNews = error instanceof RequestTooLarge && transfers.length > ledger.largestRequest()
    if (isNews) return 'too large'
    throw error
  }
}

/** Chains from `start` on that fit into a request together: at least one. */
function takePack(chains: readonly Chain[], start: number, eventsMax: number): readonly Chain[] {
  let end = start
  let events = 0
  while (end < chains.length && events + chains[end]!.length <= eventsMax) {
    events += chains[end]!.length
    end += 1
  }
  return chains.slice(start, Math.max(end, start + 1))
}

export type Together =
  /** All happened, now or (`replayed`) at an earlier submission; in the order of the plans. */
  | { kind: 'done'; replayed: boolean; operations: StoredOperation[] }
  /** Another input has used the first operation's id before. */
  | { kind: 'conflict' }
  /** Nothing happened and under these ids never will, because of this plan. */
  | { kind: 'refused'; plan: number; submission: NotDone }
  /** Nothing was submitted: there are more legs than a request may have. */
  | { kind: 'too large'; legs: number; legsMax: number }

/**
 * Submits operations that all happen or none of them, as one chain. The first plan's principal leg
 * stands for all of it: it tells a replay, and its id is burnt when this answers a decline.
 * Rejects with LedgerUnavailable (nothing happened) or LedgerOutcomeUnknown.
 */
export async function submitTogether(
  ledger: Ledger,
  plans: readonly [Plan, ...Plan[]],
): Promise<Together> {
  const chains = plans.map((plan) => toTransfers(plan, plan.operationId))
  const chain = link(chains.flat())
  const tooLarge = () =>
    ({ kind: 'too large', legs: chain.length, legsMax: ledger.largestRequest() }) as const
  if (chain.length > ledger.largestRequest()) return tooLarge()
  const results = await createTransfers(ledger, chain)
  if (results === 'too large') return tooLarge()

  const [{ principalLeg = 0 }] = plans
  const principal = chain[principalLeg]!
  const outcome = readOutcome(results, principalLeg)
  if (outcome.kind === 'created') {
    const places = principalPlaces(plans)
    const operations = plans.map((plan, index) =>
      toCreated(plan, results[places[index]!]!.timestamp),
    )
    return { kind: 'done', replayed: false, operations }
  }
  if (outcome.kind !== 'exists') {
    const submission = toSubmission(principal, outcome) as NotDone
    if (isFinal(plans[0], submission)) return blame(plans, submission)
    const burning = await burn(ledger, plans[0].operationId)
    const wasDeclined = burning.kind === 'burnt' && burning.wasBurnt
    if (wasDeclined) return blame(plans, { kind: 'declined', leg: principalLeg })
    if (burning.kind === 'burnt') return blame(plans, submission)
  }
  return (await afterSubmission(findTogether(ledger, plans))) ?? refuseWithout(principal)
}

/**
 * What has happened of operations that were submitted together; undefined when nothing has, which is no
 * proof that it will not.
 */
export async function findTogether(
  ledger: Ledger,
  plans: readonly [Key, ...Key[]],
): Promise<Extract<Together, { kind: 'done' | 'conflict' }> | undefined> {
  const ids = plans.map(({ operationId }) => toLedgerId(operationId))
  const stored = await lookUpTransfers(ledger, ids)
  const first = stored.get(ids[0]!)
  if (!first) return undefined
  if (first.user_data_32 !== plans[0].inputHash) return { kind: 'conflict' }
  return { kind: 'done', replayed: true, operations: ids.map((id) => toStored(stored.get(id)!)) }
}

function refuseWithout({ id }: Transfer): never {
  throw new Error(`${toUuid(id)}: a leg exists without its principal`)
}

/** Where in the chain the principal leg of each plan is. */
function principalPlaces(plans: readonly Plan[]): number[] {
  let start = 0
  return plans.map(({ legs, principalLeg = 0 }) => {
    const place = start + principalLeg
    start += legs.length
    return place
  })
}

/** Names the plan that the failing leg of the chain belongs to, and the leg by its place in the plan. */
function blame(plans: readonly Plan[], submission: NotDone): Together {
  const { leg } = submission
  let start = 0
  const plan = plans.findIndex(({ legs }) => {
    if (leg < start + legs.length) return true
    start += legs.length
    return false
  })
  return { kind: 'refused', plan, submission: { ...submission, leg: leg - start } }
}
