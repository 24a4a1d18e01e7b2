import fc from 'fast-check'
import type { Caller } from '../../server/caller.ts'
import { createSessionCache } from '../../server/session-cache.ts'
import { assert, suite } from '../lib/suite.ts'

const test = suite('session cache, any order of events')

const [users, sessionsPerUser] = [3, 2]
const tokenOf = (user: number, session: number) => `token-${user}-${session}`

/** A question is asked and, any time later, answered; in between things change and are notified. */
const event = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    user: fc.nat(users - 1),
    session: fc.nat(sessionsPerUser - 1),
  }),
  fc.record({ kind: fc.constant('answer' as const), which: fc.nat(20) }),
  fc.record({
    kind: fc.constant('session ends' as const),
    user: fc.nat(users - 1),
    session: fc.nat(sessionsPerUser - 1),
  }),
  fc.record({ kind: fc.constant('user changes' as const), user: fc.nat(users - 1) }),
  fc.record({ kind: fc.constant('notifications lost' as const) }),
)

test('never gives what was true before something was forgotten', () => {
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      (events, size) => {
        const cache = createSessionCache(size)
        /** What is true of each session, as a number that grows. */
        const truth = new Map<string, number>()
        const change = (user: number, session: number) => {
          const token = tokenOf(user, session)
          truth.set(token, (truth.get(token) ?? 0) + 1)
        }
        const asked: (() => void)[] = []
        for (const step of events) {
          switch (step.kind) {
            case 'ask': {
              const token = tokenOf(step.user, step.session)
              const keep = cache.expectAnswer()
              const version = truth.get(token) ?? 0
              asked.push(() => keep(token, sessionOf(step.user, version)))
              break
            }
            case 'answer':
              asked.splice(step.which % (asked.length + 1), 1)[0]?.()
              break
            case 'session ends':
              change(step.user, step.session)
              cache.forgetSession(tokenOf(step.user, step.session))
              break
            case 'user changes':
              for (let session = 0; session < sessionsPerUser; session += 1)
                change(step.user, session)
              cache.forgetUser(`user-${step.user}`)
              break
            case 'notifications lost':
              cache.forgetAll()
              break
            default:
              throw step satisfies never
          }
          checkAll()
        }

        function checkAll(): void {
          for (let user = 0; user < users; user += 1) {
            for (let session = 0; session < sessionsPerUser; session += 1) {
              const token = tokenOf(user, session)
              const found = cache.find(token)
              if (found) assert.is(found.createdAtMs, truth.get(token) ?? 0)
            }
          }
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('keeps an answer when nothing was forgotten', () => {
  const cache = createSessionCache(10)
  cache.expectAnswer()(tokenOf(1, 1), sessionOf(1, 7))
  assert.is(cache.find(tokenOf(1, 1))?.createdAtMs, 7)
})

/** A session whose time of creation says which version of the truth it is. */
function sessionOf(user: number, version: number) {
  const caller: Caller = {
    role: 'operator',
    userId: `user-${user}`,
    sessionId: 'session',
    email: 'operator@example.com',
    username: null,
    name: null,
  }
  return { caller, createdAtMs: version, seenAtMs: 0 }
}

test.run()
