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
