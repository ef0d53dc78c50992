// The base URLs that relative URLs are resolved against.

/** The page's own base. A `<base>` of another origin is ignored: an injected one must not change where credentials go. */
export { base as ownBase } from '#page'

/** Found on import, because every call asks. Missing if the document came later, as in tests. */
const baseURI = Object.getOwnPropertyDescriptor(globalThis.Node?.prototype ?? {}, 'baseURI')

/** The platform's base, including `<base>`. */
export function pageBase(): string | undefined {
  const { document } = globalThis
  // Not asked before, because `location` is slow.
  if (!document) return globalThis.location?.href
  try {
    // From the prototype, because an element such as `<img name=baseURI>` hides it.
    return baseURI!.get!.call(document) as string
  } catch {
    // A document made by somebody else, as in tests.
    return document.baseURI
  }
}
