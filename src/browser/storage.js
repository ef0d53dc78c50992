// Marks in `localStorage` (HTML, 12.2), which outlive the page. They contain no secret.

/** The text of a mark; undefined if there is no mark or no storage. @param {string} key */
export function marked(key) {
  try {
    return globalThis.localStorage?.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

/**
 * Sets or removes a mark. The mark is lost if the storage is full or forbidden.
 * @param {string} key @param {string} [mark]
 */
export function mark(key, mark) {
  try {
    if (mark === undefined) globalThis.localStorage?.removeItem(key)
    else globalThis.localStorage?.setItem(key, mark)
  } catch {
    // The logout is tried nevertheless.
  }
}
