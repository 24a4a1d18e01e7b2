import type { Route } from '../http/route.ts'
import { adjustmentRoutes } from './adjustments.ts'
import { accountAliasRoutes } from './aliases-account.ts'
import { apiAliasRoutes } from './aliases-api.ts'
import { approvalRoutes } from './approvals.ts'
import { batchRoutes } from './batches.ts'
import { blockRoutes } from './blocks.ts'
import { breakRoutes } from './breaks.ts'
import { currencyRoutes } from './currencies.ts'
import { depositRoutes } from './deposits.ts'
import { documentationRoutes } from './documentation.ts'
import { exchangeRateRoutes } from './exchange-rates.ts'
import { exchangeRoutes } from './exchanges.ts'
import { feeScheduleRoutes } from './fee-schedules.ts'
import { healthRoutes } from './health.ts'
import { holdRoutes } from './holds.ts'
import { houseRoutes } from './house.ts'
import { limitRoutes } from './limits.ts'
import { operatorRoutes } from './operator.ts'
import { pageRoutes } from './pages.ts'
import { paymentRequestRoutes } from './payment-requests.ts'
import { paymentSystemRoutes } from './payment-systems.ts'
import { payrollRoutes } from './payrolls.ts'
import { reconciliationRoutes } from './reconciliations.ts'
import { refundRoutes } from './refunds.ts'
import { reversalRoutes } from './reversals.ts'
import { sessionRoutes } from './session.ts'
import { statementRoutes } from './statements.ts'
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
  ...currencyRoutes,
  ...walletRoutes,
  ...statementRoutes,
  ...transferRoutes,
  ...batchRoutes,
  ...payrollRoutes,
  ...exchangeRoutes,
  ...holdRoutes,
  ...paymentRequestRoutes,
  ...blockRoutes,
  ...refundRoutes,
  ...depositRoutes,
  ...withdrawalRoutes,
  ...withdrawalStepRoutes,
  ...reversalRoutes,
  ...suspenseRoutes,
  ...limitRoutes,
  ...apiAliasRoutes,
  ...accountAliasRoutes,
  ...exchangeRateRoutes,
  ...paymentSystemRoutes,
  ...houseRoutes,
  ...feeScheduleRoutes,
  ...operatorRoutes,
  ...adjustmentRoutes,
  ...approvalRoutes,
  ...reconciliationRoutes,
  ...breakRoutes,
  ...healthRoutes,
]

export const routes: readonly Route[] = [...api, ...documentationRoutes(api), ...pageRoutes]
