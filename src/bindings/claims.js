// What the platform does to the snapshot: it parses the claims, and freezes the whole.

/** The value of a JSON text, or null. @param {string} [text] */
export function parse(text) {
  return text === undefined ? null : JSON.parse(text)
}

/**
 * Freezes a value and all that it holds. By a list and not by recursion: a hostile payload is as deep as it is long.
 * @param {unknown} value
 */
export function freeze(value) {
  for (const list = [value]; list.length; ) {
    const next = list.pop()
    if (typeof next === 'object' && next !== null) {
      for (const member of Object.values(Object.freeze(next))) list.push(member)
    }
  }
}
