import type { FindingKind } from '../../accounting/findings.ts'
import type { BreakKind } from './break.ts'

/** What the ledger's own pass can find; docs/reconciliation.md has the same table. */
export const ledgerBreakKinds = {
  balance_differs: {
    cause: 'The ledger has lost or changed something, or its answers come from damaged data.',
    remedy:
      'Stop payouts. Compare the replicas; recover the damaged one from the others (`tigerbeetle recover`).',
  },
  ledger_unbalanced: {
    cause: 'As balance_differs, of accounts whose differences do not cancel each other.',
    remedy: 'As balance_differs; the accounts are told beside it.',
  },
  limit_broken: {
    cause:
      'The ledger let an account go below nothing, which its flags forbid, or a transfer is lost.',
    remedy:
      'As balance_differs. Look at the transfer that is told and at those of the account before it.',
  },
  chain_incomplete: {
    cause: 'A part of a linked chain is missing: the ledger has lost transfers.',
    remedy: 'As balance_differs.',
  },
  time_reversed: {
    cause: 'The ledger answered transfers out of order.',
    remedy: 'As balance_differs.',
  },
  account_missing: {
    cause: 'The ledger has lost an account.',
    remedy: 'As balance_differs.',
  },
  resolution_impossible: {
    cause:
      'The ledger posted or voided what was not pending then, or has lost the pending transfer.',
    remedy: 'As balance_differs.',
  },
  unknown_code: {
    cause: 'Another program writes into the ledger, or a newer Kassa does.',
    remedy: 'Use the newest version. Otherwise find who reaches the ledger, and close its network.',
  },
  wrong_accounts: {
    cause: 'A transfer was made past Kassa, or by a version with a bug.',
    remedy: 'Find who made it. Put the money back by an adjustment that two operators agree to.',
  },
  wrong_flags: {
    cause: 'A transfer was made past Kassa, or by a version with a bug.',
    remedy: 'As wrong_accounts.',
  },
  operation_unnamed: {
    cause: 'A transfer was made past Kassa.',
    remedy: 'As wrong_accounts.',
  },
  operation_incomplete: {
    cause:
      'A chain was made past Kassa, or by a version with a bug: money without its fee, right or budget.',
    remedy: 'As wrong_accounts.',
  },
  pending_unresolved: {
    cause: 'A withdrawal was ended past Kassa, and what stood beside its money was left.',
    remedy: 'Void what is left with the raw client, under the eyes of a second person.',
  },
  account_unexpected: {
    cause: 'An account was made past Kassa, or by a newer version.',
    remedy:
      'Use the newest version. Otherwise find who reaches the ledger; the account stays for ever.',
  },
} as const satisfies Record<FindingKind, BreakKind>
