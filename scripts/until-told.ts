const parentCheckMs = 500

/**
 * Waits for SIGINT, SIGTERM or SIGHUP; or for the death of npm when npm has started us, because then
 * nobody is left who would pass a signal on. Both the terminal and npm send SIGINT, so it can come
 * twice for one Ctrl-C: the handlers stay and swallow the second.
 */
export function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => resolve())
    }
    const parent = process.ppid
    if (process.env.npm_lifecycle_event === undefined) return
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      resolve()
    }, parentCheckMs)
  })
}
