// Queries to the page or worker that the shell runs in. Pages and workers have only the global scope in common:
// `document` and `location` may be missing.

/**
 * The origin of the page, or undefined on a server. A `srcdoc` frame has the origin of its parent, which `location`
 * does not contain.
 * @returns {string | undefined}
 */
export function origin() {
  return globalThis.origin ?? globalThis.location?.origin
}

/**
 * The base for relative URLs. A `<base>` that points to another origin is ignored.
 * @returns {string | undefined}
 */
export function base() {
  const href = globalThis.location?.href
  try {
    const base = ofDocument('Node', 'baseURI')
    // A `srcdoc` frame has no URL of its own. If it is sandboxed, it has no origin either.
    const own = /^https?:/.test(href) ? new URL(href).origin : globalThis.origin
    return own === 'null' || new URL(base).origin === own ? base : href
  } catch {
    // A worker has no document.
    return href
  }
}

/** A member of the document. It is read from the prototype, because an element such as `<img name=cookie>` hides it. */
export function ofDocument(type, name) {
  const { prototype } = globalThis[type] ?? {}
  // Without this class, as in a test, there are no elements either.
  return prototype
    ? /** @type {any} */ (Object.getOwnPropertyDescriptor(prototype, name)).get.call(document)
    : document[name]
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
 * The value of a cookie that scripts may read (RFC 6265, 4.2.1); undefined if there is no such cookie, null if cookies
 * cannot be read.
 * @param {string} name @returns {string | undefined | null}
 */
export function cookie(name) {
  try {
    if (globalThis.navigator?.cookieEnabled === false) return null
    const pairs = ofDocument('Document', 'cookie')
      .split(';')
      .map((pair) => pair.trimStart())
    const value = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
    return value === undefined ? value : decoded(value)
  } catch {
    // A worker has no cookies, and a sandboxed page may not read them.
    return null
  }
}

/**
 * Decodes a cookie's value, because many servers percent-encode it (RFC 3986, 2.1). A value that is not percent-encoded
 * stays as it is.
 */
export function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whether a service worker controls this page. */
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
 * Whether the user may have signed in on the way to this page, because a redirect or a page of another origin led to
 * it. A sign-in by redirect ends like this (OpenID Connect Core, 3.1.2.5), and this package does not see it.
 */
export function mayBeSignIn() {
  try {
    const [{ type, redirectCount }] = /** @type {PerformanceNavigationTiming[]} */ (
      performance.getEntriesByType('navigation')
    )
    const referrer = ofDocument('Document', 'referrer')
    return (
      type === 'navigate' && (redirectCount > 0 || (referrer !== '' && new URL(referrer).origin !== globalThis.origin))
    )
  } catch {
    // A worker has no such entry.
    return false
  }
}
