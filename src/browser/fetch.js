// Chooses the `fetch` that sends: the current global `fetch` of the page, because apps mock and instrument it. If that
// is a manager's own `fetch`, or a wrapper that calls one, the `fetch` beneath it sends. Otherwise the call would come
// back forever.

/** Captured on import, so that a script that patches it later does not see requests. */
const { apply } = Reflect

/**
 * Every manager's own `fetch`, from any copy of the package, has this member: a function that returns the `fetch`
 * beneath it.
 */
const OWN = Symbol.for('tokenkeep.fetch')
/** Marks an `init` that was passed to a wrapper. The value is the wrapper. */
const SENT = Symbol.for('tokenkeep.sent')
/**
 * With so many calls of one URL in flight through a wrapper, and `FEW` others, the next are marked (`FEW`), or bypass
 * the wrapper (`MANY`).
 */
const FEW = 5
const MANY = 1000
/** How many `fetch` functions of the page are remembered. */
const REMEMBERED = 20

/** `fetch` functions of the page that do not lead to a manager, as far as known. The last entry was seen last. */
const known = []
/** `fetch` functions that lead to a manager. */
const leading = new WeakSet()
/** Requests that were sent, with the wrapper that they were passed to. */
const requests = new WeakMap()
/** How many calls are in flight through a wrapper. The first `FEW` are not counted by URL, which costs more. */
let inFlight = 0
/** The number of the others, by URL. */
const open = new Map()

/** The global `fetch` when it was last checked. */
let seen
/** The `fetch` that sends. */
let chosen
/** Whether that is the platform's. */
let isNative = false
/** The URL of the call that is being passed to a wrapper right now, and the wrapper. */
let sending
let wrapper

// On import, the page's `fetch` is most likely the platform's. On a server there is nothing to do.
if (globalThis.location) {
  try {
    look(globalThis.fetch)
  } catch {
    // The first call reports the error.
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
  isNative =
    typeof chosen === 'function' &&
    /^function fetch\(\) \{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(chosen))
}

/** Whether the platform's own `fetch` sends at the moment. */
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

/** Remembers that a `fetch` leads to a manager, so that it sends no more of a manager's calls. */
function found(fetch) {
  if (typeof fetch !== 'function' || ownOf(fetch)) return
  leading.add(fetch)
  forget(fetch)
  look(globalThis.fetch)
}

/** Marks a manager's own `fetch`. @param {Function} fetch */
export function markOwn(fetch) {
  Object.defineProperty(fetch, OWN, { value: () => known[known.length - 1] })
}

/**
 * Sends. Never throws: it rejects with whatever the page's `fetch` throws or rejects with. It may resolve to any value.
 * @param {string} url  The URL without the fragment.
 * @param {any[]} args  The arguments of `fetch`.
 * @param {boolean} [ours]  Whether the second argument was made by this package, so that it may be marked.
 * @returns {Promise<any>}
 */
export function transmit(url, args, ours) {
  try {
    isPlatforms()
    // The platform would also read members of a polluted prototype. Wrappers get an ordinary object, because they may
    // call its methods.
    if (isNative && ours && args.length > 1) args = [args[0], { __proto__: null, ...args[1] }]
    return isNative ? promised(apply(chosen, globalThis, args)) : through(url, args, ours)
  } catch (error) {
    return Promise.reject(error)
  }
}

/**
 * The platform's promises are returned as they are. Other promises, whose `then` may do anything, are followed, and other
 * values become the result.
 */
function promised(answer) {
  return answer instanceof Promise && answer.then === Promise.prototype.then && answer.constructor === Promise
    ? answer
    : new Promise((resolve) => resolve(answer))
}

/** Sends through a wrapper, which may call a manager again with the arguments that it gets. */
function through(url, args, ours) {
  const isCounted = inFlight >= FEW
  const count = isCounted ? (open.get(url) ?? 0) : 0
  const fetch = count < MANY ? chosen : (known[known.length - 2] ?? chosen)
  if (ours && typeof args[0] === 'object') requests.set(args[0], fetch)
  if (ours && args[1]) args[1][SENT] = fetch
  else if (count >= FEW && !ours && (args[1] === undefined || isPlain(args[1])))
    args = [args[0], { ...args[1], [SENT]: fetch }]
  const outer = sending
  const outerWrapper = wrapper
  sending = url
  wrapper = fetch
  inFlight++
  if (isCounted) open.set(url, count + 1)
  let answer
  try {
    answer = promised(apply(fetch, globalThis, args))
  } catch (error) {
    answer = Promise.reject(error)
  }
  sending = outer
  wrapper = outerWrapper
  // One more promise, where `finally` would make four.
  return answer.then(
    (answer) => {
      close()
      return answer
    },
    (error) => {
      close()
      throw error
    },
  )

  function close() {
    inFlight--
    if (!isCounted) return
    const count = open.get(url) - 1
    if (count) open.set(url, count)
    else open.delete(url)
  }
}

function isPlain(value) {
  return typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))
}

/**
 * Whether a call of a manager's `fetch` is a call that a manager has sent, and that a wrapper of the page has brought
 * back.
 * @param {string} url @param {unknown} input @param {unknown} init @returns {boolean}
 */
export function isBack(url, input, init) {
  if (isPlatforms() && sending === undefined) return false
  const by = url === sending ? wrapper : (requests.get(/** @type {object} */ (input)) ?? init?.[SENT])
  if (by === undefined) return false
  found(by)
  return true
}

/** A call came back without its mark, and the caller has recognised it by other means. */
export function cameBack() {
  found(seen)
}

/** @param {Request} request */
export async function send(request) {
  return transmit(request.url, [request], true)
}

/**
 * A request to send instead of the caller's, and whether it can be sent again. A stream body cannot, because it would
 * have to be kept in memory.
 * @param {Request} request @returns {[Request, boolean]}
 */
export function takeOver(request) {
  const spare = duplicate(request)
  return spare ? [spare, true] : [new Request(request), false]
}

/**
 * A copy of a request; undefined if its body is a stream, which would have to be kept in memory.
 * This locks a stream, as `fetch` would. It does not read `body`: in WebKit that turns a file into a stream.
 * @param {Request} request @returns {Request | undefined}
 */
export function duplicate(request) {
  if (!/^(GET|HEAD)$/.test(request.method)) {
    // Platforms without `duplex` cannot upload streams.
    if ('duplex' in request) {
      const probe = request.clone()
      try {
        // The only way to detect a stream: a body without a source is refused in this mode (Fetch Standard, section
        // 5.4).
        new Request(probe, { method: 'POST', mode: 'no-cors', cache: 'default', integrity: '' })
      } catch {
        // An unread branch of the stream would buffer all that the other branch sends.
        ;/** @type {ReadableStream} */ (probe.body).cancel()
        return undefined
      }
      // WebKit sends the files of a form as empty unless somebody keeps a reference to the form, which is not available
      // here.
    } else if ('body' in request && /^multipart/.test(/** @type {string} */ (request.headers.get('content-type'))))
      return undefined
  }
  return request.clone()
}

/**
 * Sends a request so that redirects stay within its origin, or are not followed.
 * @param {Request} request @param {boolean} isPages
 */
export async function sendWithin(request, isPages) {
  const { url, referrer, referrerPolicy, redirect } = request
  const limit = isPages ? { mode: 'same-origin' } : { redirect: redirect === 'follow' ? 'error' : redirect }
  // Passing an `init` would reset these two members.
  return transmit(url, [request, { ...limit, referrer, referrerPolicy }], true)
}
