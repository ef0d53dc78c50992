// Sends calls and reads responses, with the platform's `fetch` and parsers. Rust (`answer.rs`) decides what a response
// means. No token is kept longer than a call.

import { isPlatforms, transmit } from './fetch.js'
import { all, first, isNone, moment, number, parse, paths, strip, take, walk } from './json.js'
import { within } from './timer.js'

/** The fields of a request that its copy with another URL keeps. */
const COPIED =
  /*#__PURE__*/ 'method headers mode credentials cache redirect referrer referrerPolicy integrity keepalive signal'.split(
    ' ',
  )

/**
 * Sends a copy of a request with another parameter in its URL. The body is sent as a blob. It would otherwise be a
 * stream, which not every server and platform accepts.
 * @param {Request} request @param {string} name @param {string} value
 */
export async function sendWith(request, name, value) {
  const copy = request.clone()
  const init = Object.fromEntries(COPIED.map((name) => [name, copy[name]]))
  if (!/^(GET|HEAD)$/.test(copy.method)) init.body = await request.clone().blob()
  const [bare] = copy.url.split('#')
  const address = `${bare}${bare.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
  return transmit(address, [address, init], true)
}

/**
 * Builds a request from the options. Throws what the platform throws.
 * @param {string} url
 * @param {string} method
 * @param {RequestCredentials} credentials
 * @param {Headers} headers
 * @param {string} [body]
 * @param {RequestMode} [mode] @param {RequestRedirect} [redirect]
 */
export function request(url, method, credentials, headers, body, mode, redirect) {
  return new Request(
    url,
    /** @type {RequestInit} */ ({
      __proto__: null,
      method,
      credentials,
      headers,
      body,
      mode,
      redirect,
      cache: 'no-store',
    }),
  )
}

/**
 * Encodes fields as a form or a JSON object. `flat` alternates names and values.
 * @param {boolean} isForm @param {string[]} flat
 */
export function encode(isForm, flat) {
  return isForm ? `${new URLSearchParams(pairs(flat))}` : JSON.stringify(Object.fromEntries(pairs(flat)))
}

/**
 * The header fields that the app's function returns, as alternating names and values. Throws what the function throws,
 * and if a field is invalid (Fetch, 5.1).
 * @param {() => HeadersInit} [headers]
 */
export function more(headers) {
  return [...new Headers(headers?.() ?? {})].flat()
}

const pairs = (flat) => flat.flatMap((name, i) => (i % 2 ? [] : [[name, flat[i + 1]]]))

/**
 * Waits for the response to a call, and reads it to the end. Resolves to what was read; to the error alone, as `by`, if
 * the platform rejects; or to undefined if it takes longer than `ms` milliseconds.
 *
 * @param {Request | Promise<Response> | Function} call  A request is aborted when it is late,
 *   so that it holds neither connection nor lock, and sets no cookie any more. A promise is for a call that its caller
 *   has sent. A function of the app gets the refresh token, and returns the tokens itself.
 * @param {string | undefined} refreshToken  For the function.
 * @param {number} ms
 * @param {number | undefined} keepalive  The longest body, in bytes, with which the call should outlive its page.
 * @param {string[]} places  The places, as dotted paths, of the access token, the refresh token, `expires_in`,
 *   `expires_at`, and the seconds until the session ends.
 * @param {string} dotted  The places that rules look at: see {@link members}.
 */
export async function hear(call, refreshToken, ms, keepalive, places, dotted) {
  const abort = new AbortController()
  const read = await within(
    answered().catch((by) => heard({ by })),
    ms,
  )
  if (!read) abort.abort()
  given.delete(abort.signal)
  return read

  async function answered() {
    if (typeof call === 'function') {
      given.add(abort.signal)
      return heard(returned(await call({ refreshToken, signal: abort.signal }), places[0]))
    }
    // `in` would also find a `then` that somebody has put on `Object.prototype`.
    const isSent = typeof (/** @type {any} */ (call).then) === 'function'
    const response = await (isSent ? call : sent(/** @type {Request} */ (call), await bounds()))
    const by = response
    if (by?.type === 'error') return heard({ by })
    if (by?.type === 'opaqueredirect') return heard({ by, isRedirect: true })
    if (!isAnswer(by)) return heard({ by, isForeign: true })
    // Read a copy, because the caller may read the body of a refusal.
    const text = await head(response, MOST_HEARD)
    const json = parse(text)
    const date = (name) => number(Date.parse(header(response, name) ?? ''))
    const [token, ...others] = places.map((place) => first(json, place))
    const read = heard({
      by,
      status: response.status,
      json,
      isEmpty: text?.trim() === '',
      isNone: isNone(json, places[0]),
      isRedirected: response.redirected === true,
      error: walk(json, ['error']),
      accessToken: places[0] ? token : unseen(),
      refreshToken: others[0],
      expiresIn: number(others[1]),
      expiresAt: moment(others[2]),
      sessionExpiresIn: number(others[3]),
      tokenType: walk(json, ['token_type']),
      date: date('Date'),
      retryAfter: number(header(response, 'Retry-After')),
      retryDate: date('Retry-After'),
      challenge: header(response, 'WWW-Authenticate'),
      nonce: header(response, 'DPoP-Nonce'),
      members: values(json, dotted),
    })
    for (const place of places.slice(0, 2)) for (const path of paths(place)) take(json, path)
    strip(json, [token, others[0]])
    return read
  }

  // These are passed as `init`, not as a new request, because Firefox drops `keepalive` when it copies a request.
  async function bounds() {
    // Keep the caller's signal, and the members that an `init` would reset.
    const { signal, referrer, referrerPolicy } = /** @type {Request} */ (call)
    const torn = () => abort.abort(signal.reason)
    signal.addEventListener('abort', torn)
    if (signal.aborted) torn()
    const outlives =
      /** @type {Request} */ (call).keepalive ||
      (keepalive !== undefined && (await /** @type {Request} */ (call).clone().arrayBuffer()).byteLength <= keepalive)
    return { __proto__: null, signal: abort.signal, keepalive: outlives, referrer, referrerPolicy }
  }
}

/**
 * What was read from a response to the manager's own calls. It holds tokens, so it is kept for no longer than it takes
 * to read it.
 *
 * @typedef {object} Heard
 * @property {unknown} by  The response, or the error that the platform rejected with.
 * @property {boolean} [isRedirect]  It is a redirect that was not followed; no more was read.
 * @property {boolean} [isForeign]  It is no `Response`, or the app's function returned no tokens; no more was read.
 * @property {number} [status]  0: the app's function returned. Undefined: there is no response.
 * @property {unknown} [json]  The JSON without the tokens.
 * @property {boolean} [isEmpty]  The body is empty.
 * @property {boolean} [isNone]  The JSON says that there is no session.
 * @property {boolean} [isRedirected]  A redirect was followed.
 * @property {unknown} [error]
 * @property {unknown} [accessToken]
 * @property {unknown} [refreshToken]
 * @property {unknown} [tokenType]
 * @property {number} [expiresIn]  In seconds, as the other two.
 * @property {number} [expiresAt]
 * @property {number} [sessionExpiresIn]
 * @property {number} [date]  In milliseconds since the epoch.
 * @property {number} [retryAfter]  `Retry-After` in seconds, or as a date in milliseconds since the epoch.
 * @property {number} [retryDate]
 * @property {string} [challenge]
 * @property {string} [nonce]
 * @property {string[][]} [members]  What rules look at.
 */

/** It inherits nothing, so that what was not read is undefined. @param {Heard} read */
const heard = (read) => ({ __proto__: null, ...read })

/** The longest response to the manager's own calls that is read, in bytes. */
const MOST_HEARD = 2 ** 20
/** A platform refuses a call without sending it within so many tasks and milliseconds. No server can answer so fast. */
const FEW_TASKS = 2
const MOMENT = 10

/**
 * Sends. All calls with `keepalive` together may have 64 KiB (Fetch, 4.6). The platform refuses further ones at once,
 * without sending them, and they are then sent without `keepalive`. A patched `fetch` might have sent the call before
 * it rejected, so through one nothing is sent twice.
 * @param {Request} request @param {RequestInit & { signal: AbortSignal }} init
 */
async function sent(request, init) {
  const again = init.keepalive && isPlatforms() && request.clone()
  const answer = transmit(request.url, [request, init], true)
  if (!again) return answer
  const begun = performance.now()
  let took
  answer.catch(() => (took = performance.now() - begun))
  for (let task = 0; task < FEW_TASKS && took === undefined; task++) await aTask()
  return took < MOMENT && !init.signal.aborted
    ? transmit(again.url, [again, { ...init, __proto__: null, keepalive: false }], true)
    : answer
}

/** Resolves in a new task, after all tasks that the platform has queued before. @returns {Promise<void>} */
function aTask() {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })
}

/** Whether this is a response that can be read. Apps patch and mock `fetch`, so it may be anything. */
function isAnswer(response) {
  const { status, headers, clone, bodyUsed } = response ?? {}
  return (
    Number.isInteger(status) &&
    status >= 100 &&
    status < 600 &&
    typeof headers?.get === 'function' &&
    typeof clone === 'function' &&
    !bodyUsed
  )
}

/**
 * Reads the text of a body from a copy, to the end or until `isEnough`. Undefined if it is longer than `most` bytes.
 * @param {Response} response
 * @param {number} most
 * @param {(text: string) => boolean} [isEnough]
 * @param {(stop: () => void) => void} [begun]
 */
async function head(response, most, isEnough, begun) {
  const copy = response.clone()
  // There is no body, or the platform has no streams.
  if (!copy.body?.getReader) return copy.text()
  const reader = copy.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  // The caller has the other branch of the body. This branch is released when that one is read or cancelled, too.
  const stop = () => cancel(() => reader)
  begun?.(stop)
  for (let size = 0; size <= most;) {
    const { done, value } = await reader.read()
    text += decoder.decode(value, { stream: !done })
    if (done) return text
    size += value.length
    if (size <= most && isEnough?.(text)) {
      stop()
      return text
    }
  }
  stop()
  return undefined
}

/** The signals of running refresh functions. */
const given = new WeakSet()

/** Whether a running refresh function makes the call with this signal. @param {AbortSignal} signal */
export function isOfRefresh(signal) {
  return given.has(signal)
}

/**
 * A header field of a response; undefined if it is missing or hidden by CORS.
 * @param {Response} response @param {string} name
 */
export function header(response, name) {
  try {
    const value = response.headers.get(name)
    return typeof value === 'string' ? value : undefined
  } catch {
    // It is not a `Response` of the platform.
    return undefined
  }
}

/** The status, or 0 if it cannot be read. @param {Response} response */
export function status(response) {
  try {
    const { status } = response
    return typeof status === 'number' ? status : 0
  } catch {
    return 0
  }
}

/** Whether a response came after a redirect. @param {Response} response */
export function isRedirected(response) {
  try {
    return response.redirected === true
  } catch {
    return false
  }
}

/**
 * How much of a body is read for a rule, in bytes, and how long, in milliseconds. Error codes come early, and a stream
 * may never end.
 */
const MOST_RULED = 256 * 1024
const LONGEST_RULED = 1000

/**
 * Reads the members of a JSON body at dotted paths, which ` | ` separates. Each is a list of texts; an empty result
 * means that the body is not JSON. They are read from a copy, so the caller can still read the body. Of JSON lines, the
 * first line is read.
 * @param {Response} response
 * @param {string} dotted
 * @param {boolean} isText  Whether no header says that it is JSON, so that its first byte decides.
 */
export async function members(response, dotted, isText) {
  let stop
  let json
  const isEnough = (text) => {
    const bare = text.trim()
    if (isText && !/^[{[]/.test(bare)) return bare !== ''
    if (/[}\]]/.test(bare.slice(-1))) json = parse(bare)
    if (json === undefined && bare.includes('\n')) json = list(parse(bare.slice(0, bare.indexOf('\n'))))
    return json !== undefined
  }
  // Also undefined if the body broke off or has been read, or if it is not a `Response` of the platform.
  const text = await within(
    head(response, MOST_RULED, isEnough, (begun) => (stop = begun)),
    LONGEST_RULED,
  )
  stop?.()
  if (text !== undefined && !isEnough(text) && !isText) json = parse(text)
  return values(json, dotted)
}

/** The value if it is a record or a list. */
const list = (json) => (typeof json === 'object' ? (json ?? undefined) : undefined)

const values = (json, dotted) => (json === undefined ? [] : paths(dotted).map((path) => all(json, path)))

/** The readers of the responses that {@link keep} reads. */
const kept = new WeakMap()
/** How much of a body is kept, in bytes. A larger body holds its connection. */
const MOST = 16 * 2 ** 20
/** Up to this length in bytes, the platform reads a body by itself, because its own buffers are many times larger. */
const LEAST = 4 * 1024

/**
 * Reads the body of a response into memory, so that it holds no connection while its caller waits. With HTTP/1.1 there
 * are six connections to a server, and the refresh needs one. The caller can still read the whole body.
 * @param {Response} response
 */
export async function keep(response) {
  try {
    if (+(header(response, 'Content-Length') ?? Infinity) <= LEAST && !header(response, 'Content-Encoding')) return
    const reader = response.clone().body?.getReader()
    if (!reader) return
    kept.set(response, reader)
    for (let size = 0; size < MOST;) {
      const { done, value } = await reader.read()
      if (done) return
      size += value.length
    }
  } catch {
    // The body broke off or has been read, or it is not a `Response` of the platform. The caller will get the error.
  }
}

/** Releases a response that nobody will read, so that it holds no connection. @param {Response} response */
export function discard(response) {
  // A branch is released only when the other one is cancelled, too. A body that broke off meanwhile is released
  // already.
  cancel(() => kept.get(response))
  cancel(() => response.body)
}

function cancel(half) {
  try {
    half()
      ?.cancel()
      .catch(() => {})
  } catch {
    // It is not a stream of the platform.
  }
}

/**
 * Reads the result of the app's refresh function as {@link hear} reads a response: tokens, or `null` for a refusal.
 * Anything else is invalid.
 */
function returned(tokens, place) {
  if (tokens !== null && (typeof tokens !== 'object' || Array.isArray(tokens)))
    return { by: undefined, isForeign: true }
  const [accessToken, refreshToken, expiresIn] = ['accessToken', 'refreshToken', 'expiresIn'].map((name) =>
    walk(tokens, [name]),
  )
  return {
    by: undefined,
    status: 0,
    json: tokens ?? undefined,
    isEmpty: tokens === null,
    accessToken: accessToken ?? (place ? undefined : unseen()),
    refreshToken,
    expiresIn: number(expiresIn),
  }
}

/** A unique text that stands for a token that only the browser has. */
const unseen = () => `${Math.random()}`
