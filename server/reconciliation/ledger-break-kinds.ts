import type { FindingKind } from '../../accounting/findings.ts'
import type { BreakKind } from './break.ts'

const mendLedger =
  'Stop payouts. Compare the replicas; recover the damaged one from the others (`tigerbeetle recover`).'
const findMaker =
  'Find who made it. Put the money back by an adjustment that two operators agree to.'

/** What the ledger's own pass can find; docs/operations.md has the same table. */
export const ledgerBreakKinds = {
  balance_differs: {
    cause: 'The ledger has lost or changed something, or its answers come from damaged data.',
    remedy: mendLedger,
  },
  ledger_unbalanced: {
    cause: 'Balances of accounts differ, and their differences do not cancel each other.',
    remedy: mendLedger,
  },
  limit_broken: {
    cause:
      'The ledger let an account go below nothing, which its flags forbid, or a transfer is lost.',
    remedy: `${mendLedger} Look at the transfers of the account before the one that is told.`,
  },
  chain_incomplete: {
    cause: 'A part of a linked chain is missing: the ledger has lost transfers.',
    remedy: mendLedger,
  },
  time_reversed: {
    cause: 'The ledger answered transfers out of order.',
    remedy: mendLedger,
  },
  account_missing: {
    cause: 'The ledger has lost an account.',
    remedy: mendLedger,
  },
  resolution_impossible: {
    cause:
      'The ledger posted or voided what was not pending then, or has lost the pending transfer.',
    remedy: mendLedger,
  },
  unknown_code: {
    cause: 'Another program writes into the ledger, or a newer Kassa does.',
    remedy: 'Use the newest version. Otherwise find who reaches the ledger, and close its network.',
  },
  wrong_accounts: {
    cause: 'A transfer was made past Kassa, or by a version with a bug.',
    remedy: findMaker,
  },
  wrong_flags: {
    cause: 'A transfer was made past Kassa, or by a version with a bug.',
    remedy: findMaker,
  },
  operation_unnamed: {
    cause: 'A transfer was made past Kassa.',
    remedy: findMaker,
  },
  operation_incomplete: {
    cause:
      'A chain was made past Kassa, or by a version with a bug: money without its fee, right or budget.',
    remedy: findMaker,
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
  checkpoint_differs: {
    cause:
      'Somebody has changed the checkpoint in PostgreSQL, or the ledger is another one than when it was taken, or has another past.',
    remedy:
      'Run `npm run verify-chain`, which tells whether the past of the ledger is another. When only the checkpoint was changed, find who writes to PostgreSQL, delete it (`DELETE FROM checkpoints`), and run with `--record`.',
  },
} as const satisfies Record<FindingKind, BreakKind>
