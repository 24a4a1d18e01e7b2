import {
  at,
  type EvictionReason,
  protocolOperations,
  release,
  releaseOldest,
  requestAt,
} from './header.ts'
import { operations, type StateMachine } from './state-machine.ts'

const registerBodyBytes = 256
const stateMachineOperations = new Set<number>(Object.values(operations))

/**
 * Whether a request (header at `o` of `view`) is one that can be executed at all, whoever sent it:
 * how many timestamps it takes, or why its client is evicted. In the real server's order.
 */
export function admit(
  stateMachine: StateMachine,
  view: DataView,
  o: number,
  body: Uint8Array,
): number | EvictionReason {
  const reason = unsupportedRelease(view, o)
  if (reason !== null) return reason
  const operation = view.getUint8(o + requestAt.operation)
  if (operation === protocolOperations.register) {
    if (body.byteLength !== registerBodyBytes) return 'invalidBodySize'
    return body.every((byte) => byte === 0) ? 0 : 'invalidBody'
  }
  if (operation === protocolOperations.noop) return 0
  if (!stateMachineOperations.has(operation)) return 'invalidOperation'
  return stateMachine.countEvents(operation, body) ?? 'invalidBody'
}

/** Why a client of this release (in the header at `o`) is not served, or null when it is. */
export function unsupportedRelease(view: DataView, o: number): EvictionReason | null {
  const client = view.getUint32(o + at.release, true)
  if (client < releaseOldest) return 'releaseTooLow'
  return client > release ? 'releaseTooHigh' : null
}
