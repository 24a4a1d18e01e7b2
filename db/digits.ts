/** Minor units as PostgreSQL's `numeric` is written and read: as decimal digits. */

export const toDigits = (minor: bigint | null): string | null =>
  minor === null ? null : String(minor)

export const fromDigits = (digits: string | null): bigint | null =>
  digits === null ? null : BigInt(digits)
