import { createStateMachine, type StateMachine } from '../../../embedded/ledger/state-machine.ts'

/** A second machine, made of the snapshot of the first. */
export function reopened(machine: StateMachine): StateMachine {
  const { header, sections } = machine.snapshot()
  return createStateMachine({
    header,
    section: (name) => {
      const section = sections.find((one) => one.name === name)
      if (!section) throw new Error(`no section ${name}`)
      return section.slices(0, section.byteLength)
    },
  })
}
