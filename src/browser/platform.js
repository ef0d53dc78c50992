// What the shell asks of the platform, where JavaScript says in a line what takes WebAssembly a page. Nothing is decided
// here, and no token is kept longer than a call. Pages and workers have the global scope in common, and no more than that:
// `document`, `location` and storage may be missing.

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

/** Fields, name after value, as the text of a form or of a JSON object. @param {boolean} isForm @param {string[]} flat */
export function encode(isForm, flat) {
  const pairs = flat.flatMap((name, i) => (i % 2 ? [] : [[name, flat[i + 1]]]))
  return isForm ? `${new URLSearchParams(pairs)}` : JSON.stringify(Object.fromEntries(pairs))
}

/**
 * Rings when the signal is aborted, with its reason (DOM, 3.2), at once if it is already; or after so many milliseconds.
 * @param {AbortSignal} [signal] @param {number} [ms]
 */
export function alarm(signal, ms) {
  /** @type {() => void} */ let ring
  const reason = () => (signal && 'reason' in signal ? signal.reason : new DOMException('The operation was aborted.', 'AbortError'))
  const rings = new Promise((resolve) => (ring = () => resolve(reason())))
  const timer = ms === undefined ? undefined : setTimeout(ring, ms)
  signal?.addEventListener('abort', ring)
  if (signal?.aborted) ring()
  return {
    rings,
    stop() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', ring)
    },
  }
}
