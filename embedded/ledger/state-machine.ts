import { State } from './state/state.ts'

export { isRead, operations } from './state/operations.ts'

/**
 * One append-only list of the saved state. Bytes below `byteLength` never change again, and the
 * next snapshot's section continues where this one ends; so a snapshot file only ever grows by the
 * new bytes, which may be written any time later without stopping commits.
 */
export interface SnapshotSection {
  readonly name: string
  /** Bytes of one row; `byteLength` is a multiple of it. */
  readonly rowBytes: number
  readonly byteLength: number
  /** Views (not copies) on the bytes from `start` to before `end`, at most `byteLength`. */
  slices(start: number, end: number): Iterable<Uint8Array>
}

/** A consistent cut of the state, made in constant time. */
export interface StateSnapshot {
  /** Small (well under 4 KiB), different in every snapshot, to be saved whole. */
  readonly header: Uint8Array
  /** Always the same names in the same order. */
  readonly sections: readonly SnapshotSection[]
}

/** Where a snapshot is read from: the header, and each section's bytes in pieces of any size. */
export interface SavedState {
  readonly header: Uint8Array
  section(name: string): Iterable<Uint8Array>
}

/**
 * The ledger's rules as a pure, synchronous function of its inputs: no clock, no input or output.
 * The same calls with the same timestamps give the same bytes.
 */
export interface StateMachine {
  /**
   * How many timestamps (nanoseconds) a request body takes: its number of events for the two create
   * operations, 0 for reads. Null when the operation is unknown or the body is not well formed
   * (multi-batch trailer, event size, too many events, an answer that cannot fit the reply).
   */
  countEvents(operation: number, body: Uint8Array): number | null
  /**
   * Executes one request body, multi-batch trailer included, that `countEvents` has accepted.
   * Of n events the last has `timestamp` (nanoseconds), each one more than the one before; the
   * first must be later than this machine's `timestamp`. Reads may come at any time. Returns the
   * reply body with its own trailer: a view on a buffer that the next commit reuses.
   */
  commit(operation: number, body: Uint8Array, timestamp: bigint): Uint8Array
  /** When (nanoseconds) the next pending transfer expires; 0n when none does. */
  readonly nextExpiry: bigint
  /**
   * Expires pending transfers that are due at `timestamp` (nanoseconds), at most 8,189 a call:
   * call again while `nextExpiry` is due.
   */
  expire(timestamp: bigint): void
  /** The highest timestamp (nanoseconds) that any commit, expiry or imported event has used. */
  readonly timestamp: bigint
  snapshot(): StateSnapshot
}

/** A new state machine: empty, or as it was saved. Throws when the saved bytes make no sense. */
export function createStateMachine(saved?: SavedState): StateMachine {
  return new State(saved)
}
