// Sends calls and reads answers, with the platform's own `fetch` and parsers. What an answer means is decided in Rust; it gets
// flat lists, which `answer.rs` takes off in the same order. No token is kept longer than a call.

import { patience } from './timer.js'
import { first, moment, number, parse, paths, say, take, walk } from './json.js'

/** The platform's `fetch`, as it stands in the global scope at the moment. @param {Request} request */
export async function send(request) {
  return fetch(request)
}

/**
 * Sends a copy of a request with another parameter in its URL. A body goes along as a blob: as a stream, which it would be
 * else, not every server and platform takes it.
 * @param {Request} request @param {string} name @param {string} value
 */
export async function sendWith(request, name, value) {
  const { url, method, headers, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive, signal } = request.clone()
  const body = /^(GET|HEAD)$/.test(method) ? undefined : await request.clone().blob()
  const [bare] = url.split('#')
  return fetch(`${bare}${bare.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`, { method, headers, body, mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive, signal })
}

/** A request of the options'. Throws what the platform throws. @param {string} url @param {string} method @param {RequestCredentials} credentials @param {Headers} headers @param {string} [body] */
export function request(url, method, credentials, headers, body) {
  return new Request(url, { method, credentials, headers, body, cache: 'no-store' })
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
 * what may be, as dotted paths: access token, refresh token, `expires_in`, `expires_at`. Whoever gets the JSON gets it
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
  let cancel
  const late = new Promise((resolve) => {
    cancel = patience(ms, () => {
      resolve(undefined)
      abort.abort()
    })
  })
  try {
    return await Promise.race([late, read()])
  } catch (cause) {
    return [cause]
  } finally {
    cancel()
    given.delete(abort.signal)
  }

  async function read() {
    if (Array.isArray(call)) {
      given.add(abort.signal)
      return heard(await call[0]({ refreshToken: call[1], signal: abort.signal }), places[0])
    }
    const response = await ('then' in call ? call : fetch(call, await bounds()))
    // A refusal may be its caller's to read: what is read here is a copy.
    const text = await response.clone().text()
    const json = parse(text)
    const date = (name) => number(Date.parse(response.headers.get(name) ?? ''))
    const [token, ...others] = places.map((place) => first(json, place))
    const list = [
      response,
      response.status,
      json,
      text.trim() ? undefined : 0,
      walk(json, ['error']),
      places[0] ? token : unseen(),
      others[0],
      number(others[1]),
      moment(others[2]),
      date('Date'),
      number(response.headers.get('Retry-After')),
      date('Retry-After'),
      header(response, 'WWW-Authenticate'),
      ...values(json, dotted),
    ]
    for (const place of places.slice(0, 2)) for (const path of paths(place)) take(json, path)
    return list
  }

  // As `init`, and not as a request made of it: Firefox forgets `keepalive` when it copies a request.
  async function bounds() {
    // Its caller's own signal holds still, and what another `init` would reset.
    const { signal, referrer, referrerPolicy } = call
    const torn = () => abort.abort(signal.reason)
    signal.addEventListener('abort', torn)
    if (signal.aborted) torn()
    const outlives = call.keepalive || (keepalive && (await call.clone().arrayBuffer()).byteLength <= MOST_KEPT_ALIVE)
    return { signal: abort.signal, keepalive: outlives, referrer, referrerPolicy }
  }
}

/** The signals that the refresh functions under way were given. */
const given = new WeakSet()

/** Whether a call with this signal is one that a refresh function under way makes. @param {AbortSignal} signal */
export function isOfRefresh(signal) {
  return given.has(signal)
}

/** A header field of an answer, where it is there and not hidden by CORS. @param {Response} response @param {string} name */
export function header(response, name) {
  return response.headers.get(name) ?? undefined
}

/**
 * The members of a JSON body at dotted paths, ` | ` between them, as texts. They are read from a copy: the body stays the caller's.
 * @param {Response} response @param {string} dotted
 */
export async function members(response, dotted) {
  try {
    return values(parse(await response.clone().text()), dotted)
  } catch {
    // The body broke off, or has been read.
    return []
  }
}

const values = (json, dotted) => paths(dotted).map((path) => say(walk(json, path)))

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
  for (const half of [kept.get(response), response.body]) half?.cancel().catch(() => {})
}

/** What a function of the app's has answered, as {@link hear} reads an answer: tokens, or `null` for a refusal. */
function heard(tokens, place) {
  const { accessToken = place ? undefined : unseen(), refreshToken, expiresIn } = tokens ?? {}
  return [undefined, 0, tokens ?? undefined, tokens === null ? 0 : undefined, undefined, accessToken, refreshToken, number(expiresIn)]
}

/** What stands for a token that the browser has, and no script: no two are the same. */
const unseen = () => `${Math.random()}`
