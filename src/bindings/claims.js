// What JavaScript reads: the snapshot and the challenges, frozen.

/** The value of a JSON text, or null. @param {string} [text] */
export function parse(text) {
  return text === undefined ? null : JSON.parse(text)
}

/** Challenges: parameters come flat, value after name; behind the name `''`, which no parameter has, comes a scheme. @param {string[]} flat */
export function challenges(flat) {
  const list = []
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] === '') list.push({ scheme: flat[i + 1], parameters: Object.create(null) })
    else list[list.length - 1].parameters[flat[i]] ??= flat[i + 1]
  }
  return freeze(list)
}

/**
 * Freezes a value and all that it holds. By a list and not by recursion: a hostile payload is as deep as it is long.
 * @template T @param {T} value @returns {T}
 */
export function freeze(value) {
  for (const list = [value]; list.length; ) {
    const next = list.pop()
    if (typeof next === 'object' && next !== null) {
      for (const member of Object.values(Object.freeze(next))) list.push(member)
    }
  }
  return value
}
