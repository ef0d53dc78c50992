// Which requests go to the worker. The page asks this before a request leaves it, and the worker before it sends one: what a page says is
// not believed. Who gets the token is decided by the core alone, once more (rule 1); this is the same rule, for those who have no core.

/** Origin, and the path that it begins with. */
export type Api = [origin: string, path: string];

/** Whether a URL, as the platform serialises it, lies under one of these: the path on the border of a segment. */
export function covers(apis: readonly Api[], href: string): boolean {
  const url = new URL(href);
  return apis.some(([origin, path]) => {
    const { pathname } = url;
    return url.origin === origin && pathname.startsWith(path) && (path.endsWith('/') || pathname.length === path.length || pathname[path.length] === '/');
  });
}
