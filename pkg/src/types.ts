// What users of the package see: the options, the manager, its state and its events.

/// <reference lib="esnext.disposable" preserve="true" />

import type { TokenError } from './error.js';

/** Where and how the access token is refreshed. */
export interface RefreshOptions {
  /** The refresh endpoint. A relative URL is resolved against the page. */
  url: string | URL;
  /** Default `'POST'`. */
  method?: string;
  /** Headers of the call, beside those that `csrf` and `refreshToken` add. */
  headers?: Record<string, string>;
  /** A string is sent as it is; an object is sent as JSON, or as a form where `refreshToken` says `{ form }`. */
  body?: string | Record<string, string>;
  /** How long the call may take, in milliseconds. Default 10 000. */
  timeout?: number;
  /** As in `fetch`. Default `'include'` where the refresh token is a cookie. */
  credentials?: RequestCredentials;
}

/** Which endpoint ends the session on the server. */
export interface LogoutOptions {
  /** The logout endpoint. A relative URL is resolved against the page. */
  url: string | URL;
  /** Default `'POST'`. */
  method?: string;
  /** Headers of the call, beside the one that `csrf` adds. */
  headers?: Record<string, string>;
  /** How long the call may take, in milliseconds. Default 10 000. */
  timeout?: number;
}

/** How the token is put on a request (RFC 6750, section 2.1). */
export interface AttachOptions {
  /** The header's name. Default `'Authorization'`. */
  header?: string;
  /** The word before the token. Default `'Bearer'`; `''` for the bare token. */
  scheme?: string;
}

/** Which answers say that the token is refused. */
export interface UnauthorizedOptions {
  /** HTTP statuses. Default `[401]`. */
  status?: readonly number[];
  /** A field of a JSON body, for APIs that answer 200 with an error code of their own. */
  body?: {
    /** A dotted path into the body, as `'error.code'`. */
    path: string;
    /** The values that mean "refused". */
    equals: readonly (string | number)[];
  };
}

/** Where the tokens stand in the JSON answers of login and refresh (RFC 6749, section 5.1), as dotted paths. */
export interface ResponseOptions {
  /** Default `'access_token'`. */
  accessToken?: string;
  /** Seconds until the token runs out. Default `'expires_in'`. */
  expiresIn?: string;
  /** Default `'refresh_token'`; looked at only where the refresh token is no cookie. */
  refreshToken?: string;
}

/** Double-submit protection: a readable cookie whose value goes back in a header. */
export interface CsrfOptions {
  /** The cookie's name; it is read afresh before each refresh and logout. */
  cookie: string;
  /** The header's name. */
  header: string;
}

/**
 * How the refresh token travels. `'cookie'`: an HttpOnly cookie that no script sees. The others hold it in
 * WebAssembly memory only, so it does not survive a reload.
 */
export type RefreshTokenOption =
  | 'cookie'
  | { /** The field of a JSON body. */ json: string }
  | { /** The field of a form (RFC 6749, section 6). */ form: string }
  | { /** The header's name. */ header: string; /** The word before the token. */ scheme?: string };

/** What {@link createTokenManager} takes. Everything but `refresh` has a default. Durations are milliseconds. */
export interface TokenManagerOptions {
  /** Where the access token is refreshed. */
  refresh: string | URL | RefreshOptions;
  /** What `logout()` calls by default, and what a logout that could not reach the server is finished with at the next start. */
  logout?: string | URL | LogoutOptions;
  /**
   * Who may receive the token: URL prefixes, matched on the parsed URL. `/api` covers `/api` and `/api/…`,
   * `/api/` what is below it. The whole list: naming another origin leaves the page's own out.
   * Default: the page's own origin.
   */
  apis?: readonly (string | URL)[];
  /** How the token is put on a request. */
  attach?: AttachOptions;
  /** Which answers say that the token is refused. */
  unauthorized?: UnauthorizedOptions;
  /** Where the tokens stand in the answers of login and refresh. */
  response?: ResponseOptions;
  /** Double-submit protection of refresh and logout. */
  csrf?: CsrfOptions;
  /** How the refresh token travels. Default `'cookie'`. */
  refreshToken?: RefreshTokenOption;
  /** How long before its end a token is refreshed, in milliseconds. Default: 30 000, or a tenth of the token's life if that is less. */
  refreshBefore?: number;
  /**
   * `'share'`: one tab refreshes and hands the token to the others. `'lock'`: tabs take turns, each asks for itself.
   * `'off'`: this tab alone. Default `'share'`.
   */
  tabs?: 'share' | 'lock' | 'off';
  /** When the session of an earlier page load is asked for. `'lazy'`: by the first call that needs a token; `'eager'`: at once; `'manual'`: by `refresh()`. Default `'lazy'`. */
  restore?: 'lazy' | 'eager' | 'manual';
  /** Whether `getAccessToken` hands the token out. Default `false`. */
  exposeToken?: boolean;
}

/** What `setTokens` takes. */
export interface Tokens {
  /** The access token. */
  accessToken: string;
  /** Seconds until it runs out, as OAuth's `expires_in`. Default: what the token itself says, if it is a JWT. */
  expiresIn?: number;
  /** The refresh token, where the option `refreshToken` is not `'cookie'`. */
  refreshToken?: string;
}

/** An immutable snapshot of the session. The same object until something in it changes. */
export interface TokenState {
  /** `'unknown'` until the server has been asked whether there is a session. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out';
  /** The decoded payload of a JWT (not verified: that is the server's), deeply frozen; `null` for an opaque token or none. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  /** When the access token runs out, in milliseconds since the epoch by this machine's clock; `null` where that is not known. */
  readonly expiresAt: number | null;
}

/** Why a session ended. */
export type SignoutReason =
  /** `logout()` was called in this tab. */
  | 'logout'
  /** The server refused the refresh. */
  | 'rejected'
  /** An answer said "log in again". */
  | 'ended'
  /** It ended in another tab. */
  | 'other-tab';

/** The event `signout`. */
export interface SignoutEvent extends Event {
  /** Why the session ended. */
  readonly reason: SignoutReason;
}

/** The event `refresherror`. */
export interface RefreshErrorEvent extends Event {
  /** Why the refresh failed. */
  readonly error: TokenError;
}

/** The events of a manager, by type. Each is dispatched exactly once per fact. */
export interface TokenManagerEventMap {
  /** `state` is another object now. */
  change: Event;
  /** A refresh brought a new token. */
  refresh: Event;
  /** The session ended. */
  signout: SignoutEvent;
  /** A refresh failed. The session is still there where `error.retryable`. */
  refresherror: RefreshErrorEvent;
}

/** A listener for the events of type `K`. */
export type TokenManagerListener<K extends keyof TokenManagerEventMap> =
  | ((event: TokenManagerEventMap[K]) => void)
  | { handleEvent(event: TokenManagerEventMap[K]): void };

/**
 * Keeps the access token, and gives the app a `fetch` that uses it. Every method works detached
 * (`const { fetch } = auth`), and never throws: it rejects.
 */
export interface TokenManager extends Disposable {
  /**
   * Resolves when the manager can work. Rejects with {@link TokenError} `not-loaded` or `invalid-option`,
   * as every call then does; it need not be handled. Without a page (under Node) nothing is loaded
   * until this is read or a method is called.
   */
  readonly ready: Promise<void>;

  /** The session, as far as it is known. See {@link TokenState}. */
  readonly state: TokenState;

  /**
   * The platform's `fetch` (Fetch Standard, section 5.4): the same arguments, the same `Response`, the same errors.
   * A request to one of `apis` carries the token; where it is refused, the token is refreshed, once for all, and the
   * request is sent once more. All others pass untouched, as do those that bring an `Authorization` header, and `no-cors` ones.
   *
   * Rejects, beside what the platform rejects with, with a {@link TokenError}: the refresh that the request needs could
   * not be done (`retryable`), or the session it began in has ended (`session-changed`).
   */
  fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

  /**
   * Sends the credentials, takes the tokens out of the JSON answer (RFC 6749, section 5.1) and resolves to the rest of it.
   * Takes what `fetch` takes; the method is `POST` and credentials are included unless `init` says otherwise.
   *
   * Rejects with {@link TokenError} `rejected` where the server refuses: its `cause` is the `Response`. The session there
   * was stays as it was then.
   */
  login: <Rest = unknown>(input: RequestInfo | URL, init?: RequestInit) => Promise<Rest>;

  /** Begins a session with tokens that the app got by itself. Rejects with {@link TokenError} `invalid-argument`. */
  setTokens: (tokens: Tokens) => Promise<void>;

  /**
   * Asks for a new access token now, or joins the refresh in flight (RFC 6749, section 6).
   * Rejects with a {@link TokenError}; `rejected`: the session is over.
   */
  refresh: () => Promise<void>;

  /**
   * Ends the session, here and in every tab, at once; then tells the server. Takes what `fetch` takes; without arguments it
   * calls the option `logout`, if there is one. Rejects where the server could not be told: the session has
   * ended here all the same, and the server is told at the next start.
   */
  logout: (input?: RequestInfo | URL, init?: RequestInit) => Promise<void>;

  /**
   * The access token, refreshed if it must be: for WebSocket, EventSource and SDKs that cannot use `fetch`.
   * Rejects with {@link TokenError} `not-exposed` unless the option `exposeToken` is `true`.
   */
  getAccessToken: () => Promise<string>;

  /** Calls `listener` on each change of `state`. Returns the function that ends this. */
  subscribe: (listener: () => void) => () => void;

  /** As the platform's `EventTarget`. See {@link TokenManagerEventMap}. */
  addEventListener: <K extends keyof TokenManagerEventMap>(
    type: K,
    listener: TokenManagerListener<K> | null,
    options?: boolean | AddEventListenerOptions,
  ) => void;

  /** As the platform's `EventTarget`. */
  removeEventListener: <K extends keyof TokenManagerEventMap>(
    type: K,
    listener: TokenManagerListener<K> | null,
    options?: boolean | EventListenerOptions,
  ) => void;

  /** Frees everything. Waiting and later calls reject with {@link TokenError} `disposed`. A refresh on the wire is let finish. */
  dispose: () => void;

  /** The same as `dispose`, for `using`; there only where the platform has `Symbol.dispose`. */
  [Symbol.dispose](): void;
}
