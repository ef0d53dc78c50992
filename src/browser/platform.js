// What the shell asks of the platform, where JavaScript says in a line what takes WebAssembly a page. Nothing is decided
// here, and no token is kept longer than a call. Pages and workers have the global scope in common, and no more than that:
// `document`, `location` and storage may be missing.
//
// One file for all of it: where nobody bundles, as in `wasm-pack test`, each would be a request of its own.

/** The origin of the page, or undefined on a server. @returns {string | undefined} */
export function origin() {
  return globalThis.location?.origin
}

/** What relative URLs are resolved against. @returns {string | undefined} */
export function base() {
  return globalThis.document?.baseURI ?? globalThis.location?.href
}

/**
 * A URL as the platform parses and serialises it (URL Standard, 4.5).
 * @param {string} url @param {string} [base] @returns {string | undefined}
 */
export function resolve(url, base) {
  try {
    return new URL(url, base).href
  } catch {
    return undefined
  }
}

/** The value of a cookie that scripts may read (RFC 6265, 4.2.1). @param {string} name @returns {string | undefined} */
export function cookie(name) {
  try {
    const pairs = document.cookie.split(';').map((pair) => pair.trimStart())
    return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
  } catch {
    // A worker has none, a sandboxed page may not read them.
    return undefined
  }
}

/** The text of a mark in the storage; undefined where there is none, or no storage to be had. @param {string} key */
export function marked(key) {
  try {
    return globalThis.localStorage?.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

/** Sets a mark, or takes it away. A storage that is full or forbidden loses it. @param {string} key @param {string} [mark] */
export function mark(key, mark) {
  try {
    if (mark === undefined) globalThis.localStorage?.removeItem(key)
    else globalThis.localStorage?.setItem(key, mark)
  } catch {
    // The logout is tried all the same.
  }
}

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

/**
 * Rings when the signal is aborted, with its reason (DOM, 3.2), at once if it is already; or after so many milliseconds.
 * @param {AbortSignal} [signal] @param {number} [ms]
 */
export function alarm(signal, ms) {
  /** @type {(reason?: unknown) => void} */ let settle
  const rings = new Promise((resolve) => (settle = resolve))
  const reason = () => (signal && 'reason' in signal ? signal.reason : new DOMException('The operation was aborted.', 'AbortError'))
  const ring = () => settle(reason())
  const timer = ms === undefined ? undefined : setTimeout(ring, ms)
  signal?.addEventListener('abort', ring)
  if (signal?.aborted) ring()
  return {
    rings,
    stop() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', ring)
      // A promise that never settles holds what listens to it in WebAssembly, for ever.
      settle()
    },
  }
}

// ---- Reads answers with the platform's own parsers, into flat lists for `answer.rs`. What they mean is decided in Rust.

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
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined)
      abort.abort()
    }, ms)
  })
  try {
    return await Promise.race([late, read()])
  } catch (cause) {
    return [cause]
  } finally {
    clearTimeout(timer)
  }

  async function read() {
    if (Array.isArray(call)) return heard(await call[0]({ refreshToken: call[1], signal: abort.signal }), places[0])
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

/**
 * What the payload of a JWT says of itself: `iat`, `exp` and `sub`; undefined if it is no JSON object. A NumericDate is a
 * number (RFC 7519, 2): one that is quoted says nothing.
 * @param {string} text
 */
export function claims(text) {
  const json = parse(text)
  return isObject(json) && !Array.isArray(json) ? [json.iat, json.exp, json.sub] : undefined
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

/** A value as text, so that 40101 equals "40101"; undefined where there is none. An object is there, and that is all. */
function say(value) {
  return value === undefined || value === null ? undefined : isObject(value) ? typeof value : `${value}`
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value) => typeof value === 'object' && value !== null
// What an object inherits is no part of the answer.
const own = (value, name) => Object.getOwnPropertyDescriptor(value, name)?.value
const walk = (value, path) => path.reduce((value, name) => (isObject(value) ? own(value, name) : undefined), value)
const paths = (place) => place.split(' | ').map((dotted) => dotted.split('.'))
/** Of several places, what stands at the first that holds something: servers send empty tokens, too. */
const first = (value, place) => paths(place).map((path) => walk(value, path)).find((found) => (found ?? '') !== '')

/** Takes the value at a path out of its object. */
function take(value, path) {
  const last = path.pop()
  const parent = walk(value, path)
  if (isObject(parent)) delete parent[last]
}

/** A number, or a text that is one: some servers quote. */
function number(value) {
  const number = typeof value === 'string' && value.trim() ? Number(value) : value
  return Number.isFinite(number) ? number : undefined
}

/** The same; or the seconds since the epoch of a date and time (RFC 3339, 5.6). Without a zone it says nothing. */
function moment(value) {
  const isDate = typeof value === 'string' && /^\d+-\d+-\d+[T ].+(Z|[+-]\d\d:?\d\d)$/i.test(value)
  return number(isDate ? Date.parse(value.replace(' ', 'T')) / 1000 : value)
}

// ---- A Web Lock (Web Locks API, 2.3), as a value that can be given back.
//
// Whoever holds it has a second one beside it, a lease, whose name says until when it may be held. A page that is frozen
// keeps both, so the lock is taken from whoever's lease has run out. Two at once never take it: for that, too, is a lock.

/** How far beyond its time a lock is held at the most, in milliseconds: what stands around the call, and slow machines. */
const GRACE = 200
/** How long a lock must have been without a lease before it is taken, in milliseconds: it may have changed hands just now. */
const HAND_OVER = 250

/**
 * Waits for the lock `name`, for `ms` milliseconds at the most; it will be held for `hold` at the most. Fulfils with
 * undefined if it was not to be had. Without a name, and where the platform has no Web Locks, there is nothing to wait for.
 *
 * `contended`: somebody else held it when it was asked for, and has given it back.
 * @param {string | undefined} name @param {number} ms @param {number} hold
 * @returns {Promise<{ contended: boolean, allows(ms: number): boolean, kept(): Promise<boolean>, release(): void } | undefined>}
 */
export async function acquire(name, ms, hold) {
  const locks = globalThis.navigator?.locks
  if (name !== undefined && !locks) alone()
  if (name === undefined || !locks) return { contended: false, allows: () => true, kept: async () => true, release() {} }
  const lease = `${name} until `
  let held
  await ask({ ifAvailable: true }, false)
  if (held) return held
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), ms)
  let patience
  await Promise.race([ask({ signal: abort.signal }, true), take()])
  abort.abort()
  clearTimeout(timer)
  clearTimeout(patience)
  return held

  /** Fulfils when the lock is held, when the wait was called off, or at once if it is not to be had. */
  function ask(options, contended) {
    return new Promise((settle) => {
      let isStolen = false
      const hold_ = (lock) =>
        lock &&
        new Promise((release) => {
          const until = Date.now() + hold + GRACE
          const leased = (end) => {
            held = {
              contended,
              /** Whether there is time left for a call of so many milliseconds. */
              allows: (ms) => Date.now() + ms <= until,
              /** Whether it was held until now. What has taken it meanwhile is heard of before the answer to a question. */
              async kept() {
                if (Date.now() > until) await locks.query()
                return !isStolen
              },
              release() {
                release()
                end()
              },
            }
            settle()
          }
          // Shared: two of the same name and millisecond don't wait for each other.
          locks.request(lease + until, { mode: 'shared' }, () => new Promise(leased))
        })
      const over = () => {
        isStolen = true
        settle()
      }
      locks.request(name, options, hold_).then(over, over)
    })
  }

  /** Takes the lock as soon as it is overdue. */
  async function take() {
    for (;;) {
      await pause((await left()) + HAND_OVER)
      if (held || abort.signal.aborted) return
      if ((await left()) > 0) continue
      const alone = { ifAvailable: true }
      await locks.request(`${name} taken`, alone, async (mine) => mine && (await left()) <= 0 && !held && ask({ steal: true }, false))
      if (held) return
    }
  }

  /** How long it may be held still, by the newest lease. */
  async function left() {
    const ends = (await locks.query()).held.map((lock) => (lock.name.startsWith(lease) ? +lock.name.slice(lease.length) : 0))
    return Math.max(0, Math.max(0, ...ends) - Date.now())
  }

  function pause(ms) {
    return new Promise((resolve) => (patience = setTimeout(resolve, ms)))
  }
}

let isSaid = false

/** Says, once, that the tabs know nothing of each other here. */
function alone() {
  if (isSaid) return
  isSaid = true
  console.info('tokenkeep: no Web Locks or no BroadcastChannel here (are the page and its frame https?), so each tab refreshes on its own.')
}

// ---- News among tabs, over a `BroadcastChannel` (HTML, 9.5), in the one form that all versions of this file understand.

/** The form of the messages. Another number is another form. */
const VERSION = 1

/**
 * Opens the channel, or says undefined where the platform has none. `heard` gets each message that is of the known form,
 * as a list: kind, stamp, session, accessToken, refreshToken, life; or undefined, when the page has come back from where it
 * may have heard nothing. Whatever comes in was sent by some script of this origin, perhaps another version of this package,
 * perhaps an attacker's.
 * @param {string} name @param {(message: unknown[] | undefined) => void} heard
 */
export function open(name, heard) {
  let channel
  try {
    channel = new BroadcastChannel(name)
  } catch {
    alone()
    return undefined
  }
  channel.onmessage = ({ data }) => {
    const message = read(data)
    if (message) heard(message)
  }
  // It stays open in the back/forward cache. There a message throws the page out, which is as it should be: closed, it would
  // come back with the token of a session that has ended. Where the platform lets messages fall instead, it asks.
  const comeBack = ({ persisted }) => persisted && heard(undefined)
  addEventListener('pageshow', comeBack)
  return {
    /** Tells all other tabs. */
    post(kind, stamp, session, accessToken, refreshToken, life) {
      // The receiver may have slept: the life is counted from here.
      const at = accessToken === undefined ? undefined : Date.now()
      channel.postMessage({ tokenkeep: VERSION, kind, stamp, session, accessToken, refreshToken, life, at })
    },
    close() {
      removeEventListener('pageshow', comeBack)
      channel.onmessage = null
      channel.close()
    },
  }
}

function read(data) {
  if (typeof data !== 'object' || data?.tokenkeep !== VERSION) return undefined
  const { kind, accessToken, refreshToken, life, at } = data
  const stamp = (number) => (number >= 0 && number <= Number.MAX_SAFE_INTEGER ? number : undefined)
  // What is left of it, but never nothing: a token whose end is not known would live longer than one that has ended.
  const left = typeof life === 'number' ? Math.max(life - Math.max(Date.now() - at, 0), 1) : undefined
  const grant = typeof at === 'number' ? [accessToken, refreshToken, left] : []
  return [kind, stamp(data.stamp), stamp(data.session), ...grant]
}

// ---- When to look at the clock again: a timer while the page can be seen, and the moments at which a page comes back. All of
// them are hints. The truth is asked at each call.

/** The longest time that a timer can wait, in milliseconds (HTML, 8.6). */
const LONGEST = 2 ** 31 - 1
/** Timers of many tabs are spread over this part of their time, so that they don't go off together. */
const SPREAD = 0.05
/** Times that are so many milliseconds apart are the same, but for rounding. */
const SAME = 50

/**
 * Listens. `woke` is told whether the page can be seen; a worker has nothing to hide.
 * @param {(isVisible: boolean) => void} woke
 */
export function wake(woke) {
  const { document } = globalThis
  let timer
  let due = Infinity
  const isVisible = () => document?.visibilityState !== 'hidden'
  const call = () => woke(isVisible())
  addEventListener('online', call)
  addEventListener('pageshow', call)
  document?.addEventListener('visibilitychange', call)
  const set = (ms) => {
    // A page that is hidden has none.
    if (!isVisible()) ms = Infinity
    const when = performance.now() + ms
    if (when === due || Math.abs(when - due) < SAME) return
    clearTimeout(timer)
    due = when
    if (ms === Infinity) return
    timer = setTimeout(
      () => {
        due = Infinity
        call()
      },
      Math.min(ms + ms * SPREAD * Math.random(), LONGEST),
    )
  }
  return {
    /** Sets the timer: in so many milliseconds, or in an infinity of them, which is never. */
    set,
    stop() {
      clearTimeout(timer)
      removeEventListener('online', call)
      removeEventListener('pageshow', call)
      document?.removeEventListener('visibilitychange', call)
    },
  }
}
