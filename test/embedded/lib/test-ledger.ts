import { Replica } from '../../../embedded/ledger/replica.ts'
import { listen } from '../../../embedded/ledger/server.ts'
import { createStateMachine } from '../../../embedded/ledger/state-machine.ts'

/** A ledger in memory behind a real socket, with the lines that it reported. */
export interface TestLedger {
  readonly address: string
  readonly replica: Replica
  readonly lines: string[]
  close(): Promise<void>
}

export async function startTestLedger(stallLimitMs = 30_000): Promise<TestLedger> {
  const lines: string[] = []
  const clock = () => BigInt(Date.now()) * 1_000_000n
  const replica = new Replica({ stateMachine: createStateMachine(), clock })
  const report = (line: string) => lines.push(line)
  const at = { host: '127.0.0.1', port: 0 }
  const { address, close } = await listen({ ...at, replica, report, stallLimitMs })
  return { address, replica, lines, close }
}
