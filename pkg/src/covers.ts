// Rule 1 for code that runs without the core: whether a URL is covered by `apis`.

/** The parts of a parsed URL that are compared. */
export type Api = Pick<URL, 'origin' | 'pathname'>

/** `/api` covers `/api` and everything below it, but not `/apix`. */
export function covers(apis: readonly Api[], { origin, pathname }: Api): boolean {
  return apis.some((api) => {
    if (origin !== api.origin || !pathname.startsWith(api.pathname)) return false
    const rest = pathname.slice(api.pathname.length)
    return api.pathname.endsWith('/') || !rest || rest[0] === '/'
  })
}
