import { ledgerBreakKinds } from '../../server/reconciliation/ledger-break-kinds.ts'
import { recordBreakKinds } from '../../server/reconciliation/records/kinds.ts'
import { readDocument } from '../lib/examples.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('docs/reconciliation.md')

test('tells cause and remedy of each kind of break as the program does', async () => {
  const document = await readDocument('docs/reconciliation.md')
  const [, kinds = ''] = document.split('\n## Kinds of breaks\n')
  const rows = [...kinds.matchAll(/^\| `([a-z_]+)` \| (.*?) \| (.*?) \|$/gm)]
  const documented = rows.map(([, kind, cause, remedy]) => [kind, { cause, remedy }])
  assert.equal(Object.fromEntries(documented), { ...ledgerBreakKinds, ...recordBreakKinds })
})

test.run()
