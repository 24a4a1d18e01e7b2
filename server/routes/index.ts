import type { Route } from '../http/route.ts'
import { adjustmentRoutes } from './adjustments.ts'
import { accountAliasRoutes } from './aliases-account.ts'
import { apiAliasRoutes } from './aliases-api.ts'
import { approvalRoutes } from './approvals.ts'
import { blockRoutes } from './blocks.ts'
import { depositRoutes } from './deposits.ts'
import { documentationRoutes } from './documentation.ts'
import { healthRoutes } from './health.ts'
import { holdRoutes } from './holds.ts'
import { operatorRoutes } from './operator.ts'
import { pageRoutes } from './pages.ts'
import { paymentRequestRoutes } from './payment-requests.ts'
import { paymentSystemRoutes } from './payment-systems.ts'
import { refundRoutes } from './refunds.ts'
import { reversalRoutes } from './reversals.ts'
import { sessionRoutes } from './session.ts'
import { suspenseRoutes } from './suspense.ts'
import { transferRoutes } from './transfers.ts'
import { userRoutes } from './users.ts'
import { walletRoutes } from './wallets.ts'
import { withdrawalStepRoutes } from './withdrawal-steps.ts'
import { withdrawalRoutes } from './withdrawals.ts'

/** The API, in the order of its documentation. */
const api: readonly Route[] = [
  ...userRoutes,
  ...sessionRoutes,
  ...walletRoutes,
  ...transferRoutes,
  ...holdRoutes,
  ...paymentRequestRoutes,
  ...blockRoutes,
  ...refundRoutes,
  ...depositRoutes,
  ...withdrawalRoutes,
  ...withdrawalStepRoutes,
  ...reversalRoutes,
  ...suspenseRoutes,
  ...apiAliasRoutes,
  ...accountAliasRoutes,
  ...paymentSystemRoutes,
  ...operatorRoutes,
  ...adjustmentRoutes,
  ...approvalRoutes,
  ...healthRoutes,
]

export const routes: readonly Route[] = [...api, ...documentationRoutes(api), ...pageRoutes]
