// A manager for tests of apps: no WebAssembly, no clock, no network. Whether somebody is signed in, what the server says and what
// fails is the test's to decide; what the app sees of it is what the package would show.

import { TokenError } from './error.js';
import { createDouble } from './testing/double.js';
import type { TokenErrorCode, TokenErrorDetails } from './error.js';
import type { Challenge, SignoutReason, TokenManager, TokenManagerOptions } from './types.js';

export { isTokenError, TokenError } from './error.js';
export type { TokenErrorCode, TokenErrorDetails } from './error.js';
export type * from './types.js';

/** A session as a test gives it. */
export interface TestSession<Claims extends object = Record<string, unknown>> {
  /** Default `null`, as of an opaque token. */
  claims?: Claims | null;
  /** Default `'test-token-1'`, `'test-token-2'`, … */
  accessToken?: string;
  /** Shown in the state, and nothing else: no clock runs. Default `null`. See {@link TestControls.expire}. */
  expiresAt?: number | null;
  /** As `expiresAt`. */
  sessionExpiresAt?: number | null;
}

/** What {@link createTestTokenManager} takes. */
export interface TestTokenManagerOptions<Claims extends object = Record<string, unknown>>
  extends Pick<TokenManagerOptions, 'apis' | 'attach' | 'exposeToken' | 'subject'> {
  /** Who is signed in at first; `null`: nobody. Default: that is not known yet, and calls that need a token wait for the test to say so. */
  session?: TestSession<Claims> | null;
  /** Sends what {@link TestControls.respond} does not answer. Default: the `fetch` that the platform has at the call. */
  fetch?: typeof globalThis.fetch;
}

/** A call of the app's. */
export interface TestCall {
  /** The member that was called. */
  readonly name: 'known' | 'fetch' | 'login' | 'exchange' | 'signedIn' | 'setTokens' | 'refresh' | 'logout' | 'getAccessToken' | 'peekAccessToken' | 'dispose';
  /** What it was called with. */
  readonly args: readonly unknown[];
  /** Where a request goes, absolute. Without a page, relative URLs are resolved against `http://localhost/`. */
  readonly url?: string;
  /** The method of a request. */
  readonly method?: string;
  /** The body in the `init` of a request. */
  readonly body?: unknown;
  /** What a `fetch` was sent with of the manager's: `'Bearer test-token-1'`; there once it is sent. */
  readonly authorization?: string;
}

/** Which requests are meant: `'/api/todos'`, `'POST /api/todos'`, an absolute URL (all without query), a `RegExp` for the whole URL, or a function. */
export type TestTarget = string | URL | RegExp | ((call: TestCall) => boolean);

/** What answers a request; an `Error` rejects it. A `Response` may be used any number of times. */
export type TestResponse = Response | Error;

/** Methods that can fail. `'ready'`: the package cannot be loaded, and all of them fail. `'refresh'`: also where another method needs one. */
export type TestFailure = 'ready' | 'fetch' | 'login' | 'exchange' | 'refresh' | 'logout';

/** Methods that can be held. */
export type TestHold = Exclude<TestFailure, 'ready'>;

/** What the server answers to a login, exchange or refresh. */
export interface TestAnswer<Claims extends object = Record<string, unknown>> {
  /** The JSON without the tokens: what `login` resolves to, and `event.answer` of a refresh. Default `{}`. */
  json?: unknown;
  /** Default: a refresh goes on with the session there is, and has a new token; a login begins one with an opaque token. */
  session?: TestSession<Claims>;
}

/** What a test does with its manager. All of it happens at once, and is told to listeners before it returns. */
export interface TestControls<Claims extends object = Record<string, unknown>> {
  /** What the app has called so far. */
  readonly calls: readonly TestCall[];

  /** Somebody is signed in. As long as it is unknown, this is what the server has answered (events `change` and `refresh`); else it is a login (`change`). */
  signIn(session?: TestSession<Claims>): void;

  /**
   * Nobody is signed in any more: events `change` and, where somebody was, `signout`. Default `'rejected'`: the server says so. What
   * waits goes on without a token then; after `'logout'` and `'other-tab'` it rejects with `session-changed`.
   */
  signOut(reason?: SignoutReason): void;

  /** It is not known whether somebody is signed in, as in a fresh page. What needs a token waits for `signIn`, `signOut`, or `fail('refresh', …)`. */
  unknown(): void;

  /** The token is past its end, which changes no state: the next call that needs one refreshes first. */
  expire(): void;

  /** An API asks for a stronger login: the event `stepup`. */
  stepUp(challenges?: readonly Challenge[]): void;

  /**
   * From now on a method fails, until {@link TestControls.recover}. A code makes a {@link TokenError} of it, `retryable` where it is an outage;
   * `fail('refresh', 'rejected')` ends the session at the next refresh. What waits for that now fails at once.
   */
  fail(method: TestFailure, error: TokenErrorCode | Error, details?: TokenErrorDetails): void;

  /** A method does what it should again. Default: all do. */
  recover(method?: TestFailure): void;

  /** From now on calls of a method wait. The function that it returns lets them go. */
  hold(method: TestHold): () => void;

  /** What the server answers to a login, exchange or refresh from now on. */
  answer(method: 'login' | 'exchange' | 'refresh', answer: TestAnswer<Claims>): void;

  /** What answers `auth.fetch` from now on; of several that fit, the last. */
  respond(target: TestTarget, response: TestResponse | ((call: TestCall) => TestResponse | Promise<TestResponse>)): void;

  /** As it was made, for the next test; a manager that was disposed of, too. Listeners stay. */
  reset(): void;
}

/** A {@link TokenManager} that does what a test says. */
export interface TestTokenManager<Claims extends object = Record<string, unknown>> extends TokenManager<Claims> {
  /** What the test does with it; an app has no such thing. */
  readonly test: TestControls<Claims>;
}

/**
 * Makes a manager for tests. It works in a page, in jsdom, happy-dom and plain Node alike.
 *
 * ```ts
 * const auth = createTestTokenManager({ session: { claims: { sub: 'alice' } } })
 * auth.test.respond('/api/me', Response.json({ name: 'Alice' }))
 * ```
 */
export function createTestTokenManager<Claims extends object = Record<string, unknown>>(
  options: TestTokenManagerOptions<Claims> = {},
): TestTokenManager<Claims> {
  return createDouble(options);
}

/**
 * The same under the package's own name, for apps that make their manager in a module of their own: where a runner is told that
 * `tokenkeep` is `tokenkeep/testing`, that module is tested as it is. Get at the controls with {@link controls}.
 */
export function createTokenManager<Claims extends object = Record<string, unknown>>(options: TokenManagerOptions): TokenManager<Claims> {
  return createDouble<Claims>(options);
}

/** The controls of a manager that {@link createTokenManager} of this module has made. Throws a {@link TokenError} `invalid-argument` for any other. */
export function controls<Claims extends object>(auth: TokenManager<Claims>): TestControls<Claims> {
  const { test } = (auth ?? {}) as Partial<TestTokenManager<Claims>>;
  if (test) return test;
  throw new TokenError('invalid-argument', "controls: this manager was not made by tokenkeep/testing; tell the test runner that 'tokenkeep' is 'tokenkeep/testing'.");
}
