// What the face and the WebAssembly core say to each other. The core decides; the face touches the caller's
// arguments, the platform's `fetch`, and events.

import type { TokenErrorCode, TokenError } from './error.js';
import type { TokenManagerEventMap, TokenState } from './types.js';

/** `Core.depart`: the caller's own arguments go to the platform. */
export const PASS = -1;
/** `Core.depart`: the call must wait; `Core.fetch` takes it the whole way. */
export const WAIT = -2;

/** `Core.redirects`: the platform follows redirects; within the origin; step by step, with questions without the token; not at all. */
export const FOLLOW = 0;
export const SAME_ORIGIN = 1;
export const ASK = 2;
export const REFUSE = 3;

/** See `Core.redirects`. */
export type Guard = (url: string, method: string) => number;

/** A request as it was when the caller made it, whatever becomes of the caller's objects. */
export interface Call {
  /** Absolute, as the platform parsed it, without its fragment. */
  readonly url: string;
  /** `GET` where it is left out. */
  readonly method?: string | undefined;
  /** Brings its own `Authorization`, or is `no-cors`: never touched. */
  readonly exempt: boolean;
  /** The `Authorization` that it brings. */
  readonly authorization: string | undefined;
  /** What becomes of redirects, where the token must be kept from going along; set as soon as there is a core. */
  guard?: Guard | undefined;
  /** `false`: its body is a stream that can be sent once. */
  readonly repeatable: boolean;
  /** Of a login: it has no body, so it brings no credentials. */
  readonly bodiless?: boolean;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** Sends it, with these headers (name, value, name, value, …) set; a name that begins with `?` is that of a parameter of the URL. Where it is not repeatable, once. */
  send(...headers: string[]): Promise<Response>;
  /** Of a login or logout: what `send` would send, for the core to send it and to tear it off when it takes too long. */
  request?(...headers: string[]): Request;
}

/**
 * Who looks on is told of each call: where it leads, without the query, and what `Core.depart` said; `undefined` where the call brings its
 * own `Authorization`, or is `no-cors`. What it returns is told of each sending, and whether that carries the token; once more, without an
 * argument, of the call as a whole; and what this returns in turn, of the end of it: its status, or the name and the code of the error, of whatever kind these are.
 */
export type Watch = (
  url: string,
  way: number | undefined,
  method?: string | undefined,
) => (carries?: boolean) => (status?: number, name?: unknown, code?: unknown) => void;

/** What the core needs of the face. */
export interface Host {
  /** Makes the error that the core throws or rejects with. */
  error(code: TokenErrorCode, message: string, retryable: boolean, status?: number, cause?: unknown): TokenError;
  /** The new state, frozen. */
  state(snapshot: TokenState): void;
  /**
   * An event; `detail` is the reason of a signout, the challenges of a stepup, the JSON of the answer to a refresh; `error` that of a
   * refresherror, and of a signout after a refusal.
   */
  emit(type: keyof TokenManagerEventMap, detail: unknown, error: TokenError | undefined): void;
}

/** The WebAssembly core. One per manager. */
export interface Core {
  /** The name of the header that carries the token; of a parameter of the URL, behind `?`. */
  readonly header: string;
  /**
   * {@link PASS}, {@link WAIT}, or a ticket: send now, with the authorization of that ticket. A ticket may be dropped. Whether
   * it is {@link PASS} hangs on the URL alone; without one, it is not.
   */
  depart(url?: string): number;
  /** The header's value; `undefined` without a session. */
  authorization(ticket: number): string | undefined;
  /** Whether redirects must be looked after at all. */
  readonly guards: boolean;
  /** {@link FOLLOW}, {@link SAME_ORIGIN}, {@link ASK} or {@link REFUSE}; {@link PASS} where the URL is not to get the token. */
  redirects(url: string, method: string): number;
  /** Whether an answer of this status is the caller's. Hangs on the status alone. */
  settles(status: number): boolean;
  /** Looks closer at an answer, refreshes, sends again. */
  follow(call: Call, ticket: number, response: Response): Promise<Response>;
  fetch(call: Call): Promise<Response>;
  login(call: Call): Promise<unknown>;
  setTokens(tokens: object): void;
  /** A session has begun that no script of ours has seen. */
  signedIn(): void;
  /** A call that sets the cookie, with the token. */
  exchange(call: Call): Promise<unknown>;
  refresh(): Promise<void>;
  logout(call: Call | undefined): Promise<void>;
  /** Fulfils when the state is known. */
  known(): Promise<void>;
  getAccessToken(refused?: string, by?: string): Promise<string>;
  peekAccessToken(): string | undefined;
  dispose(): void;
  /** Gives its memory back; nothing of it may be called after that. */
  free(): void;
}

/** The class itself, in an instance of its own. Throws the `TokenError` of a bad option. */
export type CoreClass = new (options: unknown, base: string | undefined, host: Host) => Core;
