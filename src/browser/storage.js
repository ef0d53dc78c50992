// Marks that outlive the page, in `localStorage` (HTML, 12.2). No secret stands in them.

/** The text of a mark in the storage; undefined where there is none, or no storage to be had. @param {string} key */
export function marked(key) {
  try {
    return globalThis.localStorage?.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

/** Sets a mark, or takes it away. A storage that is full or forbidden loses it. @param {string} key @param {string} [mark] */
export function mark(key, mark) {
  try {
    if (mark === undefined) globalThis.localStorage?.removeItem(key)
    else globalThis.localStorage?.setItem(key, mark)
  } catch {
    // The logout is tried all the same.
  }
}
