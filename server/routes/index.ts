import type { Route } from '../http/route.ts'
import { depositRoutes } from './deposits.ts'
import { healthRoutes } from './health.ts'
import { sessionRoutes } from './session.ts'
import { transferRoutes } from './transfers.ts'
import { userRoutes } from './users.ts'
import { walletRoutes } from './wallets.ts'

/** Every route of the API, in the order of the documentation. */
export const routes: readonly Route[] = [
  ...userRoutes,
  ...sessionRoutes,
  ...walletRoutes,
  ...transferRoutes,
  ...depositRoutes,
  ...healthRoutes,
]
