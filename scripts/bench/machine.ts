import { cpus, release, totalmem } from 'node:os'

/** What a run was measured on. */
export function describeMachine() {
  const [cpu] = cpus()
  return {
    processors: `${cpus().length} x ${cpu?.model}`,
    memoryBytes: totalmem(),
    system: `${process.platform} ${release()}`,
    node: process.version,
  }
}
