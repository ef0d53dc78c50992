// Rule 1, for those who work without the core: whether a URL lies under one of `apis`.

/** `/api` covers `/api` and what lies below, and not `/apix`. */
export function covers(api: URL, place: URL): boolean {
  if (place.origin !== api.origin || !place.pathname.startsWith(api.pathname)) return false;
  const rest = place.pathname.slice(api.pathname.length);
  return api.pathname.endsWith('/') || !rest || rest[0] === '/';
}
