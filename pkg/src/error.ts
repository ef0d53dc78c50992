// The package's only error class. Failures of tokenkeep itself are TokenErrors; failures of the platform's
// `fetch` keep the platform's own errors.

/**
 * What went wrong, in one word.
 *
 * | code | meaning |
 * | --- | --- |
 * | `invalid-option` | an option is bad or unknown; the message names it, says what it got and what it takes |
 * | `invalid-argument` | an argument is bad, such as a token in `setTokens` that is not a string |
 * | `not-loaded` | the WebAssembly could not be loaded or compiled; the message says why: a Content-Security-Policy without `'wasm-unsafe-eval'`, the network, an old platform, other bytes |
 * | `server` | the code runs on a server, without a page or worker. Its users must not share a token, so nothing was sent |
 * | `network` | the refresh, login or logout endpoint could not be reached |
 * | `timeout` | that endpoint did not answer in time, or the lock between the tabs could not be acquired in time |
 * | `bad-status` | that endpoint answered with an unexpected status (404, 408, 425, 429, 5xx) or an HTML page; the session was kept |
 * | `bad-answer` | that endpoint answered with success, but without a usable token |
 * | `no-token` | the login was answered with success but without a token, for example because a second factor is needed. `cause` is the `Response`, its body unread |
 * | `rejected` | the endpoint refused: the session is over, or the credentials are wrong. After `login` and `logout`, `cause` is the `Response`, its body unread |
 * | `signed-out` | the operation needs a session, and the user is not signed in |
 * | `session-changed` | the session in which the request began has ended, so it was not sent; or the token reported to `getAccessToken` belongs to another session |
 * | `not-exposed` | `getAccessToken` or `peekAccessToken` was called without the option `exposeToken: true` |
 * | `forbidden` | `getAccessToken({ refused, by })`: the API refused a new token, too, so its 401 means 403 |
 * | `disposed` | the manager was disposed |
 * | `crashed` | the WebAssembly failed; the call was not sent |
 * | `bad-fetch` | the page's `fetch` is patched, and did not return a `Response` or any other object |
 * | `redirected` | a redirect would have sent the token to a URL that must not receive it, so it was not followed; send the request to the redirect's target |
 * | `no-key` | the DPoP key is not available: there is no `crypto.subtle` (an insecure context), or the browser refuses IndexedDB; nothing was sent without a proof |
 */
export type TokenErrorCode =
  | 'invalid-option'
  | 'invalid-argument'
  | 'not-loaded'
  | 'network'
  | 'timeout'
  | 'bad-status'
  | 'bad-answer'
  | 'no-token'
  | 'rejected'
  | 'signed-out'
  | 'session-changed'
  | 'not-exposed'
  | 'forbidden'
  | 'disposed'
  | 'crashed'
  | 'bad-fetch'
  | 'redirected'
  | 'no-key'
  | 'server'

// A property that all TokenErrors inherit. Other copies of the package in the page recognise TokenErrors by it; a copied error lacks it.
const BRAND = /*#__PURE__*/ (() => Symbol.for('tokenkeep.TokenError'))()

/** What a {@link TokenError} may carry in addition to its code and message. */
export interface TokenErrorDetails {
  /** Whether the same call may succeed later. Default `false`. */
  retryable?: boolean | undefined
  /** The HTTP status of the answer that was refused or could not be used. */
  status?: number | undefined
  /** The cause: the platform's error, or the `Response` of a login or logout that was refused, or of a login without a token. */
  cause?: unknown
}

/** An error of tokenkeep itself. It never contains a token, a cookie or a credential. */
export class TokenError extends Error {
  /** What went wrong. */
  readonly code: TokenErrorCode
  /** Whether the same call may succeed later, because the network was down or the server was busy. The session is still there. */
  readonly retryable: boolean
  /** The HTTP status, if an answer was the reason. */
  declare readonly status?: number
  /** The cause, if known. */
  declare readonly cause?: unknown

  /** @internal */
  get [BRAND](): true {
    return true
  }

  constructor(code: TokenErrorCode, message: string, details: TokenErrorDetails = {}) {
    super(message)
    this.code = code
    this.retryable = !!details.retryable
    if (details.status !== undefined) this.status = details.status
    // Not enumerable, like the platform's own `cause`, so that loggers do not print the Response.
    if (details.cause !== undefined) hide(this, 'cause', details.cause)
    hide(this, 'name', 'TokenError')
  }
}

/**
 * Whether `error` is a {@link TokenError}, from this or another copy of the package in the page (`instanceof`
 * only recognises its own copy).
 */
export function isTokenError(error: unknown): error is TokenError {
  return typeof error === 'object' && error !== null && BRAND in error
}

function hide(target: object, name: string, value: unknown): void {
  try {
    Object.defineProperty(target, name, {
      __proto__: null,
      value,
      configurable: true,
      writable: true,
    } as PropertyDescriptor)
  } catch {
    // The page has patched it. Every failure of the core comes through here, so the error matters more.
    ;(target as Record<string, unknown>)[name] = value
  }
}
