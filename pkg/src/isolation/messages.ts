// What a page and the worker that keeps its token say to each other. Each page has a port of its own. No message has room for a token on
// its way to the page, and none on its way to the worker changes an option.

import type { Api } from '../covers.js';
import type { TokenErrorCode } from '../error.js';
import type { TokenManagerEventMap, Tokens, TokenState } from '../types.js';

/** The form of the messages. Who speaks another one is told so, and no more. */
export const VERSION = 1;

/** So many chunks of a body are under way to the page at once; it asks for one more with each that it takes. */
export const AHEAD = 4;

/** The calls that are no `fetch`, by the manager's own names. */
export type Method = 'exchange' | 'known' | 'login' | 'logout' | 'refresh' | 'setTokens' | 'signedIn';

/** What a page alone can say. All of it is taken from the page's word: nothing that is secret, or gets a secret, hangs on it. */
export interface Facts {
  /** The values of the cookies that the options name, and of no others: `undefined` is not there, and `null` cannot be read. */
  cookies: Record<string, string | null | undefined>;
  /** Whether a service worker answers the calls of the page. */
  controlled: boolean;
  /** Whether the page can be seen. */
  visible: boolean;
}

/** A body, in a form that can be cloned. A stream is transferred; one that is `later` follows in a message of its own. */
export type Body = string | ArrayBuffer | Blob | ReadableStream | { params: string } | { form: [name: string, value: FormDataEntryValue][] } | { later: true };

/** A request, as it was when the caller made it. */
export interface WireRequest {
  url: string;
  /** Members of `RequestInit`, plain values all of them. */
  init: RequestInit;
  body?: Body | undefined;
}

/** An answer without its body, which follows by the number `stream`. */
export interface WireResponse {
  status: number;
  statusText: string;
  headers: [name: string, value: string][];
  url: string;
  type: ResponseType;
  redirected: boolean;
  stream?: number | undefined;
}

/** An error: ours, the platform's, or a value that was thrown and is no error. */
export type WireError =
  | { is: 'token'; code: TokenErrorCode; message: string; retryable: boolean; status?: number | undefined; cause?: WireError | WireResponse | undefined }
  | { is: 'platform'; class: string; name: string; message: string }
  | { is: 'value'; value: unknown };

/** What a page goes on with that has spoken to a life of the worker that is over: the number of its last logout, and of streams so far. */
export interface Resumes {
  left: number;
  streams: number;
}

/** To the worker. The first is `hello`, and what comes before it is not heard. */
export type ToWorker =
  | { kind: 'hello'; version: number; options: Record<string, unknown>; marks: Record<string, string>; maybeSignIn: boolean; resumes?: Resumes }
  | { kind: 'facts'; facts: Facts }
  /** The marks in the storage have changed. */
  | { kind: 'marks'; marks: Record<string, string> }
  /** The page has been come back to. */
  | { kind: 'shown'; persisted: boolean }
  | { kind: 'fetch'; id: number; request: WireRequest }
  | { kind: 'call'; id: number; method: Method; request?: WireRequest | undefined; tokens?: Tokens | undefined }
  /** The body that was to come later; none where it could not be read. */
  | { kind: 'body'; id: number; body?: Blob | undefined }
  | { kind: 'abort'; id: number }
  /** One chunk more of a stream is asked for; or no more. */
  | { kind: 'pull'; stream: number }
  | { kind: 'cancel'; stream: number }
  /** The page goes, or its manager was disposed. */
  | { kind: 'bye'; disposed: boolean };

/** To the page. */
export type ToPage =
  /** `apis`: who may receive the token. `cookies`: the names of those that the worker needs. */
  | { kind: 'welcome'; version: number; apis: Api[]; cookies: string[] }
  | { kind: 'ready' }
  | { kind: 'failed'; error: WireError }
  /** `left`: the number of the page's last logout that it takes into account. */
  | { kind: 'state'; state: TokenState; left: number }
  | { kind: 'event'; type: keyof TokenManagerEventMap; members: Record<string, unknown>; error?: WireError | undefined }
  | { kind: 'mark'; key: string; text?: string | undefined }
  | { kind: 'response'; id: number; response: WireResponse }
  | { kind: 'done'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'chunk'; stream: number; bytes: Uint8Array<ArrayBuffer> }
  | { kind: 'end'; stream: number }
  | { kind: 'broken'; stream: number; error: WireError };
