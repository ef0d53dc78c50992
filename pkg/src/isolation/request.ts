// Sends a request from the page to the worker. The page's platform reads the arguments synchronously, and refuses
// invalid ones. Plain values and bodies are sent.

import { duplicate } from '#fetch'
import { copyBody, copyHeaders, copyMembers, isSignal, type Init, type Place, type Target } from '../call.js'
import { isObject } from '../object.js'
import type { Body, WireRequest } from './messages.js'

/** A request that was read. */
export interface Described {
  readonly wire: WireRequest
  /** Streams to transfer. */
  readonly transfer: Transferable[]
  /** Reads the body that follows in its own message. */
  readonly later: (() => Promise<Blob>) | undefined
  readonly signal: AbortSignal | undefined
  /** It has its own `Authorization` or is `no-cors`, so the page sends it. */
  readonly exempt: boolean
  /** The arguments for the page's own `fetch`, if the page sends the request. */
  readonly args: [RequestInfo, RequestInit?]
}

// Members whose final values are read from a `Request`.
const SETTLED = [
  'method',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'referrer',
  'referrerPolicy',
  'integrity',
  'keepalive',
] as const

/**
 * Reads each member of the arguments once. Throws whatever the caller's getters throw. If the platform refuses the
 * arguments, the result is that of `refused`.
 */
export function describe<T>(
  { input, place, request }: Target,
  given: unknown,
  defaults: Init,
  refused: (cause: unknown, input: unknown, init: Init) => T,
): Described | T {
  const copy = { __proto__: null, ...(request ? {} : defaults) } as Init
  if (isObject(given)) {
    copyMembers(given as Init, copy)
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers)
  } else if (given !== undefined && given !== null)
    return refused(new TypeError('init is not an object'), input, given as Init)
  try {
    return described(request ? (input as Request) : place.href!, place, request, copy)
  } catch (cause) {
    return refused(cause, request ? input : place.href, copy)
  }
}

/** `copy` is a copy of the caller's `init`. */
function described(href: RequestInfo, place: Place, request: boolean, copy: Init): Described {
  const own = isObject(copy.body) ? copyBody(copy.body) : copy.body
  const isPlain =
    !request &&
    typeof own !== 'symbol' &&
    (own !== undefined || copy.body === undefined) &&
    (!isObject(copy.signal) || isSignal(copy.signal))
  // An empty text stands for the body, which must not be read here.
  const made = new Request(
    href,
    (isPlain ? { __proto__: null, ...copy, body: (own ?? null) === null ? null : '' } : copy) as RequestInit,
  )
  let body: Body | undefined
  let later: Described['later']
  const transfer: Transferable[] = []
  const stream = isPlain ? undefined : streamOf(made, copy.body)
  if (isPlain) {
    copy.body = own
    body = crossing(own)
  } else if (stream) {
    body = stream
    transfer.push(stream)
  } else if (!/^(GET|HEAD)$/.test(made.method)) {
    body = { later: true }
    later = () => made.blob()
  }
  const headers = isPlain ? ((copy.headers ?? []) as [string, string][]) : [...made.headers]
  const init = { headers } as RequestInit
  for (const name of SETTLED) (init as Init)[name] = made[name]
  for (const name of ['priority', 'targetAddressSpace'])
    if (typeof copy[name] === 'string') (init as Init)[name] = copy[name]
  // The referrer must be the page, not the worker.
  if (made.referrer === 'about:client') init.referrer = location.href
  return {
    wire: { url: isPlain ? place.href! : made.url, init, body },
    transfer,
    later,
    signal: (copy.signal as AbortSignal | null | undefined) ?? (request ? made.signal : undefined),
    exempt: made.mode === 'no-cors' || made.headers.has('authorization'),
    args: isPlain ? [place.href!, { ...copy }] : [made],
  }
}

/**
 * The body if it is a stream, which can be sent only once. Engines that cannot upload streams have no `duplex`, and
 * have converted the stream to a string by now.
 */
function streamOf(made: Request, given: unknown): ReadableStream | undefined {
  if (!('duplex' in made)) return
  if (given instanceof ReadableStream) return given
  return duplicate(made) ? undefined : (made.body ?? undefined)
}

/** A copy of a body in a form that can be cloned. */
function crossing(body: unknown): Body | undefined {
  if (body instanceof URLSearchParams) return { params: `${body}` }
  if (body instanceof FormData) return { form: [...body] }
  return (body ?? undefined) as Body | undefined
}

/** In the worker: rebuilds the arguments of `fetch`. `later` is the body that followed. */
export function revive(
  { url, init, body }: WireRequest,
  later: Blob | undefined,
  signal: AbortSignal,
): [url: string, init: RequestInit] {
  let sent: unknown = body
  if (isObject(body)) {
    // An empty body means no body: a login treats the two differently.
    if ('later' in body) sent = later?.size ? later : undefined
    else if ('params' in body) sent = new URLSearchParams(body.params)
    else if ('form' in body) {
      const form = new FormData()
      for (const [name, value] of body.form) form.append(name, value as string)
      sent = form
    }
  }
  return [url, { ...init, signal, body: sent as BodyInit, ...(sent instanceof ReadableStream && { duplex: 'half' }) }]
}
