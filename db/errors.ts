import pg from 'pg'

/** SQLSTATE of a row that a unique constraint refuses. */
const uniqueViolation = '23505'

/** Whether PostgreSQL refused a row because of this unique constraint or index. */
export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === uniqueViolation &&
    error.constraint === constraint
  )
}

/** SQLSTATE classes: connection exception, insufficient resources, operator intervention. */
const unavailableClasses: readonly string[] = ['08', '53', '57']
const brokenConnection: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]
/** What pg says without a code: a pool that has no connection in time, a connection that broke. */
const withoutCode = /timeout exceeded when trying to connect|Connection terminated|not queryable/

/** Whether an error says that PostgreSQL cannot be asked now, rather than that it was asked wrongly. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    return unavailableClasses.includes(error.code?.slice(0, 2) ?? '')
  }
  if (!(error instanceof Error)) return false
  if ('code' in error && typeof error.code === 'string') {
    return 'syscall' in error && brokenConnection.includes(error.code)
  }
  return withoutCode.test(error.message)
}
