// What relative URLs are resolved against.

import { read } from '#page';

/** The page's own, whatever `<base>` says of another origin: an injected one must not move where credentials go. */
export { base as ownBase } from '#page';

/** As the platform resolves: `<base>` and all. */
export function pageBase(): string | undefined {
  const { document, location } = globalThis;
  try {
    return document ? read('Node', 'baseURI') : location?.href;
  } catch {
    // A document of somebody's own making, as in tests.
    return document.baseURI;
  }
}
