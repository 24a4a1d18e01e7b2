/** Requests and what was answered, and how an answer is held against the model. */
import type { Json } from '../http.ts'
import type { AdjustmentKind } from './adjustments.ts'
import type { Currency } from './amounts.ts'
import type { LimitedKind, Window } from './budgets.ts'
import type { Operation, Schedule } from './fees.ts'
import type { Rate } from './quotes.ts'
import type { Settings } from './settings.ts'
import type { Model } from './state.ts'

/** What somebody who pays writes down. */
export interface PayTerms {
  userId: string
  from?: string | undefined
  to: { wallet: string } | { username: string; userId: string }
  amount: string
  currency?: Currency | undefined
  memo?: string | undefined
  key?: string | undefined
}

/** Payments that are sent together. */
interface BatchTerms {
  userId: string
  atomic: boolean
  items: readonly BatchItem[]
  key?: string | undefined
}

type BatchItem = Omit<PayTerms, 'userId' | 'key'>

/** What a batch whose payments succeed or fail each for itself consists of for the model. */
export type ModelPart =
  | ({ kind: 'batch claim' } & BatchTerms)
  | ({ kind: 'batch item'; item: BatchItem; index: number } & Omit<BatchTerms, 'items'>)

/** What somebody asks for. */
export type ModelRequest =
  | ({ kind: 'transfer' } & PayTerms)
  | ({ kind: 'hold'; seconds: number } & PayTerms)
  | {
      kind: 'capture'
      userId: string
      id: string
      amount?: string | undefined
      isFinal: boolean
      key?: string | undefined
    }
  | { kind: 'void'; userId: string; id: string }
  | {
      kind: 'deposit'
      system: string
      wallet: string
      amount: string
      currency: Currency
      reference: string
      isForSuspense: boolean
    }
  | { kind: 'reversal'; system: string; id: string; amount?: string | undefined; reference: string }
  | { kind: 'assign'; id: string; wallet: string }
  | { kind: 'return'; id: string }
  | {
      kind: 'refund'
      userId: string | undefined
      id: string
      amount?: string | undefined
      key?: string | undefined
    }
  | {
      kind: 'request'
      userId: string
      payer: string
      wallet: string
      amount: string
      seconds: number
      key?: string | undefined
    }
  | { kind: 'accept'; userId: string; id: string; from?: string | undefined }
  | { kind: 'decline'; userId: string; id: string }
  | { kind: 'cancel'; userId: string; id: string }
  | { kind: 'block'; userId: string; username: string }
  | { kind: 'unblock'; userId: string; username: string }
  | {
      kind: 'withdrawal'
      userId: string
      wallet: string
      amount: string
      system: string
      key?: string | undefined
    }
  | { kind: 'cancel withdrawal'; userId: string; id: string }
  | { kind: 'take'; system: string; id: string; key: string }
  | { kind: 'confirm'; system: string; id: string; told: string }
  | { kind: 'fail'; system: string; id: string; told: string }
  | { kind: 'freeze'; wallet: string }
  | { kind: 'thaw'; wallet: string }
  | { kind: 'close'; userId: string; wallet: string }
  | {
      kind: 'schedule'
      operation: Operation
      currency: Currency
      schedule: Schedule
      key?: string | undefined
    }
  | {
      kind: 'adjustment'
      adjustment: AdjustmentKind
      currency: Currency
      amount: string
      /** Whom or what it concerns besides the house; which of it there is depends on the kind. */
      system?: string
      userId?: string
      wallet?: string
      deposit?: string
      key?: string | undefined
    }
  | {
      kind: 'limit'
      userId: string
      limited: LimitedKind
      currency: Currency
      window: Window
      amount: string | null
      key: string
    }
  | {
      kind: 'default limit'
      limited: LimitedKind
      currency: Currency
      window: Window
      amount: string | null
      key: string
    }
  | ({ kind: 'batch' } & BatchTerms)
  | { kind: 'rate'; rate: Rate; key: string }
  | {
      kind: 'quote'
      userId: string
      from: Currency
      to: Currency
      amount: string
      side: 'sell' | 'buy'
      seconds: number
    }
  | {
      kind: 'exchange'
      userId: string
      quoteId: string
      from?: string | undefined
      to?: string | undefined
    }
  | ({ kind: 'pay by quote'; quoteId: string } & Pick<PayTerms, 'userId' | 'from' | 'to'>)

export type Kind = (ModelRequest | ModelPart)['kind']
export type RequestOf<K extends Kind> = Extract<ModelRequest | ModelPart, { kind: K }>

/** What was answered: the body of what has happened, or the code of why not. */
export interface Answer {
  code?: string | undefined
  body: Json
  isReplay: boolean
}

/** A request and its answer, which came in the end, perhaps at the third try. */
export interface Exchange<Request extends ModelRequest | ModelPart = ModelRequest | ModelPart> {
  readonly request: Request
  readonly answer: Answer
  /** When it was sent first, and when the answer came; milliseconds since 1970. */
  readonly sentAt: number
  readonly answeredAt: number
  /** An earlier try may have been carried out without anybody being told. */
  readonly isDoubtful: boolean
  /** What has happened before, of the same round. */
  readonly after?: Exchange | undefined
}

/** The exchange of a whole request. */
export type Sent = Exchange<ModelRequest>

/** What else was on its way at the same time, as far as it lets more answers be right. */
export interface Circumstances {
  /**
   * Wallets that were shut for a moment, or perhaps: by an attempt to close them, or by a freeze of
   * which nobody was told when it began and ended.
   */
  readonly flickering: ReadonlySet<string>
  /** People from whom deposits were taken back, `user currency`. */
  readonly reversing: ReadonlySet<string>
  /** Payments and deposits of which several parts were given back. */
  readonly refunding: ReadonlySet<string>
  /** Keys that more than one request had. */
  readonly shared: ReadonlySet<string>
  /** People to whom something was given back that counts for their limits. */
  readonly returning: ReadonlySet<string>
  /** What operators have set, up to now. */
  readonly settings: Settings
}

/** The models in which the answer is the right one, which are mostly one or none. */
export type Step<K extends Kind> = StepOf<RequestOf<K>>

export type StepOf<Request extends ModelRequest | ModelPart> = (
  model: Model,
  exchange: Exchange<Request>,
  circumstances: Circumstances,
) => Model[]
