/**
 * `npm run operator -- --email E-MAIL`: the way back when no operator can sign in. Makes an operator in
 * the database, or gives the one with this e-mail another password, and prints it once.
 */
import { parseArgs } from 'node:util'
import { openDatabase } from '../db/database.ts'
import { regainOperator } from '../server/flows/operators.ts'
import { createPasswords } from '../server/passwords.ts'
import { Refusal } from '../server/refusals.ts'
import { withNotedAddresses } from './data-dir.ts'
import { explain } from './explain.ts'

const bcrypt = { bcryptCost: 12, bcryptConcurrency: 1, bcryptQueueLimit: 1 }

const { email } = parseArgs({ options: { email: { type: 'string' } } }).values
if (!email?.includes('@')) {
  console.error('Usage: npm run operator -- --email E-MAIL')
  process.exit(1)
}
const database = await open()
try {
  const passwords = await createPasswords(bcrypt)
  const { operator, password } = await regainOperator({ db: database.db, passwords }, email)
  console.log(`operator  ${operator.email}  ${password}`)
} catch (error) {
  const taken = error instanceof Refusal && error.code === 'email_taken'
  console.error(taken ? `${email} is somebody who is no operator.` : explain(error))
  // Closing could wait for what is broken.
  process.exit(1)
} finally {
  await database.close()
}

async function open() {
  const { DATABASE_URL: url } = await withNotedAddresses(process.env)
  if (!url) {
    console.error('DATABASE_URL is not set, and no Kassa runs on the data folder.')
    process.exit(1)
  }
  const onIdleError = (error: Error): void => console.error(error.message)
  return openDatabase({ url, poolSize: 2, connectTimeoutMs: 10_000, onIdleError })
}
