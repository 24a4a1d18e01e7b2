import { findIsoCurrency } from '../accounting/chart.ts'
import { insertCurrency } from '../db/currencies.ts'
import { insertPaymentSystem } from '../db/payment-systems.ts'
import { hasUserOfRole, insertUser } from '../db/users.ts'
import type { Deps } from './deps.ts'
import { drawPassword } from './flows/payment-systems.ts'

/** A credential that was made at this start. */
export interface Created {
  role: 'payment_system' | 'operator'
  email: string
  /** Told this once, only its hash is stored; undefined when the settings give it. */
  password: string | undefined
}

type BootstrapDeps = Pick<Deps, 'config' | 'db' | 'passwords' | 'settings'>

const firstPaymentSystemName = 'First payment system'

/**
 * Creates the first payment system and the first operator where there is none yet, and enables the
 * default currency. A password that the settings do not give is drawn at random.
 */
export async function bootstrap(deps: BootstrapDeps): Promise<Created[]> {
  const { db, config } = deps
  await enableDefaultCurrency(deps)
  const paymentSystem = await createFirst(deps, {
    role: 'payment_system',
    email: config.paymentSystemEmail,
    password: config.paymentSystemPassword,
    insert: (email, passwordHash) =>
      insertPaymentSystem(db, { name: firstPaymentSystemName, email, passwordHash }),
  })
  const operator = await createFirst(deps, {
    role: 'operator',
    email: config.operatorEmail,
    password: config.operatorPassword,
    insert: (email, passwordHash) => insertUser(db, { role: 'operator', email, passwordHash }),
  })
  return [...paymentSystem, ...operator]
}

/** Signing up opens a wallet in it. Throws when an operator has closed it. */
async function enableDefaultCurrency({ db, config, settings }: BootstrapDeps): Promise<void> {
  const code = config.defaultCurrency
  const find = async () => (await settings.read()).currencies.get(code)
  const currency = findIsoCurrency(code)
  if (currency && !(await find())) {
    await insertCurrency(db, currency)
    settings.forget()
  }
  const row = await find()
  if (!row || row.closedAt) {
    throw new Error(
      `DEFAULT_CURRENCY ${code} is closed for new wallets: open it, or choose another`,
    )
  }
}

interface First extends Created {
  insert: (email: string, passwordHash: string) => Promise<object | string>
}

async function createFirst({ db, passwords }: BootstrapDeps, first: First): Promise<Created[]> {
  const { role, email, insert } = first
  if (await hasUserOfRole(db, role)) return []
  const password = first.password ?? drawPassword()
  const stored = await insert(email, await passwords.hash(password))
  const told = first.password === undefined ? password : undefined
  if (typeof stored !== 'string') return [{ role, email, password: told }]
  // Another process that starts at the same time was first, or the e-mail is somebody else's.
  if (await hasUserOfRole(db, role)) return []
  throw new Error(`there is another account with the e-mail ${email}: choose one for the ${role}`)
}
