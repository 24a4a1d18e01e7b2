/**
 * Plays the console sessions of a document: as much of a shell and of curl as these use, so that the
 * tests need neither. Sessions are blocks of ```console with lines `$ command` and what it prints.
 */
import { parseArgs } from 'node:util'
import { type Agent, request } from 'undici'
import { createAgent } from './http.ts'

export interface Step {
  command: string
  /** What the document shows after the command. */
  output: string
}

/** The commands of all console blocks of a document, with continued lines joined. */
export function readSteps(document: string): Step[] {
  const blocks = [...document.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(
    ([, text = '']) => text,
  )
  return blocks.flatMap((block) =>
    block
      .replaceAll('\\\n', ' ')
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...output] = step.split('\n')
        return { command, output: output.join('\n').trim() }
      }),
  )
}

export interface Shell {
  /** Carries out an assignment or a curl; answers what it prints. */
  run(command: string): Promise<string>
  close(): Promise<void>
}

export function createShell(): Shell {
  const agent = createAgent()
  const variables = new Map<string, string>()
  /** Cookies by the name of the file that curl keeps them in. */
  const jars = new Map<string, string>()

  async function run(command: string): Promise<string> {
    const captured = /^(\w+)=\$\((curl .*) \| sed '(.*)'\)$/.exec(command)
    if (captured) {
      const [, name = '', inner = '', script = ''] = captured
      variables.set(name, substitute(await run(inner), script))
      return ''
    }
    const [first = '', ...rest] = readWords(command, variables)
    const assignment = /^(\w+)=(.*)$/s.exec(first)
    if (assignment?.[1] && rest.length === 0) {
      variables.set(assignment[1], assignment[2] ?? '')
      return ''
    }
    if (first === 'curl') return curl(rest, jars, agent)
    throw new Error(`a command that the tests cannot play: ${command}`)
  }

  return { run, close: () => agent.close() }
}

/** Words as a POSIX shell splits them: quotes, and variables outside of single quotes. */
function readWords(command: string, variables: ReadonlyMap<string, string>): string[] {
  const expand = (text: string) => text.replace(/\$(\w+)/g, (_, name) => variables.get(name) ?? '')
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []
  return words.map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, single, double, bare) =>
      single === undefined ? expand(double ?? bare) : single,
    ),
  )
}

/** `s/pattern/\1/` on each line. */
function substitute(text: string, script: string): string {
  const pattern = /^s\/(.*)\/\\1\/$/.exec(script)?.[1]
  if (pattern === undefined) throw new Error(`a sed script that the tests cannot play: ${script}`)
  return text.replace(new RegExp(pattern.replaceAll('\\(', '(').replaceAll('\\)', ')')), '$1')
}

async function curl(words: string[], jars: Map<string, string>, agent: Agent): Promise<string> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      silent: { type: 'boolean', short: 's' },
      user: { type: 'string', short: 'u' },
      cookie: { type: 'string', short: 'b' },
      'cookie-jar': { type: 'string', short: 'c' },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
      data: { type: 'string', short: 'd' },
    },
  })
  const { user, cookie, 'cookie-jar': jar, header, data } = values
  const headers = Object.fromEntries(
    header.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  if (user !== undefined) headers.Authorization = `Basic ${Buffer.from(user).toString('base64')}`
  if (cookie !== undefined) headers.Cookie = jars.get(cookie) ?? ''
  const method = data === undefined ? 'GET' : 'POST'
  const body = data ?? null
  const reply = await request(positionals[0] ?? '', { method, headers, body, dispatcher: agent })
  const cookies = [reply.headers['set-cookie'] ?? []].flat().map((line) => line.split(';', 1)[0])
  if (jar !== undefined) jars.set(jar, cookies.join('; '))
  return reply.body.text()
}
