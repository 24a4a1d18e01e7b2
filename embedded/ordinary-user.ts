/**
 * PostgreSQL refuses to run as root. Started by root we run it as somebody else, in one of two ways:
 * a user namespace, in which our files look as if they belonged to an ordinary user, also below a
 * folder such as /root that nobody else may enter; or, where namespaces are not allowed (many
 * containers), under the id of an ordinary user who then owns the data.
 */
import { readFile, stat } from 'node:fs/promises'
import { runToEnd } from './child.ts'

export interface OrdinaryUser {
  /** Goes before the program and its arguments. */
  readonly prefix: string[]
  /** Empty unless the process must change its user id. */
  readonly ids: { uid?: number; gid?: number }
}

/** Who runs the server whose data is, or will be, in `dataDir`. The owner of existing data decides. */
export async function asOrdinaryUser(dataDir: string): Promise<OrdinaryUser> {
  if (process.getuid?.() !== 0) return { prefix: [], ids: {} }
  const owner = await stat(dataDir).catch(() => undefined)
  if (owner && owner.uid !== 0) return { prefix: [], ids: { uid: owner.uid, gid: owner.gid } }

  const somebody = await findUser(['postgres', 'nobody'])
  const { uid, gid } = somebody
  const prefix = ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--']
  const [command = '', ...args] = [...prefix, 'true']
  const namespaces = await runToEnd(command, args).then(
    () => true,
    () => false,
  )
  if (namespaces) return { prefix, ids: {} }
  if (owner)
    throw new Error(`${dataDir} belongs to root, who cannot run PostgreSQL here: chown it.`)
  return { prefix: [], ids: somebody }
}

/** PostgreSQL insists that its user has a name. */
async function findUser(names: string[]): Promise<{ uid: number; gid: number }> {
  const passwd = await readFile('/etc/passwd', 'utf8')
  const users = passwd.split('\n').map((line) => line.split(':'))
  for (const name of names) {
    const user = users.find(([userName]) => userName === name)
    if (user) return { uid: Number(user[2]), gid: Number(user[3]) }
  }
  throw new Error(
    `PostgreSQL does not run as root, and there is no user ${names.join(' or ')}. ` +
      'Start Kassa as an ordinary user, or set DATABASE_URL.',
  )
}
