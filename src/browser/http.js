// Sends calls and reads answers, with the platform's own `fetch` and parsers. What an answer means is decided in Rust; it gets
// flat lists, which `answer.rs` takes off in the same order. No token is kept longer than a call.

import { isPlatforms, transmit } from './fetch.js'
import { all, first, isNone, moment, number, parse, paths, strip, take, walk } from './json.js'
import { within } from './timer.js'

/**
 * Sends a copy of a request with another parameter in its URL. A body goes along as a blob: as a stream, which it would be
 * else, not every server and platform takes it.
 * @param {Request} request @param {string} name @param {string} value
 */
export async function sendWith(request, name, value) {
  const { url, method, headers, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive, signal } = request.clone()
  const body = /^(GET|HEAD)$/.test(method) ? undefined : await request.clone().blob()
  const [bare] = url.split('#')
  const init = { method, headers, body, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive, signal }
  const address = `${bare}${bare.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
  return transmit(address, [address, init], true)
}

/**
 * A request of the options'. Throws what the platform throws.
 * @param {string} url @param {string} method @param {RequestCredentials} credentials @param {Headers} headers @param {string} [body]
 * @param {RequestMode} [mode] @param {RequestRedirect} [redirect]
 */
export function request(url, method, credentials, headers, body, mode, redirect) {
  return new Request(url, /** @type {RequestInit} */ ({ __proto__: null, method, credentials, headers, body, mode, redirect, cache: 'no-store' }))
}

/** Fields, name after value, as the text of a form or of a JSON object. @param {boolean} isForm @param {string[]} flat */
export function encode(isForm, flat) {
  return isForm ? `${new URLSearchParams(pairs(flat))}` : JSON.stringify(Object.fromEntries(pairs(flat)))
}

/**
 * The header fields that a function of the app's gives, value after name. Throws what it throws, and where one of them is
 * none (Fetch, 5.1).
 * @param {() => HeadersInit} [headers]
 */
export function more(headers) {
  return [...new Headers(headers?.() ?? {})].flat()
}

const pairs = (flat) => flat.flatMap((name, i) => (i % 2 ? [] : [[name, flat[i + 1]]]))

/** The longest body of a call that outlives its page, in bytes: all such calls together may have 64 KiB (Fetch, 4.6). */
const MOST_KEPT_ALIVE = 16 * 1024

/**
 * Waits for the answer to a call, and reads it to the end: fulfils with what `answer.rs` reads off; with what the platform
 * rejects with, alone in a list; or with undefined if it takes longer than `ms` milliseconds. `places` says where
 * what may be, as dotted paths: access token, refresh token, `expires_in`, `expires_at`, and
 * the seconds that the session has. Whoever gets the JSON gets it
 * without the tokens.
 *
 * @param {Request | Promise<Response> | [Function, string | undefined]} call  A request is torn off when it is late, so that
 *   it holds neither connection nor lock, and sets no cookie any more. A promise is of a call that its caller has sent. A
 *   function of the app's answers by itself; it gets the refresh token.
 * @param {number} ms @param {boolean} keepalive  Whether the call is to outlive its page: its answer sets the cookie.
 * @param {string[]} places @param {string} dotted  What rules look at: see {@link members}.
 */
export async function hear(call, ms, keepalive, places, dotted) {
  const abort = new AbortController()
  const list = await within(read().catch((cause) => [cause]), ms)
  if (!list) abort.abort()
  given.delete(abort.signal)
  return list

  async function read() {
    if (Array.isArray(call)) {
      given.add(abort.signal)
      return heard(await call[0]({ refreshToken: call[1], signal: abort.signal }), places[0])
    }
    // Not `in`: that asks `Object.prototype`, too, where somebody may have put one.
    const isSent = typeof (/** @type {any} */ (call).then) === 'function'
    const response = await (isSent ? call : sent(/** @type {Request} */ (call), await bounds()))
    if (response?.type === 'error') return [response]
    if (response?.type === 'opaqueredirect') return [response, REDIRECT]
    if (!isAnswer(response)) return [response, FOREIGN]
    // A refusal may be its caller's to read: what is read here is a copy.
    const text = await head(response, MOST_HEARD)
    const json = parse(text)
    const date = (name) => number(Date.parse(header(response, name) ?? ''))
    const [token, ...others] = places.map((place) => first(json, place))
    const list = [
      response,
      response.status,
      json,
      text?.trim() === '' ? 0 : undefined,
      walk(json, ['error']),
      +isNone(json, places[0]),
      +(response.redirected === true),
      places[0] ? token : unseen(),
      others[0],
      number(others[1]),
      moment(others[2]),
      number(others[3]),
      date('Date'),
      number(header(response, 'Retry-After')),
      date('Retry-After'),
      header(response, 'WWW-Authenticate'),
      walk(json, ['token_type']),
      header(response, 'DPoP-Nonce'),
      ...values(json, dotted),
    ]
    for (const place of places.slice(0, 2)) for (const path of paths(place)) take(json, path)
    strip(json, [token, others[0]])
    return list
  }

  // As `init`, and not as a request made of it: Firefox forgets `keepalive` when it copies a request.
  async function bounds() {
    // Its caller's own signal holds still, and what another `init` would reset.
    const { signal, referrer, referrerPolicy } = /** @type {Request} */ (call)
    const torn = () => abort.abort(signal.reason)
    signal.addEventListener('abort', torn)
    if (signal.aborted) torn()
    const outlives = /** @type {Request} */ (call).keepalive
      || (keepalive && (await /** @type {Request} */ (call).clone().arrayBuffer()).byteLength <= MOST_KEPT_ALIVE)
    return { __proto__: null, signal: abort.signal, keepalive: outlives, referrer, referrerPolicy }
  }
}

/** What stands for the status of an answer that is none: a redirect that was not followed, and what `fetch` would not give. */
const REDIRECT = -1
const FOREIGN = -2
/** The longest answer to a call of the manager's own that is read, in bytes. */
const MOST_HEARD = 2 ** 20
/** So many tasks, and milliseconds, at most a platform takes to refuse a call that it does not begin to send: no server can be so quick. */
const FEW_TASKS = 2
const MOMENT = 10

/**
 * Sends. All calls that outlive their page together may have 64 KiB (Fetch, 4.6): one for which there is no room is refused on the
 * spot, and so has not been sent. It goes without, then. A `fetch` that is patched may have sent it: nothing is sent twice by one.
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
  return took < MOMENT && !init.signal.aborted ? transmit(again.url, [again, { ...init, __proto__: null, keepalive: false }], true) : answer
}

/** Fulfils in a task of its own: what the platform has queued before is done by then. @returns {Promise<void>} */
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

/** Whether this is an answer that can be read: apps patch `fetch`, and mock it. */
function isAnswer(response) {
  const { status, headers, clone, bodyUsed } = response ?? {}
  return Number.isInteger(status) && status >= 100 && status < 600 && typeof headers?.get === 'function' && typeof clone === 'function' && !bodyUsed
}

/**
 * The text of a body, read from a copy: to its end, or as far as `isEnough` asks. Undefined if it is longer than `most` bytes.
 * @param {Response} response @param {number} most @param {(text: string) => boolean} [isEnough] @param {(stop: () => void) => void} [begun]
 */
async function head(response, most, isEnough, begun) {
  const copy = response.clone()
  // There is none, or the platform has no streams.
  if (!copy.body?.getReader) return copy.text()
  const reader = copy.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  // The other half is the caller's: this one is let go of when that is read, or let go of, too.
  const stop = () => cancel(() => reader)
  begun?.(stop)
  for (let size = 0; size <= most; ) {
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

/** The signals that the refresh functions under way were given. */
const given = new WeakSet()

/** Whether a call with this signal is one that a refresh function under way makes. @param {AbortSignal} signal */
export function isOfRefresh(signal) {
  return given.has(signal)
}

/** A header field of an answer, where it is there and not hidden by CORS. @param {Response} response @param {string} name */
export function header(response, name) {
  try {
    const value = response.headers.get(name)
    return typeof value === 'string' ? value : undefined
  } catch {
    // It is no answer of the platform's.
    return undefined
  }
}

/** The status, or 0 where that cannot be read. @param {Response} response */
export function status(response) {
  try {
    const { status } = response
    return typeof status === 'number' ? status : 0
  } catch {
    return 0
  }
}

/** Whether an answer came by way of a redirect. @param {Response} response */
export function isRedirected(response) {
  try {
    return response.redirected === true
  } catch {
    return false
  }
}

/** So much of a body is read for a rule, in bytes, and so long, in milliseconds: a code stands early, and a stream has no end. */
const MOST_RULED = 256 * 1024
const LONGEST_RULED = 1000

/**
 * The members of a JSON body at dotted paths, ` | ` between them, each as a list of texts; nothing if it is no JSON. They are read
 * from a copy: the body stays the caller's. Of JSON by lines, the first line is read.
 * @param {Response} response @param {string} dotted @param {boolean} isText  Whether nobody says that it is JSON: its first byte does.
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
  // Nothing, too, where the body broke off, or has been read, or is no answer of the platform's.
  const text = await within(head(response, MOST_RULED, isEnough, (begun) => (stop = begun)), LONGEST_RULED)
  stop?.()
  if (text !== undefined && !isEnough(text) && !isText) json = parse(text)
  return values(json, dotted)
}

/** A record or a list, and nothing else. */
const list = (json) => (typeof json === 'object' ? (json ?? undefined) : undefined)

const values = (json, dotted) => (json === undefined ? [] : paths(dotted).map((path) => all(json, path)))

/** What is being read of the answers that [`keep`] keeps. */
const kept = new WeakMap()
/** How much of a body is kept, in bytes. What is larger holds its connection. */
const MOST = 16 * 2 ** 20
/** So long a body the platform has read off its connection by itself, in bytes: its own buffers hold many times as much. */
const LEAST = 4 * 1024

/**
 * Keeps an answer for later: reads its body into memory, so that it holds no connection while its caller waits. There are
 * six to a server with HTTP/1.1, and the refresh needs one. The body stays the caller's, whole.
 * @param {Response} response
 */
export async function keep(response) {
  try {
    if (+(header(response, 'Content-Length') ?? Infinity) <= LEAST && !header(response, 'Content-Encoding')) return
    const reader = response.clone().body?.getReader()
    if (!reader) return
    kept.set(response, reader)
    for (let size = 0; size < MOST; ) {
      const { done, value } = await reader.read()
      if (done) return
      size += value.length
    }
  } catch {
    // It broke off, or has been read, or is no answer of the platform's: its caller will see.
  }
}

/** Lets go of an answer that nobody will read, so that it holds no connection. @param {Response} response */
export function discard(response) {
  // A body that broke off meanwhile has let go, too. One of two halves is let go of when the other is.
  cancel(() => kept.get(response))
  cancel(() => response.body)
}

function cancel(half) {
  try {
    half()?.cancel().catch(() => {})
  } catch {
    // It is no stream of the platform's.
  }
}

/**
 * What a function of the app's has answered, as {@link hear} reads an answer: tokens, or `null` for a refusal. Whatever else it is
 * is none.
 */
function heard(tokens, place) {
  if (tokens !== null && (typeof tokens !== 'object' || Array.isArray(tokens))) return [undefined, FOREIGN]
  const [accessToken, refreshToken, expiresIn] = ['accessToken', 'refreshToken', 'expiresIn'].map((name) => walk(tokens, [name]))
  const isEmpty = tokens === null ? 0 : undefined
  return [undefined, 0, tokens ?? undefined, isEmpty, undefined, 0, 0, accessToken ?? (place ? undefined : unseen()), refreshToken, number(expiresIn)]
}

/** What stands for a token that the browser has, and no script: no two are the same. */
const unseen = () => `${Math.random()}`
