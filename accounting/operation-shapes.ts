/**
 * The chains that flows make: for each operation its legs, in their order. A leg is a code of the chart,
 * with `:pending`, `:post` or `:void` unless it moves at once; `?`, `*`, `+`, `|` and brackets mean what
 * they mean in a regular expression. A transfer alone is a chain of one.
 */
import { ControlCode, TransferCode } from './chart.ts'
import { type Phase, phaseOf } from './transfers.ts'

const shapes = [
  // Money from outside, and back.
  'budget_use:pending* deposit fee? chargeback_payment?',
  'suspense suspense_release:pending',
  'suspense_release:post suspense_assignment chargeback_payment?',
  'suspense_release:post returnable_use? suspense_return',
  'returnable_use chargeback chargeback_payment?',
  'freeze:void returnable_use chargeback chargeback_payment freeze:pending',
  // Payments, several of which can be one chain.
  '( budget_use:pending* payment fee? )+',
  'returnable_grant',
  'refund returnable_use fee_refund?',
  'fee_refund refund returnable_use',
  // Holds.
  'budget_use:pending* hold:pending',
  'hold:post fee? hold:pending?',
  'hold:void budget_use:void*',
  // Payment requests.
  'request_allowance_grant',
  'request:pending',
  'request:post budget_use:pending* payment fee?',
  'request:void',
  // Withdrawals.
  'budget_use:pending* withdrawal:pending withdrawal_take:pending fee:pending?',
  'withdrawal_take:post',
  'withdrawal_take:void withdrawal:void fee:void? budget_use:void*',
  'withdrawal:void fee:void? budget_use:void*',
  'withdrawal:post fee:post?',
  '( freeze:void | closing:void ) withdrawal:post fee:post? freeze:pending',
  // Exchange.
  'quote:pending',
  'quote:post budget_use:pending* exchange_sale exchange_purchase exchange_spread? fee?',
  // How wallets stand.
  'freeze:pending',
  'freeze:void',
  'closing:pending',
  'closing:void closure:pending?',
  // Limits.
  'budget_grant',
  'budget_take',
  'budget_use:void+',
  // What operators ask for; money comes with the approval of an adjustment.
  'approval:pending ( approval:post ADJUSTMENT? )?',
  'approval:post ADJUSTMENT?',
  'approval:void',
]

const adjustment = `( liquidity_funding | liquidity_draining | settlement | prefunding | payment_system_fee
  | payment_system_income | equity_contribution | equity_withdrawal | write_off | reward
  | suspense_release:post suspense_payout )`

const phases: readonly Phase[] = ['single', 'pending', 'post', 'void']
const codes: Readonly<Record<string, number>> = { ...TransferCode, ...ControlCode }

/** Beyond all that means something in a regular expression. */
const firstSign = 0x4000
const codesMax = 256

/** What stands for a leg in the text of a chain: one character. */
export function signOf(code: number, flags: number): string {
  return String.fromCharCode(firstSign + phases.indexOf(phaseOf(flags)) * codesMax + code)
}

function compile(shape: string): string {
  return shape
    .replaceAll('ADJUSTMENT', adjustment)
    .replace(/([a-z_]+)(?::(\w+))?/g, (_, name: string, phase = 'single') => {
      const code = codes[name]
      if (code === undefined || !phases.includes(phase)) throw new Error(`no leg ${name}:${phase}`)
      return String.fromCharCode(firstSign + phases.indexOf(phase) * codesMax + code)
    })
    .replaceAll(/\s/g, '')
}

const anyShape = new RegExp(`^(?:${shapes.map(compile).join('|')})$`)

/** Answers are remembered for chains of at most this many legs, and for this many of them. */
const rememberedLegs = 16
const rememberedMax = 4_096
const remembered = new Map<string, boolean>()

/** Whether a chain, each leg by its sign, is one that a flow makes. */
export function isKnownShape(signs: string): boolean {
  if (signs.length > rememberedLegs) return anyShape.test(signs)
  const known = remembered.get(signs)
  if (known !== undefined) return known
  const isKnown = anyShape.test(signs)
  if (remembered.size < rememberedMax) remembered.set(signs, isKnown)
  return isKnown
}

/** Whether a transfer alone, by its sign, is an operation: looked up without making a text. */
export function isKnownAlone(code: number, flags: number): boolean {
  return code < codesMax && alone[phases.indexOf(phaseOf(flags)) * codesMax + code] === 1
}

const alone = new Uint8Array(phases.length * codesMax)
for (const index of alone.keys()) {
  alone[index] = anyShape.test(String.fromCharCode(firstSign + index)) ? 1 : 0
}
