// Rule 1, for those who work without the core: whether a URL lies under one of `apis`.

/** What counts of one of `apis`, and of a URL, as the platform parses it. */
export type Api = Pick<URL, 'origin' | 'pathname'>;

/** `/api` covers `/api` and what lies below, and not `/apix`. */
export function covers(apis: readonly Api[], { origin, pathname }: Api): boolean {
  return apis.some((api) => {
    if (origin !== api.origin || !pathname.startsWith(api.pathname)) return false;
    const rest = pathname.slice(api.pathname.length);
    return api.pathname.endsWith('/') || !rest || rest[0] === '/';
  });
}
