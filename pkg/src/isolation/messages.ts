// The messages between a page and the worker that keeps its token. Each page has its own port. No message to the page
// has a member for a token, and no message to the worker changes an option.

import type { Api } from '../covers.js'
import type { TokenErrorCode } from '../error.js'
import type { TokenManagerEventMap, Tokens, TokenState } from '../types.js'

/** The version of the message format. A page with another version gets an error. */
export const VERSION = 1

/**
 * How many chunks of a body may be in flight to the page at once. It asks for another with each chunk that it takes.
 */
export const AHEAD = 4

/** The manager's methods, other than `fetch`, that a page can call. */
export type Method = 'exchange' | 'known' | 'login' | 'logout' | 'refresh' | 'setTokens' | 'signedIn'

/** Facts that only a page knows. A page can lie about them, so the worker reveals no secret because of them. */
export interface Facts {
  /**
   * The values of the cookies that the options name. `undefined`: there is no such cookie. `null`: it cannot be read.
   */
  cookies: Record<string, string | null | undefined>
  /** Whether a service worker controls the page. */
  controlled: boolean
  /** Whether the page is visible. */
  visible: boolean
}

/** A body in a form that can be cloned. A stream is transferred. A body marked `later` follows in its own message. */
export type Body =
  | string
  | ArrayBuffer
  | Blob
  | ReadableStream
  | { params: string }
  | { form: [name: string, value: FormDataEntryValue][] }
  | { later: true }

/** A request, as it was when the caller made it. */
export interface WireRequest {
  url: string
  /** Members of `RequestInit` that are plain values. */
  init: RequestInit
  body?: Body | undefined
}

/** A response without its body, which follows in chunks under the number `stream`. */
export interface WireResponse {
  status: number
  statusText: string
  headers: [name: string, value: string][]
  url: string
  type: ResponseType
  redirected: boolean
  stream?: number | undefined
}

/** A `TokenError`, an error of the platform, or a thrown value that is not an error. */
export type WireError =
  | {
      is: 'token'
      code: TokenErrorCode
      message: string
      retryable: boolean
      status?: number | undefined
      cause?: WireError | WireResponse | undefined
    }
  | { is: 'platform'; class: string; name: string; message: string }
  | { is: 'value'; value: unknown }

/**
 * Sent by a page that has spoken to an earlier life of the worker: the id of its last logout call, and the last stream
 * number that may be taken.
 */
export interface Resumes {
  left: number
  streams: number
}

/** Messages to the worker. The first is `hello`; messages before it are ignored. */
export type ToWorker =
  | {
      kind: 'hello'
      version: number
      options: Record<string, unknown>
      marks: Record<string, string>
      maybeSignIn: boolean
      resumes?: Resumes
    }
  | { kind: 'facts'; facts: Facts }
  /** The marks in localStorage have changed. */
  | { kind: 'marks'; marks: Record<string, string> }
  /** The page was shown again from the back/forward cache. */
  | { kind: 'shown'; persisted: boolean }
  | { kind: 'fetch'; id: number; request: WireRequest }
  | { kind: 'call'; id: number; method: Method; request?: WireRequest | undefined; tokens?: Tokens | undefined }
  /** The body that was marked `later`. */
  | { kind: 'body'; id: number; body?: Blob | undefined }
  | { kind: 'abort'; id: number }
  /** Asks for one more chunk of a stream. */
  | { kind: 'pull'; stream: number }
  /** The page reads no more of the stream. */
  | { kind: 'cancel'; stream: number }
  /** The page is closing, or its manager was disposed. */
  | { kind: 'bye'; disposed: boolean }

/** Messages to the page. */
export type ToPage =
  /** `apis`: who may receive the token. `cookies`: the names of the cookies whose values the worker needs. */
  | { kind: 'welcome'; version: number; apis: Api[]; cookies: string[] }
  | { kind: 'ready' }
  | { kind: 'failed'; error: WireError }
  /** `left`: the id of the page's last logout call that this state takes into account. */
  | { kind: 'state'; state: TokenState; left: number }
  | { kind: 'event'; type: keyof TokenManagerEventMap; members: Record<string, unknown>; error?: WireError | undefined }
  | { kind: 'mark'; key: string; text?: string | undefined }
  | { kind: 'response'; id: number; response: WireResponse }
  | { kind: 'done'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'chunk'; stream: number; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'end'; stream: number }
  | { kind: 'broken'; stream: number; error: WireError }
