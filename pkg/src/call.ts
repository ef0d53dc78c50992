// Reads the two arguments of `fetch` as the platform does: at the call, each member once, never again. What is kept can be
// sent later, and a second time, whatever the caller does to the objects meanwhile (Fetch Standard, sections 5.3 and 5.4).
//
// `init` is copied member by member, and the copy is what the platform gets. Where only the platform can take the snapshot
// (a `Request`, a stream, an object of another realm), it does: `new Request`. Where something is wrong with the arguments,
// the platform is left to say so.

import type { Call } from './seam.js';

type Init = Record<string, unknown>;
type Header = (string | undefined)[];

/** The first argument, read once. */
export interface Target {
  /** What stands for it from now on: a string, a `URL`, or a `Request`. */
  readonly input: unknown;
  /** The URL as the platform parses it; `undefined` where it refuses. */
  readonly href: string | undefined;
  /** Whether `input` is a `Request`. */
  readonly request: boolean;
}

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
  return (globalThis.fetch as (...args: unknown[]) => Promise<Response>)(...args);
}

/** Reads the first argument. Throws what the caller's `toString` throws. */
export function locate(input: unknown): Target {
  const address = requestUrl(input);
  const request = address !== undefined;
  if (typeof input === 'symbol') return { input, href: undefined, request };
  const text = address ?? `${input as string}`;
  if (!request && !(input instanceof URL)) input = text;
  let href: string | undefined;
  try {
    const url = new URL(text, globalThis.document?.baseURI ?? globalThis.location?.href);
    // The platform takes no URL with credentials.
    if (!url.username && !url.password) href = url.href;
  } catch {
    // No URL: the platform says so.
  }
  return { input, href, request };
}

/**
 * Reads the second argument, and takes the snapshot. `defaults` are for what a string or URL `input` and `init` leave out.
 * Where the arguments are bad it is the platform's answer that comes back. Throws what the caller's getters throw.
 */
export function capture({ input, href, request }: Target, init: unknown, defaults?: Init): Call | Promise<Response> {
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
    return (!request && !defaults && direct(href, copy)) || viaRequest(input, href, copy);
  } catch {
    return platform(input, copy);
  }
}

/** A call whose snapshot is `init` itself; `undefined` where only the platform can take one. */
function direct(href: string, { headers, ...init }: Init): Call | undefined {
  const signal = init.signal as AbortSignal | null | undefined;
  if (signal && !(signal instanceof AbortSignal)) return;
  if (isObject(init.body) && (init.body = copyBody(init.body)) === undefined) return;
  const own = (headers ?? []) as Header[];
  return {
    url: bare(href),
    exempt: init.mode === 'no-cors' || own.some(named('authorization')),
    repeatable: true,
    signal: signal ?? undefined,
    send(...more) {
      let all = own;
      for (let i = 0; i < more.length; i += 2) {
        const same = named(more[i]!);
        all = [...all.filter((header) => !same(header)), [more[i], more[i + 1]]];
      }
      return platform(href, { ...init, headers: all });
    },
  };
}

/** A call whose snapshot is a `Request`. Its headers are set on it: a second `init` would reset its referrer. */
function viaRequest(input: unknown, href: string, init: Init): Call {
  let next: Request | undefined = new Request(input as RequestInfo, init);
  const spare = duplicate(next);
  const { headers, method, mode, signal } = next;
  return {
    url: bare(href),
    method,
    exempt: mode === 'no-cors' || headers.has('authorization'),
    repeatable: !!spare,
    signal,
    send(...more) {
      const request = next!;
      next = spare;
      for (let i = 0; i < more.length; i += 2) request.headers.set(more[i]!, more[i + 1]!);
      return platform(request);
    },
  };
}

/**
 * Another request of the same content; `undefined` where its body is a stream, which would have to be kept in memory.
 * A stream is locked by this, as `fetch` would do.
 */
function duplicate(request: Request): Request | undefined {
  if (request.body) {
    const probe = request.clone();
    try {
      // The one thing that tells: a body without a source is refused in this mode (Fetch Standard, section 5.4).
      new Request(probe, { method: 'POST', mode: 'no-cors', cache: 'default', integrity: '' });
    } catch {
      // Unread, it would hold all that the other half has sent.
      void probe.body!.cancel();
      return;
    }
  }
  return request.clone();
}

/** Each member once, in the platform's order; then whatever else a patched `fetch` may look for. */
function read(init: Init, copy: Init): void {
  for (const name of MEMBERS) {
    const value = init[name];
    if (value !== undefined) copy[name] = TEXTS.includes(name) && isObject(value) ? `${value as unknown as string}` : value;
  }
  for (const name of Object.keys(init)) if (!MEMBERS.includes(name)) copy[name] = init[name];
}

/** As pairs, whatever they were given as (Web IDL, `sequence` and `record`). What is no header is left for the platform to refuse. */
function copyHeaders(given: object): unknown[] {
  const names = (): PropertyKey[] => Reflect.ownKeys(given).filter((name) => Object.prototype.propertyIsEnumerable.call(given, name));
  const pairs = Symbol.iterator in given
    ? [...(given as Iterable<unknown>)]
    : names().map((name) => [name, (given as Record<PropertyKey, unknown>)[name]]);
  return pairs.map((pair) =>
    isObject(pair) && Symbol.iterator in pair
      ? [...(pair as Iterable<unknown>)].map((text) => (isObject(text) ? `${text as unknown as string}` : text))
      : pair,
  );
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
  const { buffer = body, byteOffset, byteLength } = body as { buffer?: unknown; byteOffset?: number; byteLength?: number };
  if (buffer instanceof ArrayBuffer && !(buffer as { resizable?: boolean }).resizable) {
    return buffer.slice(byteOffset ?? 0, (byteOffset ?? 0) + byteLength!);
  }
}

function named(name: string): (header: Header) => boolean {
  return ([own]) => own!.toLowerCase() === name.toLowerCase();
}

/** The URL of a `Request`, of whatever realm; `undefined` for anything else. */
function requestUrl(input: unknown): string | undefined {
  if (!isObject(input)) return;
  try {
    return Object.getOwnPropertyDescriptor(Request.prototype, 'url')!.get!.call(input) as string;
  } catch {
    return;
  }
}

/** Without its fragment. */
export function bare(href: string): string {
  return href.split('#')[0]!;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
