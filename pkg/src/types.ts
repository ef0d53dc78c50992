// What users of the package see: the options, the manager, its state and its events.

/// <reference lib="esnext.disposable" preserve="true" />

import type { TokenError } from './error.js';

/** Double-submit protection: a readable cookie whose value goes back in a header. */
export interface CsrfOptions {
  /** The cookie's name; it is read afresh at each sending. */
  cookie: string;
  /** The header's name. */
  header: string;
}

/** A call of the manager's own. */
export interface EndpointOptions {
  /** The endpoint. A relative URL is resolved against the page. */
  url: string | URL;
  /** Default `'POST'`. */
  method?: string;
  /** Headers of the call, beside those that `csrf` and `refreshToken` add. A function is called at each sending. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** A string is sent as it is; an object is sent as JSON, or as a form where `refreshToken` says `{ form }`. */
  body?: string | Record<string, string>;
  /** How long the call may take, in milliseconds. Default 10 000. */
  timeout?: number;
  /** As in `fetch`. Default `'include'`. */
  credentials?: RequestCredentials;
  /** Double-submit protection of this call. Default: the option `csrf`. */
  csrf?: CsrfOptions;
}

/** Where and how the access token is refreshed. */
export interface RefreshOptions extends EndpointOptions {}

/**
 * Refreshes where no options can say how. Resolves to the new tokens, or to `null` for a refusal, which ends the session. If it
 * rejects, or takes longer than 10 seconds, the server was not reached, and the session stays. It calls the platform's `fetch`:
 * `auth.fetch` waits for the refresh, and is refused there.
 */
export type RefreshFunction = (context: {
  /** The refresh token, where one is held in memory. */
  refreshToken: string | undefined;
  /** Aborted when it takes too long. */
  signal: AbortSignal;
}) => Tokens | null | Promise<Tokens | null>;

/** Which endpoint ends the session on the server. */
export interface LogoutOptions extends EndpointOptions {
  /** Statuses that mean success, beside 2xx and 401. */
  success?: readonly number[];
  /**
   * Which token of the session that ends goes along: the access token as `attach` says, or the refresh token as `refreshToken`
   * says, or as the field `token` of a form (`'token'`; RFC 7009, section 2.1). Default: none, for the cookie does. Such a logout
   * cannot be finished at the next start.
   */
  send?: 'access' | 'refresh' | 'token';
}

/** How the token is put on a request. */
export type AttachOptions =
  | {
      /** The header's name (RFC 6750, section 2.1). Default `'Authorization'`. */
      header?: string;
      /** The word before the token. Default `'Bearer'`; `''` for the bare token. */
      scheme?: string;
      query?: never;
      cookie?: never;
      csrf?: never;
    }
  | {
      /**
       * The name of a parameter of the URL (RFC 6750, section 2.3), where a server takes nothing better: URLs end up in logs and
       * histories, and in `Response.url`. A request that brings it itself is left alone.
       */
      query: string;
      header?: never;
      scheme?: never;
      cookie?: never;
      csrf?: never;
    }
  | {
      /**
       * The browser has the token, as a cookie, and the page has none: any success of login and refresh is a session. `credentials`
       * are the caller's, as ever.
       */
      cookie: true;
      header?: never;
      scheme?: never;
      query?: never;
      /** Double-submit protection of requests whose method is not `GET`, `HEAD` or `OPTIONS`. */
      csrf?: CsrfOptions;
    };

/** A value in a JSON body. Compared as text: 40101 equals `'40101'`. */
export type Scalar = string | number | boolean;

/** Which answers are meant: all members that are there must match. */
export interface AnswerRule {
  /** HTTP statuses, from 200 to 599. */
  status?: number | readonly number[];
  /**
   * A field of a JSON body. It is read from a copy: of answers that say that they are JSON, and of texts that begin as JSON does. Of a
   * body of more than 256 KiB, or one that has not come to its end within a second, nothing is known; of JSON by lines, the first line is read.
   */
  body?:
    | {
        /** A dotted path into the body, as `'error.code'`. `*`, or a number, is any member of a list: `'errors.*.code'`. */
        path: string;
        /** The values that are meant. Default: any but `null`. */
        equals?: Scalar | readonly Scalar[];
        absent?: never;
      }
    | {
        path: string;
        /** There is nothing at that path, or `null`. */
        absent: true;
        equals?: never;
      };
  /** A header of the answer, where CORS exposes it. Trailers are not seen. */
  header?: {
    /** The header's name. */
    name: string;
    /** The values that are meant. Default: any. */
    equals?: Scalar | readonly Scalar[];
  };
  /** `error` of a challenge in `WWW-Authenticate` (RFC 6750, section 3), where CORS does not hide that header. */
  challenge?: string | readonly string[];
}

/** The same, of an answer to a request of the app's, or to the refresh. */
export interface CallRule extends AnswerRule {
  /** The answer came by way of a redirect, as to a login page. */
  redirected?: true;
}

/**
 * There is no answer: a 401 without CORS headers looks so. A network error while the token is past its end, or nobody knows its
 * end, counts as a refusal of it, once, for `GET`, `HEAD` and `OPTIONS`.
 */
export interface NetworkErrorRule {
  networkError: true;
}

/** A dotted path into a JSON body, as `'data.token'`; of several, the first that holds something counts. */
export type Paths = string | readonly string[];

/**
 * Where the tokens stand in the JSON answers of login and refresh (RFC 6749, section 5.1). A field that is missing, `null`
 * or `''` holds nothing. The life of a token of which the answer says nothing is read from the token, if it is a JWT.
 */
export interface ResponseOptions {
  /** Default `'access_token'`. */
  accessToken?: Paths;
  /** Default `'refresh_token'`; used only where the refresh token is no cookie. One that is not there keeps the old one. */
  refreshToken?: Paths;
  /** Seconds until the token runs out: a number, or a text that is one. Default `'expires_in'`. */
  expiresIn?: Paths;
  /**
   * When the token runs out, by the server's clock, which the answer's `Date` tells: seconds or milliseconds since the
   * epoch, or ISO 8601 with a zone (RFC 3339, section 5.6). Default: nowhere.
   */
  expiresAt?: Paths;
  /**
   * For how many seconds more the session can be renewed; what an answer does not say stays as it was. Default
   * `['refresh_expires_in', 'refresh_token_expires_in']`. It is told as {@link TokenState.sessionExpiresAt}, and nothing else hangs on it.
   */
  sessionExpiresIn?: Paths;
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
  /**
   * Where the access token is refreshed, or a function that does it. `false`: nowhere; new tokens come by `adopt`, `login` or
   * `setTokens` alone, and a token past its end is sent all the same.
   */
  refresh: string | URL | RefreshOptions | RefreshFunction | false;
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
  /**
   * Which answers say that the token is refused: any of these rules. Default `{ status: 401 }`. A challenge that a new token does
   * not cure (`insufficient_scope`) is the caller's, unless the rule names it; a challenge that CORS hides is passed over where
   * the rule has a status.
   */
  unauthorized?: CallRule | NetworkErrorRule | readonly (CallRule | NetworkErrorRule)[];
  /** Which answers say "log in again": the session ends (`signout`, reason `'ended'`), and the answer is the caller's. Default: none. */
  ended?: CallRule | readonly CallRule[];
  /**
   * Which answers ask for more than the session has (RFC 9470): the event `stepup`, no refresh, and the answer is the caller's.
   * Default `{ status: 401, challenge: ['insufficient_user_authentication', 'insufficient_claims'] }`.
   */
  stepUp?: CallRule | readonly CallRule[];
  /**
   * Which answers to a refresh end the session; all others keep it. A login that is answered so is refused, too. Default: 400, 401 and 403 with JSON or without a body, and
   * `invalid_grant` (RFC 6749, section 5.2) with any 4xx; 2xx that says outright that there is no session: JSON `null`, `{}`, or `null` where
   * the token stands; and a redirect to a page, where `unauthorized` or `ended` has a rule with `redirected`.
   */
  rejected?: CallRule | readonly CallRule[];
  /** A new token in a header of any answer to a request with the newest token, whatever its status. Default: none. */
  adopt?: { /** The header's name. CORS must expose it. */ header: string };
  /** Where the tokens stand in the answers of login and refresh. */
  response?: ResponseOptions;
  /** Double-submit protection of login, refresh and logout. */
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
  /**
   * Tells managers apart that are alike otherwise. Managers whose options contain functions share with other tabs only under the
   * same name. Default: none.
   */
  name?: string;
  /** The claim that names the user: a string or a number. A token of another user begins another session. Default `'sub'` (RFC 7519, section 4.1.2). */
  subject?: string;
  /**
   * The name of a readable cookie that is there as long as there is a session. Without it nobody is signed in, and nobody is asked.
   * Only where the refresh token is a cookie, too. Default: the cookie of `csrf`, if there is one.
   */
  sessionHint?: string;
  /** How an answer to `login` is waited for and read. */
  login?: LoginOptions;
  /**
   * What becomes of a call that needs a token while the refresh does not reach the server. `'send'`: one with the method `GET`, `HEAD` or
   * `OPTIONS` is sent without a token; `'reject'`: it fails; `'auto'`: it is sent where a service worker controls the page and there is
   * no network, or none to the API's origin. A 401 to such a call rejects with the error of the refresh. Default `'auto'`.
   */
  offline?: 'auto' | 'send' | 'reject';
  /**
   * Whether tokens are bound to a key (DPoP, RFC 9449): login, refresh and `exchange` carry a proof, and so does every request with a token of
   * which the answer says `token_type: 'DPoP'`. One that is `Bearer` is sent as ever. `true`: the key is in IndexedDB, for all tabs and
   * for later page loads. `{ keys: 'memory' }`: each page load has its own, and tabs share no tokens. Excludes `exposeToken`
   * and `logout: { send: 'access' }`. Default `false`.
   */
  dpop?: boolean | { keys: 'memory' };
  /** Where the token lives. The other homes, in a worker, have an entry of their own: `tokenkeep/isolated`. Default `'page'`. */
  isolation?: 'page';
}

/** How an answer to `login` is waited for and read. */
export interface LoginOptions {
  /** How long it may take, in milliseconds. Default 30 000. */
  timeout?: number;
  /**
   * Which answers begin no session yet, as where a second factor is asked for: `login` resolves to their JSON, and nothing changes.
   * Default: none; an answer without a token is the error `no-token`.
   */
  incomplete?: AnswerRule | readonly AnswerRule[];
}

/** What `setTokens` takes. */
export interface Tokens {
  /** The access token. */
  accessToken: string;
  /** Seconds until it runs out, as OAuth's `expires_in`. Default: what the token itself says, if it is a JWT. */
  expiresIn?: number;
  /** The refresh token, where the option `refreshToken` is not `'cookie'`; with that it is not kept. */
  refreshToken?: string;
}

/** What `getAccessToken` is told of a token that an API has refused. */
export interface RefusedToken {
  /**
   * The token. It is not handed out again to who reports it; all who say so of one token bring about one refresh. For one of another session, which may be
   * another user's, none of this one is given.
   */
  refused?: string;
  /** The URL that refused it. A URL that refuses the token after it, too, means "forbidden": that costs no further refresh. */
  by?: string | URL;
}

/**
 * An immutable snapshot of the session. The same object until something in it changes. `Claims`: what the app knows of the
 * claims; nobody checks it.
 */
export interface TokenState<Claims extends object = Record<string, unknown>> {
  /** `'unknown'` until the server has been asked whether there is a session. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out';
  /** The decoded payload of a JWT (not verified: that is the server's), deeply frozen; `null` for an opaque token or none. */
  readonly claims: Readonly<Claims> | null;
  /** When the access token runs out, in milliseconds since the epoch by this machine's clock; `null` where that is not known. */
  readonly expiresAt: number | null;
  /** When the session ends unless it is renewed, on the same clock; `null` where the server does not say so. See {@link ResponseOptions.sessionExpiresIn}. */
  readonly sessionExpiresAt: number | null;
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

/** The event `refresh`. */
export interface RefreshEvent extends Event {
  /** The JSON of the server's answer without the tokens, deeply frozen; `undefined` where another tab has asked, or a function. */
  readonly answer: unknown;
}

/** The event `signout`. */
export interface SignoutEvent extends Event {
  /** Why the session ended. */
  readonly reason: SignoutReason;
  /** What refused it, where `reason` is `'rejected'`: its `cause` is the server's `Response`, where this tab has asked. */
  readonly error?: TokenError;
}

/** The event `refresherror`. */
export interface RefreshErrorEvent extends Event {
  /** Why the refresh failed. */
  readonly error: TokenError;
}

/** A challenge of `WWW-Authenticate` (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case: `'bearer'`. */
  readonly scheme: string;
  /** By name, in lower case: `error`, `acr_values`, `max_age`, `claims`, … */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The event `stepup`. */
export interface StepUpEvent extends Event {
  /** All challenges of the answer; none where CORS hides them. */
  readonly challenges: readonly Challenge[];
}

/** The events of a manager, by type. Each is dispatched exactly once per fact. */
export interface TokenManagerEventMap {
  /** `state` is another object now. */
  change: Event;
  /** A refresh brought a new token. */
  refresh: RefreshEvent;
  /** The session ended. */
  signout: SignoutEvent;
  /** A refresh failed. The session is still there where `error.retryable`. */
  refresherror: RefreshErrorEvent;
  /** An answer asks for a newer or stronger login, or other claims. */
  stepup: StepUpEvent;
}

/** A listener for the events of type `K`. */
export type TokenManagerListener<K extends keyof TokenManagerEventMap> =
  | ((event: TokenManagerEventMap[K]) => void)
  | { handleEvent(event: TokenManagerEventMap[K]): void };

/**
 * Keeps the access token, and gives the app a `fetch` that uses it. Every method works detached
 * (`const { fetch } = auth`), and never throws: it rejects. Only `peekAccessToken`, which cannot wait, throws.
 *
 * `Claims`: what the app knows of the token's claims; nobody checks it.
 */
export interface TokenManager<Claims extends object = Record<string, unknown>> extends Disposable {
  /**
   * Resolves when the manager can work. Rejects with {@link TokenError} `not-loaded` or `invalid-option`,
   * as every call then does; it need not be handled. Without a page or worker (under Node) nothing is loaded,
   * and this and every call reject with `server`.
   */
  readonly ready: Promise<void>;

  /** The session, as far as it is known. See {@link TokenState}. */
  readonly state: TokenState<Claims>;

  /**
   * The state, as soon as it is known whether somebody is signed in: for a guard that must not decide too early. Where nobody has
   * asked the server yet, this does; with `restore: 'manual'` nobody asks, and `status` may be `'unknown'`.
   *
   * Rejects with the {@link TokenError} of the refresh (`retryable`) where the server could not be reached: nothing is known then.
   */
  known: () => Promise<TokenState<Claims>>;

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
   * Takes a string, a `URL` or a `Request`; the method is `POST` and credentials are included unless `init` says otherwise.
   *
   * Without a body it carries the token of the session, as {@link TokenManager.exchange} does.
   *
   * Rejects with {@link TokenError} `rejected` where the server refuses, and `no-token` where the answer brings none and is not
   * `login.incomplete`: its `cause` is the `Response`. The session there was stays as it was then.
   */
  login: <Rest = unknown>(input: RequestInfo | URL, init?: RequestInit) => Promise<Rest>;

  /**
   * A call that sets the cookie and needs the token, as to switch the organisation: as {@link TokenManager.login}, with the token of
   * the session.
   */
  exchange: <Rest = unknown>(input: RequestInfo | URL, init?: RequestInit) => Promise<Rest>;

  /**
   * Says that a session has begun that no script of ours has seen: by a redirect, or a form of the server's. A page that is come back
   * to calls it in the turn of `createTokenManager`. The next call asks the server.
   */
  signedIn: () => Promise<void>;

  /**
   * Begins a session with tokens that the app got by itself. A newer token of the same user, by the option `subject`, renews the session
   * there is. Rejects with {@link TokenError} `invalid-argument`.
   */
  setTokens: (tokens: Tokens) => Promise<void>;

  /**
   * Asks for a new access token now, or joins the refresh in flight (RFC 6749, section 6).
   * Rejects with a {@link TokenError}; `rejected`: the session is over.
   */
  refresh: () => Promise<void>;

  /**
   * Ends the session, here and in every tab, at once; then tells the server. Takes what `login` takes; without arguments, or with an
   * event (`onClick={auth.logout}`), it calls the option `logout`, if there is one. Rejects where the server could not be told: the session has
   * ended here all the same, and the server is told at the next start.
   */
  logout: (input?: RequestInfo | URL, init?: RequestInit) => Promise<void>;

  /**
   * The access token, refreshed if it must be: for WebSocket, EventSource and SDKs that cannot use `fetch`.
   * Rejects with {@link TokenError} `not-exposed` unless the option `exposeToken` is `true`, `signed-out` without a session,
   * `session-changed` where the session it was asked for has ended meanwhile, or `refused` is a token of another one, and `forbidden` where
   * the API refuses a new token, too.
   */
  getAccessToken: (about?: RefusedToken) => Promise<string>;

  /**
   * The access token, if one is there and has not ended, for hooks that cannot wait. It is not refreshed, so `undefined` may
   * also say that the package is not loaded yet, or that nobody has asked the server: use `getAccessToken` where you can.
   * Throws {@link TokenError} `not-exposed` unless the option `exposeToken` is `true`.
   */
  peekAccessToken: () => string | undefined;

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
