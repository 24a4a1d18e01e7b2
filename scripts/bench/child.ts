/**
 * What is measured runs in a process of its own, asked over IPC: `startChild` on this side,
 * `answerCalls` on the other.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'

interface Call {
  id: number
  method: string
  input: unknown
}

interface Reply {
  id: number
  output?: unknown
  error?: string
}

export interface Child {
  /** Calls one of the other side's methods; whoever asks knows the type of its answer. */
  call<T = void>(method: string, input?: unknown): Promise<T>
  stop(): Promise<void>
}

export interface ChildOptions {
  env?: NodeJS.ProcessEnv
  /** Folder for a profile of its processor time (`node --cpu-prof`), if one is wanted. */
  profileDir?: string | undefined
}

/** Starts a program of the bench. Its log goes nowhere, its errors to the terminal. */
export function startChild(program: URL, { env, profileDir }: ChildOptions = {}): Child {
  const { PATH } = process.env
  const execArgv = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const child = fork(program, {
    env: { PATH, ...env },
    execArgv,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0

  child.on('message', ({ id, output, error }: Reply) => {
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(output)
    else call?.reject(new Error(error))
  })
  child.on('exit', (code, signal) => {
    for (const call of waiting.values()) {
      call.reject(new Error(`${program.pathname} has ended: ${signal ?? code}`))
    }
    waiting.clear()
  })

  return {
    call<T>(method: string, input?: unknown) {
      calls += 1
      const call = Promise.withResolvers<unknown>()
      waiting.set(calls, call)
      child.send({ id: calls, method, input } satisfies Call, (error) => {
        if (error) call.reject(error)
      })
      return call.promise as Promise<T>
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

export type Methods = Record<string, (input: never) => unknown>

/** Answers the parent's calls; when the parent lets go or is gone, closes and ends the process. */
export function answerCalls(methods: Methods, close: () => Promise<void>): void {
  process.on('message', async ({ id, method, input }: Call) => {
    const reply = await Promise.resolve(input)
      .then((value) => methods[method]!(value as never))
      .then(
        (output): Reply => ({ id, output }),
        (error: unknown): Reply => ({ id, error: String(error) }),
      )
    process.send?.(reply)
  })
  process.on('disconnect', () => void close().finally(() => process.exit()))
}
