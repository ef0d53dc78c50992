// Reads the two arguments of `fetch` as the platform does: during the call, each member once. The snapshot can be sent
// later, and a second time, even if the caller changes the objects meanwhile (Fetch Standard, sections 5.3 and 5.4).
//
// `init` is copied member by member, and the platform gets the copy. If only the platform can take the snapshot (of a
// `Request`, a stream, or an object of another realm), `new Request` takes it. Bad arguments are passed to the platform, so
// that it reports the error.

import { duplicate, transmit } from '#fetch'
import { ownBase, pageBase } from './base.js'
import { TokenError } from './error.js'
import { isObject } from './object.js'
import { ASK, FOLLOW, PASS, SAME_ORIGIN, type Call, type Guard } from './core-interface.js'

export type Init = Record<string, unknown>

/**
 * The prototype of our own objects, which inherit nothing from it. Engines keep the members of an object as a table if it has
 * no prototype at all, which is ten times slower to copy.
 */
const NOTHING = /*#__PURE__*/ Object.freeze({ __proto__: null })

/** The defaults of a login or logout. */
export const CREDENTIALS = { method: 'POST', credentials: 'include' }
/** URLs that reach no server. */
export const LOCAL = /^(about|blob|data):/

/** The first argument, read once. */
export interface Target {
  /** The input to use from now on: a string, a `URL`, or a `Request`. */
  readonly input: unknown
  /** The URL of the input. */
  readonly place: Place
  /** Whether `input` is a `Request`. */
  readonly request: boolean
}

/** A URL, parsed by the platform. */
export interface Place {
  /** The whole URL; `undefined` if the platform refuses it. */
  readonly href: string | undefined
  /** The URL without its fragment. */
  readonly url: string
  /** The same URL without its query, if it was put together from that. */
  readonly path?: Place | undefined
  /** Whether the URL gets the token; `undefined` until the core has been asked. */
  covered?: boolean
}

/** Parses a URL, as {@link parse} does. */
export type Parse = (text: string, base: string | undefined) => Place

// The members of RequestInit, in the order in which the platform reads them.
const MEMBERS = /*#__PURE__*/ (
  'adAuctionHeaders attributionReporting body browsingTopics cache credentials duplex headers integrity keepalive method ' +
  'mode priority privateToken redirect referrer referrerPolicy retryOptions sharedStorageWritable signal ' +
  'targetAddressSpace window'
).split(' ')

// The string members. An object in the place of a string (a `URL` as referrer) is converted at once.
const TEXTS =
  /*#__PURE__*/ 'cache credentials duplex integrity method mode priority redirect referrer referrerPolicy targetAddressSpace'.split(
    ' ',
  )

/** How many redirects are followed, step by step. */
const STEPS = 5

/** Calls the page's `fetch` with the caller's own arguments. */
export function platform(url: string, ...args: unknown[]): Promise<Response> {
  return transmit(url, args) as Promise<Response>
}

/** Calls the page's `fetch` with our copy of the arguments. */
export function transmitted(url: string, ...args: unknown[]): Promise<Response> {
  return transmit(url, args, true) as Promise<Response>
}

/** The same with a copy that the platform refuses. It is made an object like others, so that a wrapper that calls back is recognised. */
function refused(url: string, input: unknown, copy: Init): Promise<Response> {
  return platform(url, input, { __proto__: null, ...copy })
}

/** Reads the first argument. Throws whatever the caller's `toString` throws. */
export function locate(input: unknown, find: Parse = parse): Target {
  const address = requestUrl(input)
  const request = address !== undefined
  if (typeof input === 'symbol') return { input, place: { href: undefined, url: '' }, request }
  const text = address ?? `${input as string}`
  // Read the base each time: a page may change it.
  return { input: request || input instanceof URL ? input : text, place: find(text, pageBase()), request }
}

/** Reads the first argument of a login or logout; `undefined` if it is not a string, `URL` or `Request`. */
export function address(input: unknown): Target | undefined {
  const own = requestUrl(input)
  if (own !== undefined) return { input, place: parse(own, undefined), request: true }
  const text = typeof input === 'string' ? input : urlText(input)
  if (text !== undefined) return { input: text, place: parse(text, ownBase()), request: false }
  return
}

export function parse(text: string, base: string | undefined): Place {
  try {
    const url = new URL(text, base)
    const { href } = url
    // The platform refuses URLs with credentials.
    if (!href.includes('@') || (!url.username && !url.password)) return { href, url: href.split('#')[0]! }
  } catch {
    // Not a URL: the platform will report it.
  }
  return { href: undefined, url: '' }
}

/**
 * Reads the second argument, and takes the snapshot. `waits`: the call cannot leave at once. If the arguments are bad,
 * returns the platform's rejection at once. Throws whatever the caller's getters throw.
 */
export function capture({ input, place, request }: Target, init: unknown, waits?: boolean): Call | Promise<Response> {
  const { href, url } = place
  if (href === undefined) return platform(url, input, init)
  const copy = Object.create(NOTHING) as Init
  if (init !== undefined && init !== null) {
    if (!isObject(init)) return platform(url, input, init)
    copyMembers(init as Init, copy)
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers)
    else if (copy.headers !== undefined) return refused(url, input, copy)
  }
  try {
    const call = !request && direct(place, copy)
    // Bad arguments must be refused now, not when the call leaves. A substitute body is enough for this check; the call's own body must not
    // be read.
    if (call && waits)
      new Request(href, { __proto__: null, ...copy, body: (copy.body ?? null) === null ? null : '' } as RequestInit)
    return call || viaRequest(request ? input : href, place, copy)
  } catch {
    return refused(url, input, copy)
  }
}

/**
 * The same for a login or logout, which only the core may send. `defaults` fill in what `init` leaves out, unless the input is
 * a `Request`. Throws the platform's error for bad arguments.
 */
export function captureOwn({ input, place, request }: Target, init: unknown, defaults: Init): Call {
  const copy = { __proto__: null, ...(request ? {} : defaults) } as Init
  if (isObject(init)) {
    copyMembers(init as Init, copy)
    if (isObject(copy.headers)) copy.headers = copyHeaders(copy.headers)
  } else if (init !== undefined && init !== null) new Request('about:blank', init as RequestInit)
  // The platform throws if the input is bad.
  const { href = new Request(input as RequestInfo).url } = place
  return viaRequest(request ? input : href, place, copy)
}

/** A call whose snapshot is `init` itself; `undefined` if only the platform can take the snapshot. */
function direct({ href, url }: Place, init: Init): Call | undefined {
  const signal = init.signal as AbortSignal | null | undefined
  if (signal && !isSignal(signal)) return
  if (isObject(init.body)) {
    const body = copyBody(init.body)
    if (body === undefined) return
    init.body = body
  }
  const given = init.headers ?? {}
  const own = Array.isArray(given) ? record(given) : (given as Fields)
  if (!own) return
  const { method } = init as { method?: string }
  let authorization: string | undefined
  for (const name of Object.keys(own)) if (isSame(name, 'authorization')) authorization = `${own[name]}`
  const call: Call = {
    url,
    exempt: authorization !== undefined || init.mode === 'no-cors',
    authorization,
    method,
    repeatable: true,
    signal: signal ?? undefined,
    send(...more) {
      // A name that begins with `?` is a URL parameter instead.
      if (more[0]?.[0] === '?')
        return transmitted(url, withParameter(url, more[0], more[1]!), { ...init, headers: fields(own, []) })
      return guarded(call.guard, method, init.redirect, url, more, (address, more, limits) =>
        transmitted(address, address === url ? href : address, { ...init, headers: fields(own, more), ...limits }),
      )
    },
  }
  return call
}

type Fields = Record<string, string>

/** Adds header fields: name, value, name, value, … */
function fields(own: Fields, more: string[]): Fields {
  let headers = { ...own }
  for (let i = 0; i < more.length; i += 2) {
    const name = more[i]!
    // A literal, so that no setter on `Object.prototype` sees the value.
    headers = { ...headers, [name]: more[i + 1]! }
    for (const one of Object.keys(own)) if (one !== name && isSame(one, name)) delete headers[one]
  }
  return headers
}

/**
 * Makes a plain object of pairs, because most wrappers of `fetch` expect `init.headers` to be one. Values of the same name are
 * joined, as the platform does (Fetch Standard, section 2.2.2). `undefined` for what only the platform can judge.
 */
function record(pairs: unknown[]): Fields | undefined {
  let plain: Fields = {}
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return
    const name = `${pair[0]}`
    const first = Object.keys(plain).find((one) => isSame(one, name))
    plain = first
      ? { ...plain, [first]: new Headers(pairs as [string, string][]).get(name)! }
      : { ...plain, [name]: pair[1] as string }
  }
  return plain
}

/** The members of `init` that `send` sets in addition to the headers. */
type Limits = { mode?: string; redirect?: string }
type Send = (url: string, more: string[], limits: Limits) => Promise<Response>

/**
 * Sends a request so that no redirect takes the token, which is in `more`, to a URL that must not get it. To follow redirects
 * step by step, it first sends the request without the token and learns where it ends.
 */
async function ask(
  guard: Guard,
  method: string,
  url: string,
  more: string[],
  send: Send,
  steps: number,
): Promise<Response> {
  const way = guard(url, method)
  const response = await send(
    url,
    more,
    way === FOLLOW ? {} : way === SAME_ORIGIN ? { mode: 'same-origin' } : { redirect: 'manual' },
  )
  if (way < ASK || response?.type !== 'opaqueredirect') return response
  if (way === ASK && steps) {
    const answer = await send(url, [], { redirect: 'follow' })
    const end = answer.url.split('#')[0]!
    if (answer.redirected && end !== url) {
      if (guard(end, method) === PASS) return answer
      void answer.body?.cancel().catch(() => {})
      return ask(guard, method, end, more, send, steps - 1)
    }
    void answer.body?.cancel().catch(() => {})
  }
  throw new TokenError('redirected', 'A redirect would send the token to another URL; send the request to that URL.')
}

/** `redirect` is the caller's option: a caller that follows no redirects needs no guard. */
function guarded(
  guard: Guard | undefined,
  method = 'GET',
  redirect: unknown,
  url: string,
  more: string[],
  send: Send,
): Promise<Response> {
  const isFree = !guard || !more.length || redirect === 'manual' || redirect === 'error'
  return isFree ? send(url, more, {}) : ask(guard, method, url, more, send, STEPS)
}

/** A call whose snapshot is a `Request`. The headers are set on the `Request` itself, because a second `init` would reset its referrer. */
function viaRequest(input: unknown, { url }: Place, init: Init): Call {
  let next: Request | undefined = new Request(input as RequestInfo, init as RequestInit)
  const stream = 'duplex' in next && init.body instanceof ReadableStream
  // Make the `Request` again: the platform first had to accept the unlocked stream.
  if (stream)
    next = new Request(
      input as RequestInfo,
      { __proto__: null, ...init, body: locked(init.body as ReadableStream) } as RequestInit,
    )
  const spare = stream ? undefined : duplicate(next)
  const { headers, method, mode, redirect, referrer, referrerPolicy, signal } = next
  const authorization = headers.get('authorization') ?? undefined
  // The request may be sent more than twice, if the server rejects a DPoP proof.
  const take = (more: string[]): Request => {
    const request = next ?? spare!.clone()
    next = undefined
    return set(request, more)
  }
  const call: Call = {
    url,
    method,
    exempt: mode === 'no-cors' || authorization !== undefined,
    authorization,
    repeatable: !!spare,
    // Judge a `Request` by its method: in WebKit, reading `body` would turn the body into a stream.
    bodiless: (init.body ?? null) === null && (typeof input === 'string' || /^(GET|HEAD)$/.test(method)),
    signal,
    request(...more) {
      const way = call.guard && more.length ? call.guard(url, method) : FOLLOW
      const request = take(more)
      if (way <= FOLLOW) return request
      return new Request(
        request,
        again(way === SAME_ORIGIN ? { mode: 'same-origin' } : { redirect: 'error' }) as RequestInit,
      )
    },
    send(...more) {
      if (more[0]?.[0] === '?') return readdress(take([]), withParameter(url, more[0], more[1]!))
      // Copy the request before the token is on it. Only requests without a body are sent ahead without the token.
      const bare = call.guard && /^(GET|HEAD)$/.test(method) ? (next ?? spare!).clone() : undefined
      let first: Request | undefined = take(more)
      return guarded(call.guard, method, redirect, url, more, (address, more, limits) => {
        const request = first ?? set(new Request(address, bare as RequestInit), more)
        first = undefined
        return limits.mode || limits.redirect
          ? transmitted(address, request, again(limits))
          : transmitted(address, request)
      })
    },
  }
  // Pass the members that a second `init` would reset.
  const again = (limits: Limits): Init => ({ ...limits, referrer, referrerPolicy })
  return call
}

/** Sets these headers: name, value, name, value, … */
function set(request: Request, more: string[]): Request {
  for (let i = 0; i < more.length; i += 2) request.headers.set(more[i]!, more[i + 1]!)
  return request
}

/**
 * Returns the same stream, and locks it as `fetch` does. The stream is not cloned: the source of a cloned stream gets the
 * reason of an abort inside a list.
 */
function locked(stream: ReadableStream): ReadableStream {
  const reader = stream.getReader()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** Adds a URL parameter. `name` begins with `?`. */
function withParameter(url: string, name: string, value: string): string {
  return `${url}${url.includes('?') ? name.replace('?', '&') : name}=${encodeURIComponent(value)}`
}

/** Sends a request to another URL. Its body is sent as a blob, because not every server accepts a stream, which it would be otherwise. */
async function readdress(request: Request, url: string): Promise<Response> {
  const init: Init = {}
  copyMembers(request as unknown as Init, init)
  init.body = /^(GET|HEAD)$/.test(request.method) ? undefined : await request.blob()
  return transmitted(url, url, init)
}

/** Reads each member once, in the platform's order, then all other members, because a patched `fetch` may use them. */
export function copyMembers(init: Init, copy: Init): void {
  // Each member by its name: engines cache property look-ups at each place in the code.
  const values = [
    init.adAuctionHeaders,
    init.attributionReporting,
    init.body,
    init.browsingTopics,
    init.cache,
    init.credentials,
    init.duplex,
    init.headers,
    init.integrity,
    init.keepalive,
    init.method,
    init.mode,
    init.priority,
    init.privateToken,
    init.redirect,
    init.referrer,
    init.referrerPolicy,
    init.retryOptions,
    init.sharedStorageWritable,
    init.signal,
    init.targetAddressSpace,
    init.window,
  ]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === undefined) continue
    const name = MEMBERS[i]!
    copy[name] = isObject(value) && TEXTS.includes(name) ? `${value as unknown as string}` : value
  }
  for (const name of Object.keys(init)) if (!MEMBERS.includes(name)) copy[name] = init[name]
}

/**
 * Copies headers as pairs or as an object, as they are given (Web IDL, `sequence` and `record`). The platform refuses anything
 * that is not a header.
 */
export function copyHeaders(given: object): object {
  if (Symbol.iterator in given) {
    const copy = []
    for (const pair of given as Iterable<unknown>)
      copy.push(isObject(pair) && Symbol.iterator in pair ? [...(pair as Iterable<unknown>)].map(text) : pair)
    return copy
  }
  // The order in which the platform reads a record is that of a spread.
  const copy = { ...given } as Init
  for (const name of Object.keys(copy)) copy[name] = text(copy[name])
  return copy
}

/** Converts an object to a string now. Other values do not change later. */
function text(value: unknown): unknown {
  return isObject(value) ? `${value as unknown as string}` : value
}

/** Copies a body; `undefined` if it cannot be copied here. */
export function copyBody(body: object): unknown {
  // Blobs are immutable, and must not be read into memory.
  if (body instanceof Blob) return body
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (body instanceof FormData) {
    const copy = new FormData()
    for (const [name, value] of body) copy.append(name, value as string)
    return copy
  }
  const {
    buffer = body,
    byteOffset = 0,
    byteLength,
  } = body as { buffer?: unknown; byteOffset?: number; byteLength?: number }
  try {
    // Copies buffers of any realm: WebKit's `Request` would share the bytes of another realm's buffer with the caller.
    if (!(buffer as { resizable?: boolean }).resizable)
      return ArrayBuffer.prototype.slice.call(buffer, byteOffset, byteOffset + byteLength!)
  } catch {
    // Not a buffer, or a detached one.
  }
}

/** Whether the value is a real signal of this realm, not an imitation. */
export function isSignal(value: object): boolean {
  try {
    return (
      value instanceof AbortSignal &&
      typeof Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!.call(value) === 'boolean'
    )
  } catch {
    return false
  }
}

/** The text of a `URL` of any realm; `undefined` for anything else. */
function urlText(input: unknown): string | undefined {
  try {
    if (isObject(input) && Object.prototype.toString.call(input) === '[object URL]') return `${(input as URL).href}`
  } catch {
    // Not a URL.
  }
  return
}

/** Whether two header names are equal. */
function isSame(one: string, other: string): boolean {
  return one.length === other.length && one.toLowerCase() === other.toLowerCase()
}

/** The URL of a `Request` of any realm; `undefined` for anything else. */
function requestUrl(input: unknown): string | undefined {
  // Checked first, because the getter would throw on a `URL`, which is slow.
  if (!isObject(input) || input instanceof URL) return
  try {
    return Object.getOwnPropertyDescriptor(Request.prototype, 'url')!.get!.call(input) as string
  } catch {
    return
  }
}
