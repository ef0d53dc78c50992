// The public types: the options, the manager, its state and its events.

/// <reference lib="esnext.disposable" preserve="true" />

import type { TokenError } from './error.js'

/** Double-submit protection against CSRF: the value of a readable cookie is sent back in a header. */
export interface CsrfOptions {
  /** The cookie's name. The cookie is read again for each request. */
  cookie: string
  /** The header's name. */
  header: string
}

/** A request that the manager itself sends. */
export interface EndpointOptions {
  /** The endpoint's URL. A relative URL is resolved against the page's. */
  url: string | URL
  /** Default `'POST'`. */
  method?: string
  /** Extra headers, in addition to those that `csrf` and `refreshToken` add. A function is called for each request. */
  headers?: Record<string, string> | (() => Record<string, string>)
  /** A string is sent unchanged. An object is sent as JSON, or as a form if `refreshToken` is `{ form }`. */
  body?: string | Record<string, string>
  /** Time-out of the request, in milliseconds. Default 10 000. */
  timeout?: number
  /** As in `fetch`. Default `'include'`. */
  credentials?: RequestCredentials
  /** Double-submit protection of this request. Default: the option `csrf`. */
  csrf?: CsrfOptions
}

/** Where and how the access token is refreshed. */
export interface RefreshOptions extends EndpointOptions {}

/**
 * Your own refresh function, for a server that the options cannot describe. Resolve to the new tokens, or to `null` if the
 * server refused, which ends the session. If the function rejects or takes longer than 10 seconds, the server counts as not
 * reached and the session stays. Call the platform's `fetch` in it: `auth.fetch` would wait for this very refresh, so it
 * rejects there.
 */
export type RefreshFunction = (context: {
  /** The refresh token, if the manager holds one in memory. */
  refreshToken: string | undefined
  /** Aborted when the refresh takes too long. */
  signal: AbortSignal
}) => Tokens | null | Promise<Tokens | null>

/** Which endpoint ends the session on the server. */
export interface LogoutOptions extends EndpointOptions {
  /** Statuses that count as success, in addition to 2xx and 401. */
  success?: readonly number[]
  /**
   * Which token of the ending session is sent: `'access'`, as `attach` says; `'refresh'`, as `refreshToken` says; or `'token'`,
   * the refresh token as the form field `token` (RFC 7009, section 2.1). Default: none, because the cookie is enough. A logout
   * that sends a token cannot be retried at the next page load.
   */
  send?: 'access' | 'refresh' | 'token'
}

/** How the token is put on a request. */
export type AttachOptions =
  | {
      /** The header's name (RFC 6750, section 2.1). Default `'Authorization'`. */
      header?: string
      /** The word before the token. Default `'Bearer'`. With `''` the token is sent alone. */
      scheme?: string
      query?: never
      cookie?: never
      csrf?: never
    }
  | {
      /**
       * The name of a URL parameter (RFC 6750, section 2.3), for a server that accepts nothing better: URLs end up in logs,
       * histories and `Response.url`. A request that already has the parameter is not changed.
       */
      query: string
      header?: never
      scheme?: never
      cookie?: never
      csrf?: never
    }
  | {
      /**
       * The access token is a cookie that the page cannot read: any successful login or refresh begins or renews a session. The
       * caller still chooses `credentials` for each request.
       */
      cookie: true
      header?: never
      scheme?: never
      query?: never
      /** Double-submit protection of requests whose method is not `GET`, `HEAD` or `OPTIONS`. */
      csrf?: CsrfOptions
    }

/** A value in a JSON body. Compared as text: 40101 equals `'40101'`. */
export type Scalar = string | number | boolean

/** Selects answers. All members that are set must match. */
export interface AnswerRule {
  /** HTTP statuses, from 200 to 599. */
  status?: number | readonly number[]
  /**
   * A field of a JSON body. The manager reads a copy of the body if its type is JSON, or if it is text that begins like JSON. A body of more
   * than 256 KiB, or one that does not end within a second, matches nothing. Of JSON lines, the first line is read.
   */
  body?:
    | {
        /** A dotted path into the body, such as `'error.code'`. `*` or a number stands for any member of a list: `'errors.*.code'`. */
        path: string
        /** The values that match. Default: any value except `null`. */
        equals?: Scalar | readonly Scalar[]
        absent?: never
      }
    | {
        path: string
        /** Matches if the path is missing or holds `null`. */
        absent: true
        equals?: never
      }
  /** A header of the answer, if CORS exposes it. Trailers are not read. */
  header?: {
    /** The header's name. */
    name: string
    /** The values that match. Default: any value. */
    equals?: Scalar | readonly Scalar[]
  }
  /** The `error` of a challenge in `WWW-Authenticate` (RFC 6750, section 3), if CORS exposes that header. */
  challenge?: string | readonly string[]
}

/** Selects answers to the app's requests or to the refresh. */
export interface CallRule extends AnswerRule {
  /** The request was redirected, for example to a login page. */
  redirected?: true
}

/**
 * Matches a network error, because a 401 without CORS headers looks like one. If the token has expired or its expiry is
 * unknown, a network error of a `GET`, `HEAD` or `OPTIONS` request counts as a refusal of the token: the token is
 * refreshed and the request is sent once more.
 */
export interface NetworkErrorRule {
  networkError: true
}

/** A dotted path into a JSON body, such as `'data.token'`. Of several paths, the first that holds a value is used. */
export type Paths = string | readonly string[]

/**
 * Where the tokens are in the JSON answers to login and refresh (RFC 6749, section 5.1). A field that is missing, `null`
 * or `''` counts as absent. If the answer does not give the token's lifetime, it is read from the token, if that is a JWT.
 */
export interface ResponseOptions {
  /** Default `'access_token'`. */
  accessToken?: Paths
  /** Default `'refresh_token'`. Only read if the refresh token is not a cookie. If the field is absent, the old refresh token is kept. */
  refreshToken?: Paths
  /** Seconds until the access token expires: a number, or a numeric string. Default `'expires_in'`. */
  expiresIn?: Paths
  /**
   * When the access token expires, by the server's clock as given by the answer's `Date` header: seconds or
   * milliseconds since the epoch, or ISO 8601 with a zone (RFC 3339, section 5.6). Default: not read.
   */
  expiresAt?: Paths
  /**
   * For how many more seconds the session can be renewed. If an answer lacks the field, the earlier value stays. Default
   * `['refresh_expires_in', 'refresh_token_expires_in']`. Only {@link TokenState.sessionExpiresAt} depends on it.
   */
  sessionExpiresIn?: Paths
}

/**
 * How the refresh token is stored and sent. `'cookie'`: an HttpOnly cookie, which scripts cannot read. The
 * other forms keep it in WebAssembly memory only, so it is lost on a reload.
 */
export type RefreshTokenOption =
  | 'cookie'
  | { /** The field of a JSON body. */ json: string }
  | { /** The field of a form (RFC 6749, section 6). */ form: string }
  | { /** The header's name. */ header: string; /** The word before the token. */ scheme?: string }

/** The options of {@link createTokenManager}. All but `refresh` have a default. Durations are in milliseconds. */
export interface TokenManagerOptions {
  /**
   * The refresh endpoint, or a function that refreshes. `false`: tokens are never refreshed; new ones come only from `adopt`,
   * `login` or `setTokens`, and an expired token is still sent.
   */
  refresh: string | URL | RefreshOptions | RefreshFunction | false
  /** The endpoint that `logout()` calls by default. If the server cannot be reached, the logout is sent to it again at the next page load. */
  logout?: string | URL | LogoutOptions
  /**
   * The URLs that may receive the token, as prefixes that are matched against the parsed URL. `/api` covers
   * `/api` and `/api/…`; `/api/` covers only paths below it. Default: the page's own origin. A list replaces
   * the default: if you name another origin, name the page's too if it should receive the token.
   */
  apis?: readonly (string | URL)[]
  /** How the token is put on a request. */
  attach?: AttachOptions
  /**
   * Which answers mean that the token was refused: those that match any of these rules. Default `{ status: 401 }`. An answer with
   * a challenge that a new token does not cure (`insufficient_scope`) goes to the caller, unless a rule names that challenge. If
   * CORS hides the challenge, a rule that also has a status is matched without it.
   */
  unauthorized?: CallRule | NetworkErrorRule | readonly (CallRule | NetworkErrorRule)[]
  /** Which answers mean "log in again": the session ends (`signout`, reason `'ended'`), and the caller gets the answer. Default: none. */
  ended?: CallRule | readonly CallRule[]
  /**
   * Which answers ask for stronger authentication (RFC 9470): the event `stepup` is dispatched, nothing is refreshed, and the
   * caller gets the answer. Default `{ status: 401, challenge: ['insufficient_user_authentication', 'insufficient_claims'] }`.
   */
  stepUp?: CallRule | readonly CallRule[]
  /**
   * Which answers to a refresh end the session; all others keep it. The same answers to a login mean that it was refused. Default: 400, 401 and
   * 403 with JSON or without a body; `invalid_grant` (RFC 6749, section 5.2) with any 4xx; a 2xx that says that there is no session, with the
   * JSON `null`, `{}`, or `null` in the place of the token; and a redirect to a page, if `unauthorized` or `ended` has a rule with `redirected`.
   */
  rejected?: CallRule | readonly CallRule[]
  /** Takes a new access token from a header of any answer to a request with the newest token, whatever its status. Default: none. */
  adopt?: { /** The header's name. CORS must expose it. */ header: string }
  /** Where the tokens are in the answers to login and refresh. */
  response?: ResponseOptions
  /** Double-submit protection of login, refresh and logout. */
  csrf?: CsrfOptions
  /** How the refresh token is stored and sent. Default `'cookie'`. */
  refreshToken?: RefreshTokenOption
  /** How long before its expiry a token is refreshed, in milliseconds. Default: 30 000, or a tenth of the token's lifetime if that is less. */
  refreshBefore?: number
  /**
   * `'share'`: one tab refreshes and hands the token to the others. `'lock'`: each tab refreshes for itself, one at
   * a time. `'off'`: tabs do not coordinate. Default `'share'`.
   */
  tabs?: 'share' | 'lock' | 'off'
  /**
   * When the session of an earlier page load is restored. `'lazy'`: by the first call that needs a token; `'eager'`: at once; `'manual'`:
   * by `refresh()`. Default `'lazy'`.
   */
  restore?: 'lazy' | 'eager' | 'manual'
  /** Whether `getAccessToken` and `peekAccessToken` return the token. Default `false`. */
  exposeToken?: boolean
  /**
   * Distinguishes managers with otherwise equal options. Managers whose options contain functions share with other tabs only if
   * they have the same name. Default: none.
   */
  name?: string
  /**
   * The claim that names the user, a string or a number. A token for another user begins a new session. Default `'sub'` (RFC 7519, section
   * 4.1.2).
   */
  subject?: string
  /**
   * The name of a readable cookie that exists as long as the session does. Without this cookie the user counts as signed out, and
   * the server is not asked. Only used if the refresh token is a cookie, too. Default: the cookie of `csrf`, if set.
   */
  sessionHint?: string
  /** How `login` waits for its answer and reads it. */
  login?: LoginOptions
  /**
   * What happens to a call that needs a token while the refresh cannot reach the server. `'send'`: a `GET`, `HEAD` or `OPTIONS` request
   * is sent without a token. `'reject'`: the call rejects. `'auto'`: such a request is sent if a service worker controls the page and
   * there is no network, or none to the API's origin. If a request without a token gets a 401, the call rejects with the error of the
   * refresh. Default `'auto'`.
   */
  offline?: 'auto' | 'send' | 'reject'
  /**
   * Whether tokens are bound to a key (DPoP, RFC 9449). Login, refresh and `exchange` carry a proof, and so does every request with a token
   * that was issued with `token_type: 'DPoP'`. A `Bearer` token is sent as without this option. `true`: the key is kept in IndexedDB, for all
   * tabs and later page loads. `{ keys: 'memory' }`: each page load has its own key, and tabs share no tokens. Cannot be combined with
   * `exposeToken` or `logout: { send: 'access' }`. Default `false`.
   */
  dpop?: boolean | { keys: 'memory' }
  /** Where the token is kept. To keep it in a worker, import `createTokenManager` from `tokenkeep/isolated`. Default `'page'`. */
  isolation?: 'page'
}

/** How `login` waits for its answer and reads it. */
export interface LoginOptions {
  /** Time-out of the login, in milliseconds. Default 30 000. */
  timeout?: number
  /**
   * Which answers do not begin a session yet, for example because the server asks for a second factor: `login` resolves to their
   * JSON, and the state does not change. Default: none; an answer without a token rejects with `no-token`.
   */
  incomplete?: AnswerRule | readonly AnswerRule[]
}

/** The argument of `setTokens`. */
export interface Tokens {
  /** The access token. */
  accessToken: string
  /** Seconds until the access token expires, as OAuth's `expires_in`. Default: read from the token, if it is a JWT. */
  expiresIn?: number
  /** The refresh token. Ignored if the option `refreshToken` is `'cookie'`. */
  refreshToken?: string
}

/** The argument of `getAccessToken`: reports a token that an API has refused. */
export interface RefusedToken {
  /**
   * The refused token. It is not returned to the caller again. All reports of one token cause a single refresh. If the token is from another
   * session, perhaps another user's, the call rejects with `session-changed`.
   */
  refused?: string
  /** The URL that refused the token. If the same URL also refuses the next token, that means "forbidden", and there is no further refresh. */
  by?: string | URL
}

/**
 * An immutable snapshot of the session. It is the same object until something in it changes. `Claims` is the app's type of
 * the claims; it is not checked at run time.
 */
export interface TokenState<Claims extends object = Record<string, unknown>> {
  /** `'unknown'` until the server has said whether there is a session. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out'
  /** The decoded payload of a JWT, deeply frozen; `null` for an opaque token or without a token. Not verified: that is the server's job. */
  readonly claims: Readonly<Claims> | null
  /** When the access token expires, in milliseconds since the epoch by this machine's clock; `null` if unknown. */
  readonly expiresAt: number | null
  /**
   * When the session ends unless it is renewed, by the same clock; `null` if the server does not say. See {@link
   * ResponseOptions.sessionExpiresIn}.
   */
  readonly sessionExpiresAt: number | null
}

/** Why a session ended. */
export type SignoutReason =
  /** `logout()` was called in this tab. */
  | 'logout'
  /** The server refused the refresh. */
  | 'rejected'
  /** An answer matched the option `ended`: "log in again". */
  | 'ended'
  /** The session ended in another tab. */
  | 'other-tab'

/** The event `refresh`. */
export interface RefreshEvent extends Event {
  /** The JSON of the server's answer without the tokens, deeply frozen; `undefined` if another tab or a refresh function made the request. */
  readonly answer: unknown
}

/** The event `signout`. */
export interface SignoutEvent extends Event {
  /** Why the session ended. */
  readonly reason: SignoutReason
  /** The error of the refresh, if `reason` is `'rejected'`. Its `cause` is the server's `Response`, if this tab made the request. */
  readonly error?: TokenError
}

/** The event `refresherror`. */
export interface RefreshErrorEvent extends Event {
  /** Why the refresh failed. */
  readonly error: TokenError
}

/** A challenge of `WWW-Authenticate` (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** The scheme in lower case, such as `'bearer'`. */
  readonly scheme: string
  /** The parameters, by their name in lower case: `error`, `acr_values`, `max_age`, `claims`, … */
  readonly parameters: Readonly<Record<string, string>>
}

/** The event `stepup`. */
export interface StepUpEvent extends Event {
  /** All challenges of the answer; empty if CORS hides them. */
  readonly challenges: readonly Challenge[]
}

/** The events of a manager, by type. Each occurrence is dispatched exactly once. */
export interface TokenManagerEventMap {
  /** `state` has changed: it is a new object. */
  change: Event
  /** A refresh succeeded: there is a new token. */
  refresh: RefreshEvent
  /** The session ended. */
  signout: SignoutEvent
  /** A refresh failed. If `error.retryable` is `true`, the session is still there. */
  refresherror: RefreshErrorEvent
  /** An answer asks for a newer or stronger login, or for other claims. */
  stepup: StepUpEvent
}

/** A listener for the events of type `K`. */
export type TokenManagerListener<K extends keyof TokenManagerEventMap> =
  | ((event: TokenManagerEventMap[K]) => void)
  | { handleEvent(event: TokenManagerEventMap[K]): void }

/**
 * Keeps the access token, and gives the app a `fetch` that uses it. Every method works detached (`const {
 * fetch } = auth`). Methods reject rather than throw, except `peekAccessToken`, which is synchronous.
 *
 * `Claims` is the app's type of the token's claims; it is not checked at run time.
 */
export interface TokenManager<Claims extends object = Record<string, unknown>> extends Disposable {
  /**
   * Resolves when the manager can work. Rejects with a {@link TokenError} `not-loaded` or `invalid-option`,
   * and then so does every call; this rejection need not be handled. Without a page or worker (under Node)
   * nothing is loaded, and `ready` and every call reject with `server`.
   */
  readonly ready: Promise<void>

  /** The session, as far as the manager knows it. See {@link TokenState}. */
  readonly state: TokenState<Claims>

  /**
   * Resolves to the state as soon as it is known whether the user is signed in, for route guards that must not decide too early.
   * Asks the server if that has not happened yet. With `restore: 'manual'` the server is not asked, so `status` may be
   * `'unknown'`.
   *
   * Rejects with the {@link TokenError} of the refresh (`retryable`) if the server could not be reached, because then the state is not
   * known.
   */
  known: () => Promise<TokenState<Claims>>

  /**
   * The platform's `fetch` (Fetch Standard, section 5.4): the same arguments, the same `Response`, the same errors. A request
   * to one of `apis` carries the token. If it is refused, the token is refreshed, once for all waiting requests, and the
   * request is sent once more. Other requests pass unchanged, as do those with an `Authorization` header of their own and
   * `no-cors` requests.
   *
   * In addition to the platform's own errors, rejects with a {@link TokenError} if the refresh that the request needs
   * failed (`retryable`), or if the session in which the request began has ended (`session-changed`).
   */
  fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

  /**
   * Sends the credentials, takes the tokens out of the JSON answer (RFC 6749, section 5.1) and resolves to the rest of the
   * answer. Takes a string, a `URL` or a `Request`. The method is `POST` and credentials are included unless `init` says
   * otherwise.
   *
   * A login without a body carries the session's token, as {@link TokenManager.exchange} does.
   *
   * Rejects with a {@link TokenError} `rejected` if the server refuses, and `no-token` if the answer has no token and does not
   * match `login.incomplete`. The error's `cause` is the `Response`. The current session, if any, is not changed then.
   */
  login: <Rest = unknown>(input: RequestInfo | URL, init?: RequestInit) => Promise<Rest>

  /**
   * Like {@link TokenManager.login}, with the session's token: for calls that need the token and bring new ones, for example to
   * switch the organisation.
   */
  exchange: <Rest = unknown>(input: RequestInfo | URL, init?: RequestInit) => Promise<Rest>

  /**
   * Tells the manager that a session has begun without it, by a redirect or by a form of the server. The page that the user returns
   * to calls it in the same turn as `createTokenManager`. The next call asks the server.
   */
  signedIn: () => Promise<void>

  /**
   * Begins a session with tokens that the app obtained itself. A newer token of the same user (see the option `subject`) renews the
   * current session. Rejects with a {@link TokenError} `invalid-argument` if a token is not usable.
   */
  setTokens: (tokens: Tokens) => Promise<void>

  /**
   * Refreshes the access token now, or joins the refresh in flight (RFC 6749, section 6). Rejects with a
   * {@link TokenError}; `rejected` means that the session is over.
   */
  refresh: () => Promise<void>

  /**
   * Ends the session at once, in this and every other tab, then tells the server. Takes the arguments of `login`. Without arguments, or with an
   * event (`onClick={auth.logout}`), it calls the endpoint of the option `logout`, if set. Rejects if the server could not be told: the session
   * has still ended in the browser, and the server is told at the next page load.
   */
  logout: (input?: RequestInfo | URL, init?: RequestInit) => Promise<void>

  /**
   * Resolves to the access token, refreshed if necessary: for WebSocket, EventSource and SDKs that cannot use `fetch`. Rejects with a
   * {@link TokenError}: `not-exposed` unless the option `exposeToken` is `true`; `signed-out` without a session; `session-changed` if the
   * session ended during the call or `refused` is a token of another session; `forbidden` if the API also refuses a new token.
   */
  getAccessToken: (about?: RefusedToken) => Promise<string>

  /**
   * Returns the access token if there is one that has not expired, for hooks that cannot wait. It never refreshes, so
   * `undefined` may also mean that the package is not loaded yet or that the server has not been asked yet: use
   * `getAccessToken` where you can. Throws a {@link TokenError} `not-exposed` unless the option `exposeToken` is `true`.
   */
  peekAccessToken: () => string | undefined

  /** Calls `listener` on each change of `state`. Returns a function that unsubscribes it. */
  subscribe: (listener: () => void) => () => void

  /** As the platform's `EventTarget`. See {@link TokenManagerEventMap}. */
  addEventListener: <K extends keyof TokenManagerEventMap>(
    type: K,
    listener: TokenManagerListener<K> | null,
    options?: boolean | AddEventListenerOptions,
  ) => void

  /** As the platform's `EventTarget`. */
  removeEventListener: <K extends keyof TokenManagerEventMap>(
    type: K,
    listener: TokenManagerListener<K> | null,
    options?: boolean | EventListenerOptions,
  ) => void

  /** Frees everything. Waiting and later calls reject with a {@link TokenError} `disposed`. A refresh in flight is allowed to finish. */
  dispose: () => void

  /** The same as `dispose`, for `using`. Only present if the platform has `Symbol.dispose`. */
  [Symbol.dispose](): void
}
