// Reads the two arguments of `fetch` as the platform does: at the call, each member once, never again. What is kept can be
// sent later, and a second time, whatever the caller does to the objects meanwhile (Fetch Standard, sections 5.3 and 5.4).
//
// `init` is copied member by member, and the copy is what the platform gets. Where only the platform can take the snapshot
// (a `Request`, a stream, an object of another realm), it does: `new Request`. Where something is wrong with the arguments,
// the platform is left to say so.

import { duplicate, transmit } from '#fetch';
import { ownBase, pageBase } from './base.js';
import { TokenError } from './error.js';
import { isObject } from './object.js';
import { ASK, FOLLOW, PASS, SAME_ORIGIN, type Call, type Guard } from './core-interface.js';

export type Init = Record<string, unknown>;

/** Of a login or logout, unless the caller says otherwise. */
export const CREDENTIALS = { method: 'POST', credentials: 'include' };
/** These URLs reach no server. */
export const LOCAL = /^(about|blob|data):/;

/** The first argument, read once. */
export interface Target {
  /** What stands for it from now on: a string, a `URL`, or a `Request`. */
  readonly input: unknown;
  /** Where it leads. */
  readonly place: Place;
  /** Whether `input` is a `Request`. */
  readonly request: boolean;
}

/** A URL, as the platform parses it. */
export interface Place {
  /** `undefined` where it refuses. */
  readonly href: string | undefined;
  /** Without its fragment. */
  readonly url: string;
  /** Whether it gets the token; `undefined` as long as nobody has asked. */
  covered?: boolean;
}

/** The places of late: an app calls the same URLs over and over, and parsing one costs as much as all the rest of a call. */
export interface Places {
  /** What relative URLs in it were resolved against. */
  base?: string | undefined;
  readonly known: Map<string, Place>;
}

// So many, and of such a length, are kept.
const PLACES = 100;
const LENGTH = 1000;

// The members of RequestInit, in the order in which the platform reads them.
const MEMBERS = /*#__PURE__*/ (
  'adAuctionHeaders attributionReporting body browsingTopics cache credentials duplex headers integrity keepalive method ' +
  'mode priority privateToken redirect referrer referrerPolicy retryOptions sharedStorageWritable signal ' +
  'targetAddressSpace window'
).split(' ');

// Those that are strings: an object in the place of one (a `URL` as referrer) is read as what it says now.
const TEXTS = /*#__PURE__*/ 'cache credentials duplex integrity method mode priority redirect referrer referrerPolicy targetAddressSpace'.split(' ');

/** So many redirects are followed, step by step. */
const STEPS = 5;

/** The page's `fetch`, with the caller's own arguments. */
export function platform(url: string, ...args: unknown[]): Promise<Response> {
  return transmit(url, args) as Promise<Response>;
}

/** The same, with a copy. */
function transmitted(url: string, ...args: unknown[]): Promise<Response> {
  return transmit(url, args, true) as Promise<Response>;
}

/** Reads the first argument. Throws what the caller's `toString` throws. */
export function locate(input: unknown, places?: Places): Target {
  const address = requestUrl(input);
  const request = address !== undefined;
  if (typeof input === 'symbol') return { input, place: { href: undefined, url: '' }, request };
  const text = address ?? `${input as string}`;
  // Asked each time: a page may change it.
  return { input: request || input instanceof URL ? input : text, place: look(text, pageBase(), places), request };
}

/** The first argument of a login or logout; `undefined` where that is neither a string, nor a URL, nor a `Request`. */
export function address(input: unknown): Target | undefined {
  const own = requestUrl(input);
  if (own !== undefined) return { input, place: look(own, undefined), request: true };
  const text = typeof input === 'string' ? input : urlText(input);
  if (text !== undefined) return { input: text, place: look(text, ownBase()), request: false };
  return;
}

function look(text: string, base: string | undefined, places?: Places): Place {
  if (!places || text.length > LENGTH) return parse(text, base);
  const { known } = places;
  if (places.base !== base || known.size >= PLACES) known.clear();
  places.base = base;
  let place = known.get(text);
  if (!place) known.set(text, (place = parse(text, base)));
  return place;
}

function parse(text: string, base: string | undefined): Place {
  try {
    const url = new URL(text, base);
    const { href } = url;
    // The platform takes no URL with credentials.
    if (!href.includes('@') || (!url.username && !url.password)) return { href, url: href.split('#')[0]! };
  } catch {
    // No URL: the platform says so.
  }
  return { href: undefined, url: '' };
}

/**
 * Reads the second argument, and takes the snapshot. `waits` is a call that cannot leave at once. Where the arguments are bad
 * it is the platform's answer that comes back, at once. Throws what the caller's getters throw.
 */
export function capture({ input, place, request }: Target, init: unknown, waits?: boolean): Call | Promise<Response> {
  const { href, url } = place;
  if (href === undefined) return platform(url, input, init);
  const copy = { __proto__: null } as Init;
  if (init !== undefined && init !== null) {
    if (!isObject(init)) return platform(url, input, init);
    read(init as Init, copy);
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers);
    else if (copy.headers !== undefined) return platform(url, input, copy);
  }
  try {
    const call = !request && direct(place, copy);
    // What is bad is to be refused now, not when the call leaves. Any body will do: its own is not to be read.
    if (call && waits) new Request(href, { __proto__: null, ...copy, body: (copy.body ?? null) === null ? null : '' } as RequestInit);
    return call || viaRequest(request ? input : href, place, copy);
  } catch {
    return platform(url, input, copy);
  }
}

/**
 * The same for a login or logout, of which nothing but the core may send anything. `defaults` are for what a string or URL and
 * `init` leave out. Throws what the platform says of bad arguments.
 */
export function captureOwn({ input, place, request }: Target, init: unknown, defaults: Init): Call {
  const copy = { __proto__: null, ...(request ? {} : defaults) } as Init;
  if (isObject(init)) {
    read(init as Init, copy);
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers);
  } else if (init !== undefined && init !== null) new Request('about:blank', init as RequestInit);
  // The platform says what is wrong with it.
  const { href = new Request(input as RequestInfo).url } = place;
  return viaRequest(request ? input : href, place, copy);
}

/** A call whose snapshot is `init` itself; `undefined` where only the platform can take one. */
function direct({ href, url }: Place, init: Init): Call | undefined {
  const signal = init.signal as AbortSignal | null | undefined;
  if (signal && !isSignal(signal)) return;
  if (isObject(init.body)) {
    const body = copyBody(init.body);
    if (body === undefined) return;
    init.body = body;
  }
  const own = (init.headers ?? []) as Pair[];
  const { method } = init as { method?: string };
  let authorization: string | undefined;
  for (const [name, value] of own) if (isSame(name, 'authorization')) authorization = value;
  const call: Call = {
    url,
    exempt: authorization !== undefined || init.mode === 'no-cors',
    authorization,
    method,
    repeatable: true,
    signal: signal ?? undefined,
    send(...more) {
      return guarded(call.guard, method, init.redirect, url, more, (address, more, limits) => {
        const { headers, parameter } = fields(own, more);
        if (parameter) address = withParameter(address, ...parameter);
        return transmitted(address, address === url ? href : address, { ...init, headers, ...limits });
      });
    },
  };
  return call;
}

type Pair = [name: string, value: string];

/** Header fields with others set; a name that begins with `?` is that of a parameter of the URL. */
function fields(own: Pair[], more: string[]): { headers: unknown; parameter?: Pair } {
  let pairs = own;
  let parameter: Pair | undefined;
  for (let i = 0; i < more.length; i += 2) {
    const name = more[i]!;
    const pair: Pair = [name, more[i + 1]!];
    if (name[0] === '?') parameter = pair;
    else {
      // By a literal: `push` asks `Object.prototype` for setters named as a place in the list.
      pairs = [...pairs.filter(([own]) => !isSame(own, name)), pair];
    }
  }
  const headers = record(pairs);
  return parameter ? { headers, parameter } : { headers };
}

/**
 * As a plain object, which is what most wrappers of `fetch` take `init.headers` for. Values of one name are joined, as the
 * platform would (Fetch Standard, section 2.2.2). What is no list of header fields stays as it is, for the platform to refuse.
 */
function record(pairs: Pair[]): unknown {
  let plain: Record<string, string> = {};
  const spelled = new Map<string, string>();
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return pairs;
    const [name, value] = pair as unknown[];
    if (typeof name !== 'string' || typeof value === 'symbol') return pairs;
    const lower = name.toLowerCase();
    const first = spelled.get(lower);
    if (first !== undefined) plain[first] = `${trim(plain[first])}, ${trim(value)}`;
    // No member can be had of that name.
    else if (name === '__proto__') return new Headers(pairs);
    else {
      spelled.set(lower, name);
      // Nobody's setter on `Object.prototype` gets it.
      plain = { ...plain, [name]: value as string };
    }
  }
  return plain;
}

function trim(value: unknown): string {
  return `${value as string}`.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
}

/** What `send` sets in `init` beside the headers. */
type Limits = { mode?: string; redirect?: string };
type Send = (url: string, more: string[], limits: Limits) => Promise<Response>;

/**
 * Sends a request in such a way that no redirect takes the token, which is in `more`, to where it must not go. What is followed
 * step by step is asked for without the token first, to learn where it ends.
 */
async function ask(guard: Guard, method: string, url: string, more: string[], send: Send, steps: number): Promise<Response> {
  const way = guard(url, method);
  const response = await send(url, more, way === FOLLOW ? {} : way === SAME_ORIGIN ? { mode: 'same-origin' } : { redirect: 'manual' });
  if (way < ASK || response?.type !== 'opaqueredirect') return response;
  if (way === ASK && steps) {
    const answer = await send(url, [], { redirect: 'follow' });
    const end = answer.url.split('#')[0]!;
    if (answer.redirected && end !== url) {
      if (guard(end, method) === PASS) return answer;
      void answer.body?.cancel().catch(() => {});
      return ask(guard, method, end, more, send, steps - 1);
    }
    void answer.body?.cancel().catch(() => {});
  }
  throw new TokenError('redirected', 'A redirect would take the token elsewhere; send to the URL it leads to.');
}

/** `redirect` is the caller's: who follows none himself needs no guard. */
function guarded(guard: Guard | undefined, method = 'GET', redirect: unknown, url: string, more: string[], send: Send): Promise<Response> {
  const isFree = !guard || !more.length || redirect === 'manual' || redirect === 'error';
  return isFree ? send(url, more, {}) : ask(guard, method, url, more, send, STEPS);
}

/** A call whose snapshot is a `Request`. Its headers are set on it: a second `init` would reset its referrer. */
function viaRequest(input: unknown, { url }: Place, init: Init): Call {
  let next: Request | undefined = new Request(input as RequestInfo, init as RequestInit);
  const stream = 'duplex' in next && init.body instanceof ReadableStream;
  // It is made once more: the platform had to say first that it takes the stream as it is.
  if (stream) next = new Request(input as RequestInfo, { __proto__: null, ...init, body: locked(init.body as ReadableStream) } as RequestInit);
  const spare = stream ? undefined : duplicate(next);
  const { headers, method, mode, redirect, referrer, referrerPolicy, signal } = next;
  const authorization = headers.get('authorization') ?? undefined;
  // Where the server objects to a proof, it is sent more than twice.
  const take = (more: string[]): Request => {
    const request = next ?? spare!.clone();
    next = undefined;
    return set(request, more);
  };
  const call: Call = {
    url,
    method,
    exempt: mode === 'no-cors' || authorization !== undefined,
    authorization,
    repeatable: !!spare,
    // Of a `Request`, its method tells: in WebKit to ask for its body would make a stream of it.
    bodiless: (init.body ?? null) === null && (typeof input === 'string' || /^(GET|HEAD)$/.test(method)),
    signal,
    request(...more) {
      const way = call.guard && more.length ? call.guard(url, method) : FOLLOW;
      const request = take(more);
      if (way <= FOLLOW) return request;
      return new Request(request, again(way === SAME_ORIGIN ? { mode: 'same-origin' } : { redirect: 'error' }) as RequestInit);
    },
    send(...more) {
      if (more[0]?.[0] === '?') return readdress(take([]), withParameter(url, more[0], more[1]!));
      // Before the token is on it. Only what has no body is asked for again.
      const bare = call.guard && /^(GET|HEAD)$/.test(method) ? (next ?? spare!).clone() : undefined;
      let first: Request | undefined = take(more);
      return guarded(call.guard, method, redirect, url, more, (address, more, limits) => {
        const request = first ?? set(new Request(address, bare as RequestInit), more);
        first = undefined;
        return limits.mode || limits.redirect ? transmitted(address, request, again(limits)) : transmitted(address, request);
      });
    },
  };
  // What another `init` would reset goes along.
  const again = (limits: Limits): Init => ({ ...limits, referrer, referrerPolicy });
  return call;
}

/** With these headers set: name, value, name, value, … */
function set(request: Request, more: string[]): Request {
  for (let i = 0; i < more.length; i += 2) request.headers.set(more[i]!, more[i + 1]!);
  return request;
}

/**
 * The same stream, locked from now on, as `fetch` locks it. It is not cloned to find out whether it can be sent again: the
 * source of a clone hears of an abort in a list.
 */
function locked(stream: ReadableStream): ReadableStream {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** `name` begins with `?`. */
function withParameter(url: string, name: string, value: string): string {
  return `${url}${url.includes('?') ? name.replace('?', '&') : name}=${encodeURIComponent(value)}`;
}

/** Sends a request to another URL. Its body goes along as a blob: as a stream, which it would be else, not every server takes it. */
async function readdress(request: Request, url: string): Promise<Response> {
  const init: Init = {};
  read(request as unknown as Init, init);
  init.body = /^(GET|HEAD)$/.test(request.method) ? undefined : await request.blob();
  return transmitted(url, url, init);
}

/** Each member once, in the platform's order; then whatever else a patched `fetch` may look for. */
export function read(init: Init, copy: Init): void {
  // By name: an engine remembers at each of them where the member is, or that there is none.
  const values = [
    init.adAuctionHeaders, init.attributionReporting, init.body, init.browsingTopics, init.cache, init.credentials, init.duplex,
    init.headers, init.integrity, init.keepalive, init.method, init.mode, init.priority, init.privateToken, init.redirect,
    init.referrer, init.referrerPolicy, init.retryOptions, init.sharedStorageWritable, init.signal, init.targetAddressSpace,
    init.window,
  ];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined) continue;
    const name = MEMBERS[i]!;
    copy[name] = isObject(value) && TEXTS.includes(name) ? `${value as unknown as string}` : value;
  }
  for (const name of Object.keys(init)) if (!MEMBERS.includes(name)) copy[name] = init[name];
}

/** As pairs, whatever they were given as (Web IDL, `sequence` and `record`). What is no header is left for the platform to refuse. */
export function copyHeaders(given: object): unknown[] {
  if (Symbol.iterator in given) {
    const copy = [];
    for (const pair of given as Iterable<unknown>) copy.push(isObject(pair) && Symbol.iterator in pair ? [...(pair as Iterable<unknown>)].map(text) : pair);
    return copy;
  }
  const copy = [];
  for (const name of Reflect.ownKeys(given)) {
    if (isEnumerable.call(given, name)) copy.push([name, text((given as Record<PropertyKey, unknown>)[name])]);
  }
  return copy;
}

const isEnumerable = /*#__PURE__*/ (() => Object.prototype.propertyIsEnumerable)();

/** What an object says now; anything else says the same at any time. */
function text(value: unknown): unknown {
  return isObject(value) ? `${value as unknown as string}` : value;
}

/** `undefined` for what cannot be copied here. */
export function copyBody(body: object): unknown {
  // Immutable; and never to be read into memory.
  if (body instanceof Blob) return body;
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (body instanceof FormData) {
    const copy = new FormData();
    for (const [name, value] of body) copy.append(name, value as string);
    return copy;
  }
  const { buffer = body, byteOffset = 0, byteLength } = body as { buffer?: unknown; byteOffset?: number; byteLength?: number };
  try {
    // Of whatever realm: WebKit's `Request` shares the bytes of a foreign one with its caller.
    if (!(buffer as { resizable?: boolean }).resizable) return ArrayBuffer.prototype.slice.call(buffer, byteOffset, byteOffset + byteLength!);
  } catch {
    // No buffer, or one that is detached.
  }
}

/** Whether it is a signal of this realm's, and not something that only looks as one. */
export function isSignal(value: object): boolean {
  try {
    return value instanceof AbortSignal && typeof Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!.call(value) === 'boolean';
  } catch {
    return false;
  }
}

/** The text of a `URL`, of whatever realm; `undefined` for anything else. */
function urlText(input: unknown): string | undefined {
  try {
    if (isObject(input) && Object.prototype.toString.call(input) === '[object URL]') return `${(input as URL).href}`;
  } catch {
    // It is none.
  }
  return;
}

/** Whether two names are of the same header. */
function isSame(one: unknown, other: string): boolean {
  return typeof one === 'string' && one.length === other.length && one.toLowerCase() === other.toLowerCase();
}

/** The URL of a `Request`, of whatever realm; `undefined` for anything else. */
function requestUrl(input: unknown): string | undefined {
  // Asking a `URL` would cost an exception.
  if (!isObject(input) || input instanceof URL) return;
  try {
    return Object.getOwnPropertyDescriptor(Request.prototype, 'url')!.get!.call(input) as string;
  } catch {
    return;
  }
}
