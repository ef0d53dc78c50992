// XMLHttpRequest with the token: for uploads that show their progress, and for libraries that know nothing else. What the manager does
// for `fetch` is done here for an object that tells of each of its steps, so a refusal that is sent again has to be kept from its listeners.
//
// The request is sent again on the same object, which is the platform's own: `upload`, `timeout`, `responseType` and all
// that somebody has set or listens to stays as it is.

import { isTokenError, TokenError } from '../error.js';
import type { TokenManager, TokenManagerOptions } from '../types.js';
import { copy, type Body } from './body.js';
import { expectManager } from './manager.js';
import { target } from './target.js';
import { setTimer } from './timer.js';
import { firstToken, INCURABLE, newerToken } from './token.js';

/** What the class needs of a manager. */
type Manager = Pick<TokenManager, 'getAccessToken'>;

/** One `open` and what becomes of it; there is none for a request that is none of ours. */
interface Call {
  readonly request: XMLHttpRequest;
  readonly method: string;
  readonly url: string;
  /** The caller's header fields, in their order. */
  readonly fields: [name: string, value: string][];
  /** `'waiting'`: it has been sent, as its caller sees it, and waits for a token. */
  phase: 'opened' | 'waiting' | 'sent' | 'over';
  body?: Body;
  /** The token that it was sent with. */
  token?: string;
  /** Its second sending. */
  isAgain?: boolean;
  /** It has been refused, and nobody is to see that yet. */
  isHidden?: boolean;
  /** What was to be told meanwhile, and the state that it was in. */
  readonly unseen: [state: number, event: Event][];
  /** A state other than the platform's. */
  shown?: number | undefined;
  /** When its caller sent it, and when it left, on the steady clock. */
  began: number;
  left: number;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

const EVENTS = ['progress', 'abort', 'error', 'load', 'timeout', 'loadend'];

// What a request shows that waits for its answer.
const NOTHING = {
  readyState: 1, status: 0, statusText: '', response: null, responseText: '', responseURL: '', responseXML: null,
  getResponseHeader: null, getAllResponseHeaders: '',
};

/**
 * A class that stands for `XMLHttpRequest`: give it to a library, or set `globalThis.XMLHttpRequest`. A request whose URL lies under one of
 * `apis` carries the token. Where it is refused with a 401, the token is refreshed, once for all, and the request is sent once more; its
 * listeners see the second answer alone. `upload` tells of the second sending as of the first.
 * Everything else is the platform's: other URLs, requests that bring an `Authorization` or a user name.
 *
 * `options`: `apis` and `attach` as the manager has them. The manager needs `exposeToken: true`.
 *
 * Where there is no token to be had because the server does not answer, there is the event `error`, whose own member `error` is the
 * {@link TokenError}. `timeout` counts from `send` to the end, waiting and second sending included. To open a synchronous
 * request to one of `apis` throws a {@link TokenError} `invalid-argument`: it cannot wait.
 */
export function createXMLHttpRequest(auth: Manager, options: Pick<TokenManagerOptions, 'apis' | 'attach'> = {}): typeof XMLHttpRequest {
  expectManager(auth, 'createXMLHttpRequest');
  const { covered, header, value } = target('createXMLHttpRequest', options);
  // Under Node a module may make the class, as long as nobody uses it.
  const Native = globalThis.XMLHttpRequest ?? (class {
    constructor() {
      throw new TokenError('server', 'There is no XMLHttpRequest here.');
    }
  } as unknown as typeof XMLHttpRequest);
  const platform = Native.prototype;
  /** As the platform has it, past what the class shows. */
  const stateOf = (request: XMLHttpRequest) => Reflect.get(platform, 'readyState', request) as number;
  const calls = new WeakMap<XMLHttpRequest, Call>();
  const uploads = new WeakMap<EventTarget, XMLHttpRequest>();
  /** The callers' own; the platform is told how much of it is left. */
  const timeouts = new WeakMap<XMLHttpRequest, number>();
  /** The events of our own making. */
  const own = new WeakSet<Event>();

  class Request extends Native {
    constructor(...args: []) {
      super(...args);
      // Before all others, so that what is not to be seen stops here.
      for (const type of [...EVENTS, 'readystatechange', 'loadstart']) super.addEventListener(type, hear.bind(undefined, this), true);
    }

    override open(method: string, url: string | URL, ...rest: unknown[]): void {
      const before = calls.get(this);
      // A user name is an `Authorization` of the caller's.
      const href = (rest[1] ?? undefined) === undefined && covered(`${url}`);
      if (href) {
        if (rest.length && !rest[0]) throw new TokenError('invalid-argument', 'open: a synchronous request cannot wait for a token.');
        calls.set(this, { request: this, method, url: href, fields: [], unseen: [], phase: 'opened', began: 0, left: 0 });
      } else calls.delete(this);
      try {
        super.open(...([method, url, ...rest] as [string, string, boolean]));
      } catch (error) {
        if (before) calls.set(this, before);
        throw error;
      }
      clearTimeout(before?.timer);
      if (timeouts.has(this)) super.timeout = timeouts.get(this)!;
    }

    override setRequestHeader(name: string, text: string): void {
      const call = calls.get(this);
      if (call) expectOpened(call);
      super.setRequestHeader(name, text);
      call?.fields.push([`${name}`, `${text}`]);
    }

    override send(body?: Body): void {
      const call = calls.get(this);
      if (!call || call.fields.some(([name]) => /^authorization$/i.test(name) || name.toLowerCase() === header.toLowerCase())) return super.send(body);
      expectOpened(call);
      call.body = copy(body);
      call.phase = 'waiting';
      call.began = performance.now();
      bound(call);
      tell(call, 'loadstart');
      if (!waits(call)) return;
      firstToken(auth).then(
        (token) => waits(call) && leave(call, token),
        (error: unknown) => {
          if (!waits(call)) return;
          const { code, retryable } = (isTokenError(error) ? error : {}) as Partial<TokenError>;
          // A mistake of the app's, as a manager without `exposeToken`, is not to look as a bad network.
          if (!retryable && code !== 'session-changed') setTimeout(() => { throw error; });
          fail(call, 'error', error);
        },
      );
    }

    override abort(): void {
      const call = calls.get(this);
      if (call?.phase === 'waiting') fail(call, 'abort');
      else {
        super.abort();
        if (call?.shown) call.shown = 0;
      }
    }

    override get timeout(): number {
      return timeouts.get(this) ?? super.timeout;
    }

    override set timeout(ms: number) {
      super.timeout = ms;
      timeouts.set(this, super.timeout);
      const call = calls.get(this);
      if (call) bound(call);
    }
  }

  /** Whether the token that comes is still wanted. */
  function waits(call: Call): boolean {
    return calls.get(call.request) === call && call.phase === 'waiting';
  }

  /** Bounds the call by what is left of its time-out. */
  function bound(call: Call): void {
    clearTimeout(call.timer);
    const all = timeouts.get(call.request);
    if (!all) return;
    if (call.phase === 'waiting') call.timer = setTimer(() => waits(call) && fail(call, 'timeout'), all - performance.now() + call.began);
    else if (call.phase === 'sent') Reflect.set(platform, 'timeout', Math.max(all - call.left + call.began, 1), call.request);
  }

  /** Sends it to the server. */
  function leave(call: Call, token?: string): void {
    const { request } = call;
    try {
      if (call.isAgain) {
        // Whoever watches this object from below, as zone.js does, takes the first sending for ended.
        platform.abort.call(request);
        platform.open.call(request, call.method, call.url, true);
        for (const field of call.fields) platform.setRequestHeader.apply(request, field);
      }
      if (token !== undefined) {
        platform.setRequestHeader.call(request, header, value(token));
        call.token = token;
        // Whoever listens there brings about a preflight; the token does, too.
        if (call.body) {
          uploads.set(request.upload, request);
          for (const type of EVENTS) request.upload.addEventListener(type, muffle, true);
        }
      }
      call.phase = 'sent';
      call.left = performance.now();
      call.isHidden = false;
      bound(call);
      platform.send.call(request, call.body);
    } catch (error) {
      fail(call, 'error', error);
    }
  }

  /** An upload is not over that will be begun again. */
  function muffle(event: Event): void {
    if (calls.get(uploads.get(event.currentTarget!)!)?.isHidden) event.stopImmediatePropagation();
  }

  /** What the platform tells of a request, before anybody else hears of it. */
  function hear(request: XMLHttpRequest, event: Event): void {
    const call = calls.get(request);
    const { type } = event;
    if (!call || call.phase === 'opened' || own.has(event)) return;
    if (type === 'readystatechange' && stateOf(request) === 2 && isRefused(call)) renew(call);
    // `send` has told of the start.
    if (!call.isHidden && type !== 'loadstart') return;
    event.stopImmediatePropagation();
    if (call.isHidden) call.unseen.push([stateOf(request), event]);
  }

  function isRefused(call: Call): boolean {
    const { request, phase, token, isAgain } = call;
    return phase === 'sent' && !!token && !isAgain && request.status === 401 && !INCURABLE.test(request.getAllResponseHeaders());
  }

  /** Asks for a newer token than the one that was refused. The answer stays, hidden, in case there is none. */
  function renew(call: Call): void {
    call.isHidden = call.isAgain = true;
    call.phase = 'waiting';
    bound(call);
    // In a task of its own: in the midst of an answer Chromium would add the rest of it to the next one. It is the question that waits for
    // that: between a token and its sending the session could become another user's.
    setTimeout(() => waits(call) && newerToken(auth, call.token!, call.url).then(
      (token) => waits(call) && (token === undefined ? deliver(call) : leave(call, token)),
      // In an outage a 401 would be taken for the end of the session.
      (error: unknown) => waits(call) && fail(call, 'error', error),
    ));
  }

  /** The refusal is the caller's: it is told of now. What is still to come of it tells of itself. */
  function deliver(call: Call): void {
    call.phase = 'sent';
    call.isHidden = false;
    bound(call);
    for (const [state, event] of call.unseen) {
      call.shown = state;
      tell(call, event.type, event);
    }
    call.shown = undefined;
  }

  /** The request error steps (XMLHttpRequest Standard, section 3.5.6), for what ends while the platform knows of nothing. */
  function fail(call: Call, type: string, error?: unknown): void {
    const { request } = call;
    clearTimeout(call.timer);
    call.isHidden = true;
    call.phase = 'over';
    platform.abort.call(request);
    call.isHidden = false;
    call.shown = 4;
    tell(call, 'readystatechange');
    tell(call, type, undefined, error);
    tell(call, 'loadend');
    if (type === 'abort') call.shown = 0;
  }

  /** To the request's listeners, unless one of them has begun another call on it. */
  function tell(call: Call, type: string, as: Partial<ProgressEvent> = {}, error?: unknown): void {
    if (calls.get(call.request) !== call) return;
    const { lengthComputable = false, loaded = 0, total = 0 } = as;
    const event = type === 'readystatechange' ? new Event(type) : new ProgressEvent(type, { lengthComputable, loaded, total });
    own.add(event);
    call.request.dispatchEvent(error === undefined ? event : Object.assign(event, { error }));
  }

  // An answer that is hidden is not there, whoever asks.
  for (const [name, none] of Object.entries(NOTHING)) {
    const { get: read, value: method } = Object.getOwnPropertyDescriptor(platform, name) ?? {};
    const value = function (this: XMLHttpRequest, ...args: unknown[]): unknown {
      const { isHidden, shown } = calls.get(this) ?? {};
      if (name === 'readyState' && shown !== undefined) return shown;
      if (!isHidden) return (read ?? method).apply(this, args);
      return name === 'response' && /^(text)?$/.test(this.responseType) ? '' : none;
    };
    Object.defineProperty(Request.prototype, name, { configurable: true, enumerable: true, ...(read ? { get: value } : { value, writable: true }) });
  }
  return Request;
}

function expectOpened({ phase }: Call): void {
  if (phase !== 'opened') throw new DOMException('The state must be OPENED.', 'InvalidStateError');
}
