// Reads the two arguments of `fetch` as the platform does: at the call, each member once, never again. What is kept can be
// sent later, and a second time, whatever the caller does to the objects meanwhile (Fetch Standard, sections 5.3 and 5.4).
//
// `init` is copied member by member, and the copy is what the platform gets. Where only the platform can take the snapshot
// (a `Request`, a stream, an object of another realm), it does: `new Request`. Where something is wrong with the arguments,
// the platform is left to say so.

import type { Call } from './seam.js';

type Init = Record<string, unknown>;
type Fetch = (...args: unknown[]) => Promise<Response>;

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

/** The platform's `fetch`, as it is at this moment: apps mock and instrument it. */
export function platform(...args: unknown[]): Promise<Response> {
  return (globalThis.fetch as Fetch)(...args);
}

/** Reads the first argument. Throws what the caller's `toString` throws. */
export function locate(input: unknown, places?: Places): Target {
  const address = requestUrl(input);
  const request = address !== undefined;
  if (typeof input === 'symbol') return { input, place: { href: undefined, url: '' }, request };
  const text = address ?? `${input as string}`;
  return { input: request || input instanceof URL ? input : text, place: look(text, places), request };
}

function look(text: string, places?: Places): Place {
  // Asked each time: a page may change it.
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
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
 * Reads the second argument, and takes the snapshot. `defaults` are for what a string or URL `input` and `init` leave out.
 * `waits` is a call that cannot leave at once. Where the arguments are bad it is the platform's answer that comes back, at
 * once. Throws what the caller's getters throw.
 */
export function capture({ input, place, request }: Target, init: unknown, defaults?: Init, waits?: boolean): Call | Promise<Response> {
  const { href } = place;
  if (href === undefined) return platform(input, init);
  const copy: Init = request ? {} : { ...defaults };
  if (init !== undefined && init !== null) {
    if (!isObject(init)) return platform(input, init);
    read(init as Init, copy);
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers);
    else if (copy.headers !== undefined) return platform(input, copy);
  }
  try {
    // A login is rare: the platform checks it before the core takes it.
    const call = !request && !defaults && direct(place, copy);
    // What is bad is to be refused now, not when the call leaves. Any body will do: its own is not to be read.
    if (call && waits) new Request(href, { ...copy, body: copy.body === undefined || copy.body === null ? null : '' });
    return call || viaRequest(input, place, copy);
  } catch {
    return platform(input, copy);
  }
}

/** A call whose snapshot is `init` itself; `undefined` where only the platform can take one. */
function direct({ href, url }: Place, init: Init): Call | undefined {
  const signal = init.signal as AbortSignal | null | undefined;
  if (signal && !(signal instanceof AbortSignal)) return;
  if (isObject(init.body)) {
    const body = copyBody(init.body);
    if (body === undefined) return;
    init.body = body;
  }
  const own = (init.headers ?? []) as string[][];
  let exempt = init.mode === 'no-cors';
  for (const [name] of own) exempt ||= isSame(name!, 'authorization');
  return {
    url,
    exempt,
    method: init.method as string | undefined,
    repeatable: true,
    signal: signal ?? undefined,
    send(...more) {
      let headers = own;
      for (let i = 0; i < more.length; i += 2) {
        const name = more[i]!;
        if (name[0] === '?') return platform(withParameter(url, name, more[i + 1]!), { ...init, headers });
        headers = headers.filter(([own]) => !isSame(own!, name));
        headers.push([name, more[i + 1]!]);
      }
      return platform(href, { ...init, headers });
    },
  };
}

/** A call whose snapshot is a `Request`. Its headers are set on it: a second `init` would reset its referrer. */
function viaRequest(input: unknown, { url }: Place, init: Init): Call {
  let next: Request | undefined = new Request(input as RequestInfo, init);
  const stream = isStream(init.body) && 'duplex' in next;
  // It is made once more: the platform had to say first that it takes the stream as it is.
  if (stream) next = new Request(input as RequestInfo, { ...init, body: locked(init.body as ReadableStream) });
  const spare = stream ? undefined : duplicate(next);
  const { headers, method, mode, signal } = next;
  const request = (...more: string[]): Request => {
    const request = next!;
    next = spare;
    for (let i = 0; i < more.length; i += 2) request.headers.set(more[i]!, more[i + 1]!);
    return request;
  };
  return {
    url,
    method,
    exempt: mode === 'no-cors' || headers.has('authorization'),
    repeatable: !!spare,
    signal,
    request,
    send(...more) {
      if (more[0]?.[0] !== '?') return platform(request(...more));
      return readdress(request(), withParameter(url, more[0], more[1]!));
    },
  };
}

/**
 * Another request of the same content; `undefined` where its body is a stream, which would have to be kept in memory.
 * A stream is locked by this, as `fetch` would do. `body` is not asked for: in WebKit that makes a stream of a file.
 */
function duplicate(request: Request): Request | undefined {
  if (!/^(GET|HEAD)$/.test(request.method)) {
    // Who has no `duplex` uploads no stream.
    if ('duplex' in request) {
      const probe = request.clone();
      try {
        // The one thing that tells: a body without a source is refused in this mode (Fetch Standard, section 5.4).
        new Request(probe, { method: 'POST', mode: 'no-cors', cache: 'default', integrity: '' });
      } catch {
        // Unread, it would hold all that the other half has sent.
        void probe.body!.cancel();
        return;
      }
      // WebKit sends a form's files empty if nobody keeps the form itself, and here nobody can.
    } else if ('body' in request && /^multipart/.test(request.headers.get('content-type')!)) return;
  }
  return request.clone();
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

/** Whether a body is known for a stream at once. */
function isStream(body: unknown): boolean {
  return typeof ReadableStream === 'function' && body instanceof ReadableStream;
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
  return platform(url, init);
}

/** Each member once, in the platform's order; then whatever else a patched `fetch` may look for. */
function read(init: Init, copy: Init): void {
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
function copyHeaders(given: object): unknown[] {
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
function copyBody(body: object): unknown {
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

/** Whether two names are of the same header. */
function isSame(one: string, other: string): boolean {
  return one.length === other.length && one.toLowerCase() === other.toLowerCase();
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

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
