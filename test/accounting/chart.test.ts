import { data } from 'currency-codes'
import {
  addOwnAsset,
  assetOf,
  assetOfLedger,
  controlOf,
  ownLedgerMin,
} from '../../accounting/chart.ts'
import { iso4217 } from '../../accounting/iso-4217.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('chart')

/** Codes of the standard that have no minor unit: metals, units of account, for testing, for none. */
const withoutMinorUnit = new Set([
  'XAG',
  'XAU',
  'XPD',
  'XPT',
  'XBA',
  'XBB',
  'XBC',
  'XBD',
  'XDR',
  'XSU',
  'XTS',
  'XUA',
  'XXX',
])

test("the chart has every currency of ISO 4217, by the standard's numbers and decimals", () => {
  const chart = new Map(iso4217.map(([currency, ...numbers]) => [currency as string, numbers]))
  assert.is(chart.size, iso4217.length)
  for (const { code, number, digits } of data) {
    if (withoutMinorUnit.has(code)) continue
    const [ledger, scale] = chart.get(code) ?? []
    assert.equal({ code, ledger, scale }, { code, ledger: Number(number), scale: digits })
    assert.is(assetOf(code), assetOfLedger(Number(number)))
  }
})

test('no two ledgers of the chart are the same, control ledgers included', () => {
  const assets = iso4217.map(([currency]) => assetOf(currency))
  const ledgers = assets.flatMap((asset) => [asset.ledger, controlOf(asset).ledger])
  assert.is(new Set(ledgers).size, 2 * iso4217.length)
  assert.ok(assets.every(({ ledger }) => ledger < ownLedgerMin))
})

test('an own asset is added once, and never with other numbers', () => {
  const asset = { currency: 'CHARTTEST', ledger: 998_877_665, scale: 6 }
  addOwnAsset(asset)
  addOwnAsset({ ...asset })
  assert.equal(assetOf('CHARTTEST'), asset)
  assert.is(controlOf(asset).ledger, 1_998_877_665)
  for (const other of [
    { ...asset, scale: 2 },
    { ...asset, ledger: 998_877_664 },
    { ...asset, currency: 'CHARTTEST2' },
    { ...asset, currency: 'USD' },
  ]) {
    assert.throws(() => addOwnAsset(other), /is not the one that the chart knows/)
  }
  for (const wrong of [
    { ledger: 999_999 },
    { ledger: 1_000_000_000 },
    { scale: 19 },
    { scale: -1 },
  ]) {
    const asked = { currency: 'CHARTTEST3', ledger: 998_877_663, scale: 6, ...wrong }
    assert.throws(() => addOwnAsset(asked), RangeError)
  }
})

test.run()
