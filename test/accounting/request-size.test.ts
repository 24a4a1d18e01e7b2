import { createLedger, RequestTooLarge } from '../../accounting/client.ts'
import { zeroTransfer } from '../embedded/lib/zero.ts'
import { ledgerOptions } from '../lib/ledger.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('size of requests')

test('what the server does not take is not sent, and known from then on', async () => {
  const ledger = await createLedger(ledgerOptions())
  try {
    assert.is(ledger.largestRequest(), 8_189)
    const many = (length: number) => Array.from({ length }, () => zeroTransfer)
    await assert.rejects(
      ledger.createTransfers(many(8_190)),
      (error) => error instanceof RequestTooLarge,
    )
    assert.is(ledger.largestRequest(), 250)
    assert.is((await ledger.createTransfers(many(250))).length, 250)
  } finally {
    ledger.close()
  }
})

test.run()
