import type { Route } from '../http/route.ts'
import { accountAliasRoutes } from './aliases-account.ts'
import { apiAliasRoutes } from './aliases-api.ts'
import { depositRoutes } from './deposits.ts'
import { documentationRoutes } from './documentation.ts'
import { healthRoutes } from './health.ts'
import { holdRoutes } from './holds.ts'
import { operatorRoutes } from './operator.ts'
import { pageRoutes } from './pages.ts'
import { paymentSystemRoutes } from './payment-systems.ts'
import { reversalRoutes } from './reversals.ts'
import { sessionRoutes } from './session.ts'
import { suspenseRoutes } from './suspense.ts'
import { transferRoutes } from './transfers.ts'
import { userRoutes } from './users.ts'
import { walletRoutes } from './wallets.ts'

/** The API, in the order of its documentation. */
const api: readonly Route[] = [
  ...userRoutes,
  ...sessionRoutes,
  ...walletRoutes,
  ...transferRoutes,
  ...holdRoutes,
  ...depositRoutes,
  ...reversalRoutes,
  ...suspenseRoutes,
  ...apiAliasRoutes,
  ...accountAliasRoutes,
  ...paymentSystemRoutes,
  ...operatorRoutes,
  ...healthRoutes,
]

export const routes: readonly Route[] = [...api, ...documentationRoutes(api), ...pageRoutes]
