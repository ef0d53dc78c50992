// The one error of the package. Everything that fails because of tokenkeep itself fails with a
// TokenError; everything that would have failed with the platform's own `fetch` fails as it would have.

/**
 * What went wrong, in one word.
 *
 * | code | meaning |
 * | --- | --- |
 * | `invalid-option` | an option is bad or unknown; the message names it, says what it got and what it takes |
 * | `invalid-argument` | an argument is bad, as a token that is no string in `setTokens` |
 * | `not-loaded` | the WebAssembly could not be loaded or compiled; the message says why: a Content-Security-Policy without `'wasm-unsafe-eval'`, the network, an old platform, other bytes |
 * | `server` | there is no page and no worker here: a server, whose users must not share a token; nothing was sent |
 * | `network` | the refresh, login or logout endpoint could not be reached |
 * | `timeout` | it did not answer in time, or the lock between the tabs was not had in time |
 * | `bad-status` | it answered with a status that says nothing about the session (404, 408, 425, 429, 5xx, an HTML page) |
 * | `bad-answer` | it answered with success, but without a token that can be used |
 * | `no-token` | the login was answered with success, and without a token, as where a second factor is asked for. `cause` is the `Response`, its body unread |
 * | `rejected` | it refused: the session is over, or the credentials are wrong. After `login` and `logout`, `cause` is the `Response`, its body unread |
 * | `signed-out` | the operation needs a session, and there is none |
 * | `session-changed` | the request began in a session that has ended meanwhile; it was not sent. Or `getAccessToken` was told of a token of another session |
 * | `not-exposed` | `getAccessToken` or `peekAccessToken` without the option `exposeToken: true` |
 * | `forbidden` | `getAccessToken({ refused, by })`: the API has refused a new token, too, so it says 401 where it means 403 |
 * | `disposed` | the manager was disposed |
 * | `crashed` | the WebAssembly failed; the call was not sent |
 * | `bad-fetch` | the page's `fetch` is patched, and gave what is no object, let alone a `Response` |
 * | `redirected` | a redirect would take the token to where it must not go, so it was not followed; send to the URL it leads to |
 * | `no-key` | the key for DPoP is not to be had: there is no `crypto.subtle`, as in an insecure context, or the platform refuses IndexedDB; nothing was sent without a proof |
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
  | 'server';

// What all TokenErrors inherit, and no copy of their members has: other copies of the package know them by it.
const BRAND = /*#__PURE__*/ (() => Symbol.for('tokenkeep.TokenError'))();

/** What a {@link TokenError} may carry beside its code and message. */
export interface TokenErrorDetails {
  /** Whether the same call may succeed later. Default `false`. */
  retryable?: boolean | undefined;
  /** The HTTP status of the answer that was refused or could not be used. */
  status?: number | undefined;
  /** What caused it: the platform's error, or the `Response` of a login or logout that was refused, or of a login that brought no token. */
  cause?: unknown;
}

/** An error of tokenkeep itself. Never holds a token, a cookie or a credential. */
export class TokenError extends Error {
  /** What went wrong. */
  readonly code: TokenErrorCode;
  /** Whether the same call may succeed later: the network was down, the server was busy. The session is still there. */
  readonly retryable: boolean;
  /** The HTTP status, where an answer was the reason. */
  declare readonly status?: number;
  /** What caused it, where something did. */
  declare readonly cause?: unknown;

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  constructor(code: TokenErrorCode, message: string, details: TokenErrorDetails = {}) {
    super(message);
    this.code = code;
    this.retryable = !!details.retryable;
    if (details.status !== undefined) this.status = details.status;
    // Not enumerable, as the platform's own `cause`: a Response is no part of a log line.
    if (details.cause !== undefined) hide(this, 'cause', details.cause);
    hide(this, 'name', 'TokenError');
  }
}

/**
 * Whether `error` is a {@link TokenError}, of this copy of the package or of another one in the page
 * (`instanceof` knows its own copy only).
 */
export function isTokenError(error: unknown): error is TokenError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

function hide(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { __proto__: null, value, configurable: true, writable: true } as PropertyDescriptor);
}
