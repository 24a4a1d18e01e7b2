/** Looking wallets up in PostgreSQL: all that is asked at about the same time by one query of a kind. */
import type { Database } from '../../db/database.ts'
import {
  findWallets,
  findWalletsByNumber,
  findWalletsOfUsernames,
  type Wallet,
} from '../../db/wallets.ts'

export interface WalletFinder {
  /** By a UUID. */
  byId(id: string): Promise<Wallet | undefined>
  /** By decimal digits. */
  byNumber(number: string): Promise<Wallet | undefined>
  /** An active customer's open ones, oldest first; undefined when there are none. */
  ofUsername(username: string): Promise<Wallet[] | undefined>
}

/** Looks wallets up, those that are asked for in one turn of the event loop together. */
export function findIn(db: Database): WalletFinder {
  const byNumber = joined((numbers: readonly string[]) => findWalletsByNumber(db, numbers))
  return {
    byId: joined((ids) => findWallets(db, ids)),
    byNumber: (number) => byNumber(String(BigInt(number))),
    ofUsername: joined((usernames) => findWalletsOfUsernames(db, usernames)),
  }
}

/** Joins questions of one turn of the event loop into one, each key in it once. */
function joined<Found>(
  find: (keys: readonly string[]) => Promise<Map<string, Found>>,
): (key: string) => Promise<Found | undefined> {
  let keys = new Set<string>()
  let answer: Promise<Map<string, Found>> | undefined

  function ask(): Promise<Map<string, Found>> {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        const asked = [...keys]
        keys = new Set()
        answer = undefined
        find(asked).then(resolve, reject)
      })
    })
  }

  return async (key) => {
    keys.add(key)
    answer ??= ask()
    return (await answer).get(key)
  }
}
