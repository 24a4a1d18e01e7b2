import type { z } from 'zod'
import type { Caller } from '../caller.ts'
import type { Deps } from '../deps.ts'
import { recordAct } from '../flows/audit.ts'
import { Refusal, type RefusalCode, refuseField } from '../refusals.ts'
import type { Entry } from '../sessions.ts'
import { parseInput } from './input.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * Who may call a route: anyone, and no session is read; a visitor, who may be signed in or not; or
 * those of one role or several.
 */
export type Access = 'anyone' | 'visitor' | Caller['role'] | readonly Caller['role'][]

type CallerOf<A extends Access> = A extends 'anyone'
  ? undefined
  : A extends 'visitor'
    ? Caller | undefined
    : A extends readonly (infer Role)[]
      ? Extract<Caller, { role: Role }>
      : Extract<Caller, { role: A }>

export interface ResponseSpec {
  description: string
  /** JSON, unless `contentType` says otherwise. Left out: a response without a body. */
  body?: z.ZodType
  /** For a body that is a string of another type, such as `text/html`. */
  contentType?: string
  /**
   * For a body that is sent in one of several types, with what is in each: the answer names it in its
   * `Content-Type`.
   */
  contentTypes?: Readonly<Record<string, z.ZodType>>
  /** Headers worth telling, with what they mean. */
  headers?: Readonly<Record<string, string>>
}

export type ResponseSpecs = Readonly<Record<number, ResponseSpec>>

/** Parameters of the path and the query; each arrives as a string, a repeated one is refused. */
type Parameters = z.ZodObject

export interface RouteSpec<
  A extends Access = Access,
  P extends Parameters = Parameters,
  Q extends Parameters = Parameters,
  B extends z.ZodType = z.ZodType,
  R extends ResponseSpecs = ResponseSpecs,
> {
  method: Method
  /** As in OpenAPI: `/v1/transfers/{id}`. */
  path: string
  summary: string
  description?: string
  tags: readonly string[]
  caller: A
  params?: P
  query?: Q
  body?: B
  /** Whether the body may also be form fields (`application/x-www-form-urlencoded`). */
  form?: boolean
  /** The most bytes of a body, where it is more than usual. */
  bodyLimitBytes?: number
  /** The body is of this type and is read by the handler as it arrives (`uploadBody`). */
  upload?: { contentType: string; limitBytes: number }
  /** Whether `Idempotency-Key` means something here, or is needed; it is read everywhere and told in OpenAPI. */
  idempotent?: boolean | 'required'
  responses: R
  /** What this route may refuse, beyond what every route may. */
  refusals: readonly RefusalCode[]
  /** False: an operator's call is not written down. Only for what concerns nobody else. */
  audited?: false
  /** Whether it starts a session (`signIn` in the answer). */
  startsSession?: boolean
  /** Left out of the OpenAPI document. */
  hidden?: boolean
}

/** What every handler is told about the request, whatever its route. */
export interface RequestFacts {
  /** Up to 255 bytes, chosen by the caller. */
  idempotencyKey: string | undefined
  requestId: string
  /** The address that the request came from, as far as it can be trusted. */
  address: string
}

export interface RouteRequest<
  A extends Access,
  P extends Parameters,
  Q extends Parameters,
  B extends z.ZodType,
> extends RequestFacts {
  params: z.output<P>
  query: z.output<Q>
  body: z.output<B>
  caller: CallerOf<A>
}

interface AnswerFrame {
  headers?: Readonly<Record<string, string>>
  /** Starts a session of this user, with a new id, in place of the one that the request came with. */
  signIn?: Entry
  /** Ends the session that the request came with. */
  signOut?: boolean
}

/** One of the route's responses: the status decides the type of the body. */
export type Answer<R extends ResponseSpecs> = {
  [S in keyof R & number]: AnswerFrame & { status: S } & (R[S] extends {
      body: infer Body extends z.ZodType
    }
      ? { body: z.output<Body> }
      : { body?: undefined })
}[keyof R & number]

/** A request before validation. */
export interface RawRequest extends RequestFacts {
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, unknown>>
  /** Reads the body; it is called only after the caller was found to be allowed. */
  readBody(): Promise<unknown>
  caller: Caller | undefined
}

export interface RawAnswer extends AnswerFrame {
  status: number
  body?: unknown
}

export interface Route {
  spec: RouteSpec
  /** Validates the request by the route's schemas and carries it out. */
  run(deps: Deps, request: RawRequest): Promise<RawAnswer>
}

/**
 * Defines a route. The schemas give the handler its types, validate what arrives and make the
 * OpenAPI document.
 */
export function defineRoute<
  const A extends Access,
  const R extends ResponseSpecs,
  P extends Parameters = z.ZodObject<Record<never, never>>,
  Q extends Parameters = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(
  spec: RouteSpec<A, P, Q, B, R>,
  handle: (deps: Deps, request: RouteRequest<A, P, Q, B>) => Promise<Answer<NoInfer<R>>>,
): Route {
  return {
    spec,
    async run(deps, raw) {
      const caller = authorize(spec.caller, raw.caller)
      if (spec.idempotent === 'required' && raw.idempotencyKey === undefined) throw refuseKeyless()
      const request = {
        idempotencyKey: raw.idempotencyKey,
        requestId: raw.requestId,
        address: raw.address,
        caller,
        params: parseInput(spec.params, raw.params, 'path'),
        query: parseInput(spec.query, raw.query, 'query'),
        // Without one every field was left out: which of them are missing is told by name.
        body: parseInput(spec.body, spec.body && ((await raw.readBody()) ?? {})),
      }
      if (raw.caller?.role === 'operator' && spec.audited !== false) {
        await recordAct(deps, raw.caller, { action: `${spec.method} ${spec.path}`, ...request })
      }
      return handle(deps, request)
    },
  }
}

const refuseKeyless = () =>
  refuseField({ in: 'header', pointer: 'Idempotency-Key', message: 'is needed here' })

/** Whether a caller of this role may use a route of this access. */
export function allows(access: Access, role: Caller['role']): boolean {
  const isOpen = access === 'anyone' || access === 'visitor'
  return isOpen || (Array.isArray(access) ? access.includes(role) : access === role)
}

function authorize<A extends Access>(access: A, caller: Caller | undefined): CallerOf<A> {
  if (access === 'anyone') return undefined as CallerOf<A>
  if (access === 'visitor') return caller as CallerOf<A>
  if (!caller) throw new Refusal('not_signed_in')
  if (!allows(access, caller.role)) throw new Refusal('role_not_allowed')
  return caller as CallerOf<A>
}
