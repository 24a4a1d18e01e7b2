import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { findAsset } from '../accounting/chart.ts'
import { type DestinationKey, destinationKeyBytes } from './destinations.ts'
import { readEvidenceKey, readPublicEvidenceKey } from './evidence/keys.ts'

/** Every problem of the configuration at once, a line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

const secretBytesMin = 32
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const whole = (min: number, max: number) =>
  z.string().transform((text, context) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    context.addIssue({ code: 'custom', message: `must be a whole number from ${min} to ${max}` })
    return z.NEVER
  })

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)

/** `id:key`, the key 32 bytes in base64url. */
const destinationKeyText = /^([\w.-]{1,32}):([\w-]{43})$/

function readDestinationKey(text: string): DestinationKey | undefined {
  const [, id, key] = destinationKeyText.exec(text) ?? []
  return id === undefined || key === undefined
    ? undefined
    : { id, key: Buffer.from(key, 'base64url') }
}

const destinationKeys = list.transform((parts, context) => {
  const [newest, ...older] = parts.map(readDestinationKey).filter((key) => key !== undefined)
  const ids = new Set([newest, ...older].map((key) => key?.id))
  if (newest && ids.size === parts.length) return [newest, ...older] as const
  const message = 'must have keys `id:key`, each key 32 bytes in base64url and each id another'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

const evidenceKey = z.string().transform((text, context) => {
  const key = readEvidenceKey(text)
  if (key) return key
  const message = 'must be a private key of Ed25519 in base64: 32 random bytes, or PKCS #8'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

const evidencePublicKeys = list.transform((parts, context) => {
  const keys = parts.map(readPublicEvidenceKey).filter((key) => key !== undefined)
  if (keys.length === parts.length) return keys
  const message = 'must have public keys of Ed25519 in base64, separated by commas'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

/** Five fields of a crontab; whether each is in its range is found out when the schedule is read. */
const cronField = String.raw`(\*(\/\d{1,2})?|\d{1,2}(-\d{1,2})?(,\d{1,2}(-\d{1,2})?)*)`
const cron = z
  .string()
  .regex(
    new RegExp(`^(off|${Array(5).fill(cronField).join(' ')})$`),
    'must be off or five fields of a crontab such as 7 * * * *',
  )

/** `host:port`, `[ipv6]:port`, or a port of this machine. */
const isReplicaAddress = (text: string): boolean => /^(.+:)?\d{1,5}$/.test(text)
const email = z.email('must be an e-mail address').max(254)
const password = z
  .string()
  .refine(
    (text) => Buffer.byteLength(text) >= 8 && Buffer.byteLength(text) <= 72,
    'must have 8 to 72 bytes',
  )

const variables = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: whole(0, 65_535).default(4000),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  DATABASE_POOL_SIZE: whole(2, 500).default(20),
  DATABASE_CONNECT_TIMEOUT_MS: whole(100, 60_000).default(5_000),
  DATABASE_STATEMENT_TIMEOUT_MS: whole(100, 600_000).default(10_000),
  TIGERBEETLE_ADDRESSES: list.refine(
    (parts) => parts.length > 0 && parts.length <= 6 && parts.every(isReplicaAddress),
    'must have 1 to 6 addresses, each host:port, separated by commas',
  ),
  TIGERBEETLE_CLUSTER_ID: z
    .string()
    .regex(/^\d{1,38}$/, 'must be a whole number')
    .transform(BigInt)
    .default(0n),
  LEDGER_DEADLINE_MS: whole(10, 60_000).default(5_000),
  LEDGER_QUEUE_LIMIT: whole(1, 100_000).default(8_192),
  SESSION_SECRETS: list
    .refine(
      (parts) => parts.length > 0 && parts.every((p) => Buffer.byteLength(p) >= secretBytesMin),
      `must have secrets of at least ${secretBytesMin} bytes, separated by commas, the newest first`,
    )
    .optional(),
  DESTINATION_KEYS: destinationKeys.optional(),
  EVIDENCE_KEY: evidenceKey.optional(),
  EVIDENCE_PUBLIC_KEYS: evidencePublicKeys.default([]),
  SESSION_IDLE_SECONDS: whole(60, 31_536_000).default(14 * 86_400),
  SESSION_ABSOLUTE_SECONDS: whole(60, 31_536_000).default(90 * 86_400),
  SESSIONS_PER_USER: whole(1, 1_000).default(20),
  SESSION_CACHE_SIZE: whole(1, 1_000_000).default(50_000),
  BCRYPT_COST: whole(4, 16).default(12),
  BCRYPT_CONCURRENCY: whole(1, 64).default(2),
  BCRYPT_QUEUE_LIMIT: whole(1, 10_000).default(200),
  ACCOUNT_ATTEMPTS: whole(1, 10_000).default(10),
  ADDRESS_ATTEMPTS: whole(1, 1_000_000).default(100),
  ADDRESS_SIGN_UPS: whole(1, 1_000_000).default(100),
  ATTEMPTS_WINDOW_SECONDS: whole(1, 86_400).default(900),
  DEFAULT_CURRENCY: z
    .string()
    .refine((code) => findAsset(code) !== undefined, 'must be a currency of ISO 4217')
    .default('USD'),
  PAYMENT_SYSTEM_EMAIL: email.default('payments@kassa.localhost'),
  PAYMENT_SYSTEM_PASSWORD: password.optional(),
  OPERATOR_EMAIL: email.default('operator@kassa.localhost'),
  OPERATOR_PASSWORD: password.optional(),
  EXCHANGE_RATES_FILE: z.string().optional(),
  EXCHANGE_RATES_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
    .optional(),
  RATE_APPROVAL_PERCENT: whole(0, 1_000).default(10),
  FOUR_EYES: z.enum(['on', 'off'], { error: 'must be on or off' }).optional(),
  RECONCILE_CRON: cron.default('7 * * * *'),
  TRUST_PROXY_HOPS: whole(0, 10).default(0),
  DRAIN_SECONDS: whole(0, 600).default(10),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
})

/** What production needs, and how to make it. */
const secrets = {
  SESSION_SECRETS: `give it ${secretBytesMin} random bytes or more`,
  DESTINATION_KEYS: `give it \`id:key\`, the key ${destinationKeyBytes} random bytes in base64url`,
} as const

export type Config = ReturnType<typeof toConfig>

/**
 * Reads the settings from environment variables; an empty one counts as not set. What each means is
 * in docs/operations.md.
 * @throws ConfigError with all problems together
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = variables.safeParse(given)
  const problems = (result.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0])
    return given[name] === undefined ? `${name} is not set` : `${name} ${issue.message}`
  })
  if (given.NODE_ENV === 'production') {
    const missing = Object.entries(secrets).filter(([name]) => given[name] === undefined)
    problems.push(...missing.map(([name, advice]) => `${name} is not set: ${advice}`))
  }
  if (!result.success || problems.length > 0) throw new ConfigError(problems)
  return toConfig(result.data)
}

function toConfig(env: z.output<typeof variables>) {
  return {
    production: env.NODE_ENV === 'production',
    host: env.HOST,
    port: env.PORT,
    databaseUrl: env.DATABASE_URL,
    databasePoolSize: env.DATABASE_POOL_SIZE,
    databaseConnectTimeoutMs: env.DATABASE_CONNECT_TIMEOUT_MS,
    databaseStatementTimeoutMs: env.DATABASE_STATEMENT_TIMEOUT_MS,
    tigerbeetleAddresses: env.TIGERBEETLE_ADDRESSES,
    tigerbeetleClusterId: env.TIGERBEETLE_CLUSTER_ID,
    ledgerDeadlineMs: env.LEDGER_DEADLINE_MS,
    ledgerQueueLimit: env.LEDGER_QUEUE_LIMIT,
    /** Without a setting, one of this process alone: its cookies are void after a restart. */
    sessionSecrets: env.SESSION_SECRETS ?? [randomBytes(secretBytesMin).toString('base64url')],
    /** The newest first. Without a setting, one of this process alone: nothing reads it after a restart. */
    destinationKeys: env.DESTINATION_KEYS ?? ([drawDestinationKey()] as const),
    /** Signs the chain of evidence; without a setting there is none. */
    evidenceKey: env.EVIDENCE_KEY,
    /** Keys besides whose signatures count, when the chain is verified. */
    evidencePublicKeys: env.EVIDENCE_PUBLIC_KEYS,
    sessionIdleSeconds: env.SESSION_IDLE_SECONDS,
    sessionAbsoluteSeconds: env.SESSION_ABSOLUTE_SECONDS,
    sessionsPerUser: env.SESSIONS_PER_USER,
    sessionCacheSize: env.SESSION_CACHE_SIZE,
    bcryptCost: env.BCRYPT_COST,
    bcryptConcurrency: env.BCRYPT_CONCURRENCY,
    bcryptQueueLimit: env.BCRYPT_QUEUE_LIMIT,
    accountAttempts: env.ACCOUNT_ATTEMPTS,
    addressAttempts: env.ADDRESS_ATTEMPTS,
    addressSignUps: env.ADDRESS_SIGN_UPS,
    attemptsWindowSeconds: env.ATTEMPTS_WINDOW_SECONDS,
    defaultCurrency: env.DEFAULT_CURRENCY,
    paymentSystemEmail: env.PAYMENT_SYSTEM_EMAIL,
    paymentSystemPassword: env.PAYMENT_SYSTEM_PASSWORD,
    operatorEmail: env.OPERATOR_EMAIL,
    operatorPassword: env.OPERATOR_PASSWORD,
    exchangeRatesFile: env.EXCHANGE_RATES_FILE,
    exchangeRatesUrl: env.EXCHANGE_RATES_URL,
    rateApprovalPercent: env.RATE_APPROVAL_PERCENT,
    /** Whether what matters most needs a second operator's approval. */
    fourEyes: env.FOUR_EYES ? env.FOUR_EYES === 'on' : env.NODE_ENV === 'production',
    /** When reconciliations are carried out by themselves, in UTC; undefined for never. */
    reconcileCron: env.RECONCILE_CRON === 'off' ? undefined : env.RECONCILE_CRON,
    trustProxyHops: env.TRUST_PROXY_HOPS,
    drainSeconds: env.DRAIN_SECONDS,
    logLevel: env.LOG_LEVEL,
  }
}

/** A key that no other process has, by an id that tells so. */
function drawDestinationKey(): DestinationKey {
  return { id: randomBytes(6).toString('hex'), key: randomBytes(destinationKeyBytes) }
}
