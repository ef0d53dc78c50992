// What the shell asks of the page or worker that it runs in. Pages and workers have the global scope in common, and no more
// than that: `document` and `location` may be missing.

/** The origin of the page, or undefined on a server. A frame of `srcdoc` has its parent's, which `location` does not say. @returns {string | undefined} */
export function origin() {
  return globalThis.origin ?? globalThis.location?.origin
}

/**
 * What relative URLs are resolved against: `<base>`, but none that leads to another origin. @returns {string | undefined}
 */
export function base() {
  const href = globalThis.location?.href
  try {
    const base = read('Node', 'baseURI')
    // A frame of `srcdoc` has no URL of its own; a sandboxed one has no origin, either.
    const own = /^https?:/.test(href) ? new URL(href).origin : globalThis.origin
    return own === 'null' || new URL(base).origin === own ? base : href
  } catch {
    // A worker has no document.
    return href
  }
}

/** A member of the document, read past elements of its name: `<img name=cookie>` stands before it. */
export function read(type, name) {
  const { prototype } = globalThis[type] ?? {}
  // Where there is no such class, as in a test, there are no elements, either.
  return prototype ? /** @type {any} */ (Object.getOwnPropertyDescriptor(prototype, name)).get.call(document) : document[name]
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

/**
 * The value of a cookie that scripts may read (RFC 6265, 4.2.1); undefined where there is none, and null where none can be read.
 * @param {string} name @returns {string | undefined | null}
 */
export function cookie(name) {
  try {
    if (globalThis.navigator?.cookieEnabled === false) return null
    const pairs = read('Document', 'cookie').split(';').map((pair) => pair.trimStart())
    const value = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
    return value === undefined ? value : decoded(value)
  } catch {
    // A worker has none, a sandboxed page may not read them.
    return null
  }
}

/** Many servers encode what they write there as URLs are (RFC 3986, 2.1). What is not of that form stays as it is. */
export function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether a service worker answers the calls of this page. */
export function isControlled() {
  try {
    return !!navigator.serviceWorker?.controller
  } catch {
    // A sandboxed page may not ask.
    return false
  }
}

/** Whether the platform says that there is no network. */
export function isOffline() {
  return globalThis.navigator?.onLine === false
}

/**
 * Whether the user may have signed in on the way to this page: it was come to by a redirect, or from a page of another origin.
 * A sign-in by redirect ends so (OpenID Connect Core, 3.1.2.5), and no script of ours sees it.
 */
export function mayBeSignIn() {
  try {
    const [{ type, redirectCount }] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType('navigation'))
    const referrer = read('Document', 'referrer')
    return type === 'navigate' && (redirectCount > 0 || (referrer !== '' && new URL(referrer).origin !== globalThis.origin))
  } catch {
    // A worker has no such entry.
    return false
  }
}
