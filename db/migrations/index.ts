import type { Migration } from 'kysely'
import * as identity from './0001-identity.ts'
import * as wallets from './0002-wallets.ts'
import * as holds from './0003-holds.ts'
import * as lifeOfAPayment from './0004-life-of-a-payment.ts'
import * as settings from './0005-settings.ts'
import * as fees from './0006-fees.ts'
import * as exchange from './0007-exchange.ts'
import * as limits from './0008-limits.ts'
import * as batches from './0009-batches.ts'
import * as treasury from './0010-treasury.ts'
import * as reconciliation from './0011-reconciliation.ts'
import * as evidence from './0012-evidence.ts'
import * as breaks from './0013-breaks.ts'
import * as checkpoints from './0014-checkpoints.ts'
import * as widerLimits from './0015-wider-limits.ts'

/** Every migration by name, carried out in the order of the names. Append-only. */
export const migrations: Record<string, Migration> = {
  '0001-identity': identity,
  '0002-wallets': wallets,
  '0003-holds': holds,
  '0004-life-of-a-payment': lifeOfAPayment,
  '0005-settings': settings,
  '0006-fees': fees,
  '0007-exchange': exchange,
  '0008-limits': limits,
  '0009-batches': batches,
  '0010-treasury': treasury,
  '0011-reconciliation': reconciliation,
  '0012-evidence': evidence,
  '0013-breaks': breaks,
  '0014-checkpoints': checkpoints,
  '0015-wider-limits': widerLimits,
}
