import { dictionary } from '@zxcvbn-ts/language-common'
import { passwordBytesMax, passwordBytesMin } from '../passwords.ts'
import { refuseField } from '../refusals.ts'

/** The most common passwords that have leaked; the list is in lower case, the most common first. */
const commonCount = 20_000
const common: ReadonlySet<string> = new Set(dictionary['passwords-common'].slice(0, commonCount))

/**
 * Checks a password that someone chose: 8 to 72 bytes of UTF-8 (bcrypt reads no more), not the
 * e-mail, not one of the most common (NIST SP 800-63B, section 3.1.1.2).
 * Refusal: invalid_request, for the field `pointer`.
 */
export function checkPassword(password: string, email: string, pointer = '/password'): void {
  const message = passwordFault(password, email)
  if (message) throw refuseField({ pointer, message })
}

function passwordFault(password: string, email: string): string | undefined {
  const bytes = Buffer.byteLength(password)
  if (bytes < passwordBytesMin) return `must have at least ${passwordBytesMin} bytes`
  if (bytes > passwordBytesMax) return `must have at most ${passwordBytesMax} bytes`
  const lower = password.toLowerCase()
  if (lower === email.toLowerCase()) return 'must not be the e-mail'
  if (common.has(lower)) return 'is one of the most common passwords: choose another'
  return undefined
}
