// The base URLs that relative URLs are resolved against.

import { read } from '#page'

/** The page's own base. A `<base>` of another origin is ignored: an injected one must not change where credentials go. */
export { base as ownBase } from '#page'

/** The platform's base, including `<base>`. */
export function pageBase(): string | undefined {
  const { document, location } = globalThis
  try {
    return document ? read('Node', 'baseURI') : location?.href
  } catch {
    // A document made by somebody else, as in tests.
    return document.baseURI
  }
}
