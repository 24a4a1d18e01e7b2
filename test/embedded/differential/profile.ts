/** How likely the parts of a trace are. Weights compare with each other; the rest are probabilities. */
export interface Profile {
  readonly steps: {
    readonly accounts: number
    readonly transfers: number
    readonly lookups: number
    readonly accountFilters: number
    readonly queries: number
    readonly reconnect: number
    readonly expiry: number
    readonly large: number
  }
  readonly transfers: {
    readonly plain: number
    readonly pending: number
    readonly balancing: number
    readonly closing: number
    readonly ending: number
    readonly repeat: number
    readonly burnt: number
  }
  /** That a new account has a balance limit, or keeps its history. */
  readonly limited: number
  readonly history: number
  /** That an amount is next to a limit or to an overflow. */
  readonly edges: number
  /** That an event has one to three faults. */
  readonly faults: number
  /** That a batch has chains, or is imported. */
  readonly chains: number
  readonly imported: number
  /** That several calls of a kind are made at once. */
  readonly parallel: number
}

const mixed: Profile = {
  steps: {
    accounts: 4,
    transfers: 30,
    lookups: 6,
    accountFilters: 4,
    queries: 4,
    reconnect: 0.2,
    expiry: 0,
    large: 0,
  },
  transfers: {
    plain: 30,
    pending: 20,
    balancing: 10,
    closing: 1.5,
    ending: 25,
    repeat: 10,
    burnt: 3,
  },
  limited: 0.3,
  history: 0.3,
  edges: 0.1,
  faults: 0.1,
  chains: 0.25,
  imported: 0.05,
  parallel: 0.1,
}

const steps = (changed: Partial<Profile['steps']>): Profile['steps'] => ({
  ...mixed.steps,
  ...changed,
})
const transfers = (changed: Partial<Profile['transfers']>): Profile['transfers'] => ({
  ...mixed.transfers,
  ...changed,
})

/** The topics that chapters of a trace are about. */
export const profiles = {
  mixed,
  'two-phase': {
    ...mixed,
    transfers: transfers({ pending: 40, ending: 60, plain: 10, closing: 1 }),
    faults: 0.05,
  },
  limits: { ...mixed, limited: 0.8, edges: 0.7, faults: 0.02 },
  balancing: {
    ...mixed,
    transfers: transfers({ balancing: 60, closing: 0 }),
    limited: 0.5,
    edges: 0.5,
    faults: 0.03,
  },
  closing: {
    ...mixed,
    steps: steps({ accounts: 8 }),
    transfers: transfers({ closing: 25, ending: 40 }),
    chains: 0.5,
    faults: 0.03,
  },
  chains: { ...mixed, chains: 0.95, limited: 0.5, edges: 0.2, faults: 0.08, parallel: 0.25 },
  faults: {
    ...mixed,
    steps: steps({ accounts: 15 }),
    transfers: transfers({ repeat: 25 }),
    faults: 0.7,
    chains: 0.1,
  },
  imported: {
    ...mixed,
    steps: steps({ accounts: 12 }),
    transfers: transfers({ repeat: 15 }),
    imported: 0.7,
    chains: 0.4,
    faults: 0.05,
  },
  queries: {
    ...mixed,
    steps: steps({ transfers: 15, accountFilters: 30, queries: 30, lookups: 10 }),
    history: 0.6,
    parallel: 0.25,
  },
  parallel: { ...mixed, parallel: 0.7, chains: 0.4 },
  timeouts: { ...mixed, steps: steps({ expiry: 4 }), transfers: transfers({ closing: 5 }) },
  large: { ...mixed, steps: steps({ large: 8 }) },
} as const satisfies Record<string, Profile>

export type Topic = keyof typeof profiles

/** How often each topic comes up; the slow ones rarely. */
export const topicWeights: Record<Topic, number> = {
  mixed: 10,
  'two-phase': 10,
  limits: 10,
  balancing: 10,
  closing: 10,
  chains: 10,
  faults: 10,
  imported: 12,
  queries: 10,
  parallel: 8,
  timeouts: 2,
  large: 1,
}
