// A test double of the manager: no WebAssembly, no clock, no network. The test decides whether somebody is signed in, what the
// server answers and what fails. The app sees the same behaviour as from the real package.

import { TokenError } from './error.js'
import { createDouble } from './testing/double.js'
import type { TokenErrorCode, TokenErrorDetails } from './error.js'
import type { Challenge, SignoutReason, TokenManager, TokenManagerOptions } from './types.js'

export { isTokenError, TokenError } from './error.js'
export type { TokenErrorCode, TokenErrorDetails } from './error.js'
export type * from './types.js'

/** A session, set by a test. */
export interface TestSession<Claims extends object = Record<string, unknown>> {
  /** Default `null`, as with an opaque token. */
  claims?: Claims | null
  /** Default `'test-token-1'`, `'test-token-2'`, … */
  accessToken?: string
  /** Only shown in the state: no clock runs. Default `null`. See {@link TestControls.expire}. */
  expiresAt?: number | null
  /** Only shown in the state, like `expiresAt`. */
  sessionExpiresAt?: number | null
}

/** The options of {@link createTestTokenManager}. */
export interface TestTokenManagerOptions<Claims extends object = Record<string, unknown>> extends Pick<
  TokenManagerOptions,
  'apis' | 'attach' | 'exposeToken' | 'subject'
> {
  /** The initial session; `null` if nobody is signed in. Default: not known yet, so calls that need a token wait until the test decides. */
  session?: TestSession<Claims> | null
  /** Sends the requests that {@link TestControls.respond} does not answer. Default: the platform's `fetch` at the time of the call. */
  fetch?: typeof globalThis.fetch
}

/** A call that the app made. */
export interface TestCall {
  /** The method that was called. */
  readonly name:
    | 'known'
    | 'fetch'
    | 'login'
    | 'exchange'
    | 'signedIn'
    | 'setTokens'
    | 'refresh'
    | 'logout'
    | 'getAccessToken'
    | 'peekAccessToken'
    | 'dispose'
  /** The arguments of the call. */
  readonly args: readonly unknown[]
  /** The absolute URL of a request. Without a page, relative URLs are resolved against `http://localhost/`. */
  readonly url?: string
  /** The method of a request. */
  readonly method?: string
  /** The body in the `init` of a request. */
  readonly body?: unknown
  /** The header value that the manager added to a `fetch`, such as `'Bearer test-token-1'`; set once the request is sent. */
  readonly authorization?: string
}

/** Selects requests: `'/api/todos'`, `'POST /api/todos'`, an absolute URL (all without query), a `RegExp` for the whole URL, or a function. */
export type TestTarget = string | URL | RegExp | ((call: TestCall) => boolean)

/** The answer to a request; an `Error` rejects it. A `Response` can be used any number of times. */
export type TestResponse = Response | Error

/** Methods that can fail. `'ready'`: the package cannot be loaded, so all methods fail. `'refresh'`: also the refreshes that other methods need. */
export type TestFailure = 'ready' | 'fetch' | 'login' | 'exchange' | 'refresh' | 'logout'

/** Methods that can be held. */
export type TestHold = Exclude<TestFailure, 'ready'>

/** What the server answers to a login, exchange or refresh. */
export interface TestAnswer<Claims extends object = Record<string, unknown>> {
  /** The JSON without the tokens: the result of `login`, and `event.answer` of a refresh. Default `{}`. */
  json?: unknown
  /** The new session. Default: a refresh keeps the session, with a new token; a login begins a session with an opaque token. */
  session?: TestSession<Claims>
}

/** The controls of a test. Each takes effect at once, and listeners are called before it returns. */
export interface TestControls<Claims extends object = Record<string, unknown>> {
  /** The calls that the app has made so far. */
  readonly calls: readonly TestCall[]

  /**
   * Signs a user in. While the state is `'unknown'`, this is the server's answer to the refresh (events `change` and `refresh`); otherwise
   * it is a login (`change`).
   */
  signIn(session?: TestSession<Claims>): void

  /**
   * Signs the user out: event `change` and, if somebody was signed in, `signout`. Default `'rejected'`: the server refused the
   * refresh, and waiting calls continue without a token. After `'logout'` and `'other-tab'` they reject with `session-changed`.
   */
  signOut(reason?: SignoutReason): void

  /** Makes the state `'unknown'`, as in a freshly loaded page. Calls that need a token wait for `signIn`, `signOut`, or `fail('refresh', …)`. */
  unknown(): void

  /** Lets the token expire. The state does not change; the next call that needs a token refreshes first. */
  expire(): void

  /** Simulates an API that asks for a stronger login: the event `stepup`. */
  stepUp(challenges?: readonly Challenge[]): void

  /**
   * Makes a method fail until {@link TestControls.recover}. A code stands for a {@link TokenError} with this code, which is `retryable` if the
   * code means an outage. `fail('refresh', 'rejected')` ends the session at the next refresh. Calls that already wait for a refresh fail at
   * once.
   */
  fail(method: TestFailure, error: TokenErrorCode | Error, details?: TokenErrorDetails): void

  /** Makes a method work again. Default: all methods. */
  recover(method?: TestFailure): void

  /** Makes calls of a method wait. Returns a function that releases them. */
  hold(method: TestHold): () => void

  /** Sets the server's answer to all further logins, exchanges or refreshes. */
  answer(method: 'login' | 'exchange' | 'refresh', answer: TestAnswer<Claims>): void

  /** Sets the answer to all further matching requests of `auth.fetch`. If several match, the last one set is used. */
  respond(target: TestTarget, response: TestResponse | ((call: TestCall) => TestResponse | Promise<TestResponse>)): void

  /** Restores the manager's initial state for the next test, even after `dispose`. Listeners stay. */
  reset(): void
}

/** A {@link TokenManager} that a test controls. */
export interface TestTokenManager<Claims extends object = Record<string, unknown>> extends TokenManager<Claims> {
  /** The controls for the test. The real manager has no such member. */
  readonly test: TestControls<Claims>
}

/**
 * Creates a manager for tests. It works in a page, in jsdom, in happy-dom and in plain Node.
 *
 * ```ts
 * const auth = createTestTokenManager({ session: { claims: { sub: 'alice' } } })
 * auth.test.respond('/api/me', Response.json({ name: 'Alice' }))
 * ```
 */
export function createTestTokenManager<Claims extends object = Record<string, unknown>>(
  options: TestTokenManagerOptions<Claims> = {},
): TestTokenManager<Claims> {
  return createDouble(options)
}

/**
 * The same under the real function's name. If the test runner replaces `tokenkeep` with `tokenkeep/testing`, the app's own
 * module that creates the manager can be tested unchanged. Get the controls with {@link controls}.
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(
  options: TokenManagerOptions,
): TokenManager<Claims> {
  return createDouble<Claims>(options)
}

/**
 * Returns the controls of a manager that this module's {@link createTokenManager} made. Throws a {@link TokenError} `invalid-argument` for
 * any other.
 */
export function controls<Claims extends object>(auth: TokenManager<Claims>): TestControls<Claims> {
  const { test } = (auth ?? {}) as Partial<TestTokenManager<Claims>>
  if (test) return test
  throw new TokenError(
    'invalid-argument',
    "controls: this manager was not made by tokenkeep/testing; let the test runner replace 'tokenkeep' with 'tokenkeep/testing'.",
  )
}
