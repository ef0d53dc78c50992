// What relative URLs are resolved against. Read by the platform's own getter: an `<img name=baseURI>` stands before it in a
// page into which somebody could write.

/** As the platform resolves: `<base>` and all. */
export function pageBase(): string | undefined {
  const { document, location } = globalThis;
  if (!document) return location?.href;
  try {
    return Object.getOwnPropertyDescriptor(Node.prototype, 'baseURI')!.get!.call(document) as string;
  } catch {
    // A document of somebody's own making, as in tests.
    return document.baseURI;
  }
}

/** The same, but never another origin's: an injected `<base>` must not move where credentials go. */
export function ownBase(): string | undefined {
  const base = pageBase();
  const { location, origin } = globalThis;
  try {
    if (!location || new URL(base!).origin === (origin ?? location.origin)) return base;
    return new URL(location.href).origin === 'null' ? base : location.href;
  } catch {
    return location.href;
  }
}
