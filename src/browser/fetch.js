// Which `fetch` sends. It is the page's, as it stands in the global scope at the moment: apps mock and instrument it. But what
// stands there may be a manager's own, or lead to one: then what is beneath it sends, so that no call comes back for ever.

/** As it was when this was imported: a script that patches it later is not handed what is sent. */
const { apply } = Reflect

/** A manager's own `fetch`, of this copy of the package or of another, has this: a function that tells what is beneath it. */
const OWN = Symbol.for('tokenkeep.fetch')
/** Members that we send through somebody's wrapper have this: that wrapper. */
const SENT = Symbol.for('tokenkeep.sent')
/** So many calls of one URL may be under way through a wrapper before one of them is marked, and before no more go through it. */
const FEW = 5
const MANY = 1000
/** So many fetches of the page's are remembered. */
const REMEMBERED = 20

/** Fetches of the page's that have not been found to lead to a manager; the last seen is the last. */
const known = []
/** Those that have been found to. */
const leading = new WeakSet()
/** Requests that we have sent, and through what. */
const requests = new WeakMap()
/** How many calls of a URL are under way through a wrapper. */
const open = new Map()

/** What stood in the global scope when it was last looked at. */
let seen
/** What sends. */
let chosen
/** Whether that is the platform's own. */
let isNative = false
/** The URL of the call that is being handed to a wrapper in this very moment, and the wrapper. */
let sending
let wrapper

// The page's `fetch` is most likely the platform's own when this is imported. A server's is none of our business.
if (globalThis.location) {
  try {
    look(globalThis.fetch)
  } catch {
    // The first call tells.
  }
}

function look(there) {
  seen = there
  const beneath = ownOf(there)
  if (beneath) {
    if (!known.length) known.push(beneath())
  } else if (typeof there === 'function' && !leading.has(there)) {
    forget(there)
    known.push(there)
    if (known.length > REMEMBERED) known.splice(1, 1)
  }
  chosen = beneath || typeof there === 'function' ? known[known.length - 1] : there
  isNative = typeof chosen === 'function' && /^function fetch\(\) \{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(chosen))
}

/** Whether the platform's own `fetch` sends, as things stand at the moment. */
export function isPlatforms() {
  if (globalThis.fetch !== seen) look(globalThis.fetch)
  return isNative
}

function ownOf(there) {
  try {
    return there[OWN]
  } catch {
    return undefined
  }
}

function forget(fetch) {
  const at = known.indexOf(fetch)
  if (at >= 0) known.splice(at, 1)
}

/** What has been found to lead to a manager sends nothing for it any more. */
function found(fetch) {
  if (typeof fetch !== 'function' || ownOf(fetch)) return
  leading.add(fetch)
  forget(fetch)
  look(globalThis.fetch)
}

/** Marks a manager's own `fetch`. @param {Function} fetch */
export function own(fetch) {
  Object.defineProperty(fetch, OWN, { value: () => known[known.length - 1] })
}

/**
 * Sends. Never throws: it rejects with what the page's `fetch` throws or rejects with. What it answers with may be anything.
 * @param {string} url  Where to, without the fragment.
 * @param {any[]} args  Those of `fetch`.
 * @param {boolean} [ours]  Whether the members of the second are ours, so that they may be marked.
 * @returns {Promise<any>}
 */
export function transmit(url, args, ours) {
  try {
    isPlatforms()
    // The platform reads what a polluted prototype says, too; wrappers get a plain object, for they call its methods.
    if (isNative && ours && args.length > 1) args = [args[0], { __proto__: null, ...args[1] }]
    const answer = isNative ? apply(chosen, globalThis, args) : through(url, args, ours)
    // A promise of another realm, or what somebody made up, is followed; what is no promise is the answer.
    return answer instanceof Promise && answer.then === Promise.prototype.then ? answer : new Promise((resolve) => resolve(answer))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** By way of somebody's wrapper, who may call a manager again with what it is given. */
function through(url, args, ours) {
  const count = open.get(url) ?? 0
  const fetch = count < MANY ? chosen : (known[known.length - 2] ?? chosen)
  if (ours && typeof args[0] === 'object') requests.set(args[0], fetch)
  if (ours && args[1]) args[1][SENT] = fetch
  else if (count >= FEW && !ours && (args[1] === undefined || isPlain(args[1]))) args = [args[0], { ...args[1], [SENT]: fetch }]
  const outer = [sending, wrapper]
  sending = url
  wrapper = fetch
  open.set(url, count + 1)
  try {
    const answer = new Promise((resolve) => resolve(apply(fetch, globalThis, args)))
    return answer.finally(close)
  } finally {
    ;[sending, wrapper] = outer
  }

  function close() {
    const count = open.get(url) - 1
    if (count) open.set(url, count)
    else open.delete(url)
  }
}

function isPlain(value) {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))
}

/**
 * Whether a call of a manager's `fetch` is one that a manager has sent, and that a wrapper of the page's has brought back.
 * @param {string} url @param {unknown} input @param {unknown} init @returns {boolean}
 */
export function isBack(url, input, init) {
  if (isPlatforms() && sending === undefined) return false
  const by = url === sending ? wrapper : (requests.get(/** @type {object} */ (input)) ?? init?.[SENT])
  if (by === undefined) return false
  found(by)
  return true
}

/** A call came back whose marks were lost: its caller knows it by something else. */
export function cameBack() {
  found(seen)
}

/** @param {Request} request */
export async function send(request) {
  return transmit(request.url, [request], true)
}

/**
 * A request to send in the place of its caller's, and whether it can be sent again: what comes from a stream cannot, for it would
 * have to be kept in memory.
 * @param {Request} request @returns {[Request, boolean]}
 */
export function taken(request) {
  const spare = duplicate(request)
  return spare ? [spare, true] : [new Request(request), false]
}

/**
 * Another request of the same content; undefined where its body is a stream, which would have to be kept in memory.
 * A stream is locked by this, as `fetch` would do. `body` is not asked for: in WebKit that makes a stream of a file.
 * @param {Request} request @returns {Request | undefined}
 */
export function duplicate(request) {
  if (!/^(GET|HEAD)$/.test(request.method)) {
    // Who has no `duplex` uploads no stream.
    if ('duplex' in request) {
      const probe = request.clone()
      try {
        // The one thing that tells: a body without a source is refused in this mode (Fetch Standard, section 5.4).
        new Request(probe, { method: 'POST', mode: 'no-cors', cache: 'default', integrity: '' })
      } catch {
        // Unread, it would hold all that the other half has sent.
        /** @type {ReadableStream} */ (probe.body).cancel()
        return undefined
      }
      // WebKit sends a form's files empty if nobody keeps the form itself, and here nobody can.
    } else if ('body' in request && /^multipart/.test(/** @type {string} */ (request.headers.get('content-type')))) return undefined
  }
  return request.clone()
}

/** Sends a request that leaves its origin by no redirect, or follows none. @param {Request} request @param {boolean} isPages */
export async function sendWithin(request, isPages) {
  const { url, referrer, referrerPolicy, redirect } = request
  const limit = isPages ? { mode: 'same-origin' } : { redirect: redirect === 'follow' ? 'error' : redirect }
  // What another `init` would reset goes along.
  return transmit(url, [request, { ...limit, referrer, referrerPolicy }], true)
}
