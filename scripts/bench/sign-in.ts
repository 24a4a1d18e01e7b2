import { Pool } from 'undici'

/** Sign-ins at once. */
const connections = 16

/** Signs all users in at a server; answers their `Cookie` headers, in the same order. */
export async function signInAll(
  url: string,
  emails: readonly string[],
  toRequest: (email: string, user: number) => { path: string; body: object },
): Promise<string[]> {
  const pool = new Pool(url, { connections })
  try {
    return await Promise.all(
      emails.map(async (email, user) => {
        const { path, body } = toRequest(email, user)
        const response = await pool.request({
          method: 'POST',
          path,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        await response.body.dump()
        const lines = [response.headers['set-cookie'] ?? []].flat()
        if (lines.length === 0)
          throw new Error(`${url} answered ${response.statusCode} to ${email}`)
        return lines.map((line) => line.split(';', 1)[0]).join('; ')
      }),
    )
  } finally {
    await pool.close()
  }
}
