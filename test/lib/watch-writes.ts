import type { Database } from '../../db/database.ts'

/** Tells the kind of each query's node after it was carried out, of all queries but those that only read. */
export function watchWrites(db: Database, tell: (kind: string) => void): Database {
  const kinds = new WeakMap<object, string>()
  return db.withPlugin({
    transformQuery({ node, queryId }) {
      kinds.set(queryId, node.kind)
      return node
    },
    async transformResult({ result, queryId }) {
      const kind = kinds.get(queryId) ?? ''
      if (kind !== 'SelectQueryNode') tell(kind)
      return result
    },
  })
}
