// A request on its way from the page to the worker. The page's platform reads the arguments and refuses what is bad in them, in the turn
// of the call; what crosses are plain values, and bodies as they are.

import { duplicate } from '#fetch';
import { copyBody, copyHeaders, isSignal, read, type Init, type Place, type Target } from '../call.js';
import { isObject } from '../object.js';
import type { Body, WireRequest } from './messages.js';

/** A request that was read. */
export interface Described {
  readonly wire: WireRequest;
  /** Streams, which change hands. */
  readonly transfer: Transferable[];
  /** Reads the body that follows. */
  readonly later: (() => Promise<Blob>) | undefined;
  readonly signal: AbortSignal | undefined;
  /** Brings its own `Authorization`, or is `no-cors`: the page's own. */
  readonly exempt: boolean;
  /** What the page's own `fetch` is to be given in its place. */
  readonly args: [RequestInfo, RequestInit?];
}

// The members that the platform has settled when a `Request` is made.
const SETTLED = ['method', 'mode', 'credentials', 'cache', 'redirect', 'referrer', 'referrerPolicy', 'integrity', 'keepalive'] as const;

/**
 * Reads the arguments, each member once. Throws what the caller's getters throw, and what `refused` throws or says, which gets the
 * arguments that the platform refuses.
 */
export function describe<T>({ input, place, request }: Target, given: unknown, defaults: Init, refused: (cause: unknown, input: unknown, init: Init) => T): Described | T {
  const copy = { __proto__: null, ...(request ? {} : defaults) } as Init;
  if (isObject(given)) {
    read(given as Init, copy);
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers);
  } else if (given !== undefined && given !== null) return refused(new TypeError('init is no object'), input, given as Init);
  try {
    return described(request ? (input as Request) : place.href!, place, request, copy);
  } catch (cause) {
    return refused(cause, request ? input : place.href, copy);
  }
}

/** `copy` is the caller's `init`, read. */
function described(href: RequestInfo, place: Place, request: boolean, copy: Init): Described {
  const own = isObject(copy.body) ? copyBody(copy.body) : copy.body;
  const isPlain = !request && typeof own !== 'symbol' && (own !== undefined || copy.body === undefined) && (!isObject(copy.signal) || isSignal(copy.signal));
  // Any body will do where its own is not to be read.
  const made = new Request(href, (isPlain ? { __proto__: null, ...copy, body: (own ?? null) === null ? null : '' } : copy) as RequestInit);
  let body: Body | undefined;
  let later: Described['later'];
  const transfer: Transferable[] = [];
  const stream = isPlain ? undefined : streamOf(made, copy.body);
  if (isPlain) {
    copy.body = own;
    body = crossing(own);
  } else if (stream) {
    body = stream;
    transfer.push(stream);
  } else if (!/^(GET|HEAD)$/.test(made.method)) {
    body = { later: true };
    later = () => made.blob();
  }
  const headers = isPlain ? ((copy.headers ?? []) as [string, string][]) : [...made.headers];
  const init = { headers } as RequestInit;
  for (const name of SETTLED) (init as Init)[name] = made[name];
  for (const name of ['priority', 'targetAddressSpace']) if (typeof copy[name] === 'string') (init as Init)[name] = copy[name];
  // The worker's own address is nobody's referrer.
  if (made.referrer === 'about:client') init.referrer = location.href;
  return {
    wire: { url: isPlain ? place.href! : made.url, init, body },
    transfer,
    later,
    signal: (copy.signal as AbortSignal | null | undefined) ?? (request ? made.signal : undefined),
    exempt: made.mode === 'no-cors' || made.headers.has('authorization'),
    args: isPlain ? [place.href!, { ...copy }] : [made],
  };
}

/** The body, where it is a stream and nothing else: it can be sent once. Engines that upload none have sent its name by now. */
function streamOf(made: Request, given: unknown): ReadableStream | undefined {
  if (!('duplex' in made)) return;
  if (given instanceof ReadableStream) return given;
  return duplicate(made) ? undefined : (made.body ?? undefined);
}

/** A copy of a body in a form that can be cloned. */
function crossing(body: unknown): Body | undefined {
  if (body instanceof URLSearchParams) return { params: `${body}` };
  if (body instanceof FormData) return { form: [...body] };
  return (body ?? undefined) as Body | undefined;
}

/** In the worker: the arguments of `fetch` again. `later` is the body that followed. */
export function revive({ url, init, body }: WireRequest, later: Blob | undefined, signal: AbortSignal): [url: string, init: RequestInit] {
  let sent: unknown = body;
  if (isObject(body)) {
    // An empty one is none: a login without a body is another thing.
    if ('later' in body) sent = later?.size ? later : undefined;
    else if ('params' in body) sent = new URLSearchParams(body.params);
    else if ('form' in body) {
      const form = new FormData();
      for (const [name, value] of body.form) form.append(name, value as string);
      sent = form;
    }
  }
  return [url, { ...init, signal, body: sent as BodyInit, ...(sent instanceof ReadableStream && { duplex: 'half' }) }];
}
