// The interface between this TypeScript layer ("the face") and the WebAssembly core. The core decides; the
// face handles the caller's arguments, the platform's `fetch`, and events.

import type { TokenErrorCode, TokenError } from './error.js'
import type { TokenManagerEventMap, TokenState } from './types.js'

/** `Core.depart`: pass the caller's own arguments to the platform. */
export const PASS = -1
/** `Core.depart`: the call must wait; give it to `Core.fetch`, which does everything. */
export const WAIT = -2

/**
 * `Core.redirects`: the platform follows redirects; it does so within the origin only; follow them step by step with probes that lack the
 * token; follow none.
 */
export const FOLLOW = 0
export const SAME_ORIGIN = 1
export const ASK = 2
export const REFUSE = 3

/** See `Core.redirects`. */
export type Guard = (url: string, method: string) => number

/** A snapshot of a request, independent of the caller's objects. */
export interface Call {
  /** The absolute URL, parsed by the platform, without its fragment. */
  readonly url: string
  /** Default: `GET`. */
  readonly method?: string | undefined
  /** Whether the request has its own `Authorization` or is `no-cors`, so that it is not changed. */
  readonly exempt: boolean
  /** The caller's own `Authorization`. */
  readonly authorization: string | undefined
  /** Decides about redirects that must not get the token; set as soon as the core is loaded. */
  guard?: Guard | undefined
  /** `false` if the body is a stream, which can only be sent once. */
  readonly repeatable: boolean
  /** For a login: it has no body, so it has no credentials. */
  readonly bodiless?: boolean
  /** The caller's signal. */
  readonly signal: AbortSignal | undefined
  /**
   * Sends the request with these headers (name, value, name, value, …). A name that begins with `?` is a URL parameter instead. If the call
   * is not repeatable, it can only be sent once.
   */
  send(...headers: string[]): Promise<Response>
  /** For a login or logout: the request that `send` would send. The core sends it, and aborts it after the time-out. */
  request?(...headers: string[]): Request
}

/**
 * An observer of calls. It is called for each call with its URL, without the query, and the result of `Core.depart`, which is `undefined` if the
 * call has its own `Authorization` or is `no-cors`. It returns a function that is called for each sending, with whether that carries the token,
 * and once without an argument for the call as a whole. That function returns another, which is called at the end with the status, or with the
 * name and the code of the error, whatever their types.
 */
export type Watch = (
  url: string,
  way: number | undefined,
  method?: string | undefined,
) => (carries?: boolean) => (status?: number, name?: unknown, code?: unknown) => void

/** The functions that the core calls. None throws, because an exception would unwind the WebAssembly and end the core. */
export interface Host {
  /** Makes an error for the core to throw or reject with. */
  error(code: TokenErrorCode, message: string, retryable: boolean, status?: number, cause?: unknown): TokenError
  /** Sets the new state, which is frozen. Its `change` is dispatched later. */
  state(snapshot: TokenState): void
  /**
   * An event to dispatch later. `detail` is the reason of a `signout`, the challenges of a `stepup`, or the JSON answer of a `refresh`;
   * `error` is that of a `refresherror`, or of a `signout` after a refusal.
   */
  emit(type: Exclude<keyof TokenManagerEventMap, 'change'>, detail: unknown, error: TokenError | undefined): void
  /** Dispatches the events. Listeners may call the core again. */
  dispatch(): void
}

/** The WebAssembly core. Each manager has one. */
export interface Core {
  /** The name of the header that carries the token; for a URL parameter, `?` and its name. */
  readonly header: string
  /**
   * {@link PASS}, {@link WAIT}, or a ticket: send now, with the authorization of that ticket. A ticket may be dropped. Whether
   * the result is {@link PASS} depends on the URL alone; without a URL it never is.
   */
  depart(url?: string): number
  /** The value of the header for a ticket; `undefined` without a session. */
  authorization(ticket: number): string | undefined
  /** Whether redirects need a guard at all. */
  readonly guards: boolean
  /** {@link FOLLOW}, {@link SAME_ORIGIN}, {@link ASK} or {@link REFUSE}; {@link PASS} if the URL must not get the token. */
  redirects(url: string, method: string): number
  /** Whether an answer with this status goes to the caller without further checks. Depends on the status alone. */
  settles(status: number): boolean
  /** Examines an answer; if necessary, refreshes and sends the call again. */
  follow(call: Call, ticket: number, response: Response): Promise<Response>
  fetch(call: Call): Promise<Response>
  /** Sends credentials; or with `carriesToken`, a call like a login, with the token. */
  login(call: Call, carriesToken: boolean): Promise<unknown>
  setTokens(tokens: object): void
  /** Reports a session that began without the manager. */
  signedIn(): void
  /** Refreshes now; or with `toKnow`, only if it is unknown whether somebody is signed in. */
  refresh(toKnow: boolean): Promise<void>
  logout(call: Call | undefined): Promise<void>
  getAccessToken(refused?: string, by?: string): Promise<string>
  peekAccessToken(): string | undefined
  dispose(): void
  /** Frees its memory. No member may be used afterwards. */
  free(): void
}

/** The class of the core, from one WebAssembly instance. Its constructor throws the `TokenError` of a bad option. */
export type CoreClass = new (options: unknown, base: string | undefined, host: Host) => Core
