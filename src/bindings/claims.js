// What JavaScript reads: the snapshot and the challenges, frozen.

/**
 * A snapshot: `claims` is a JSON text, if there are any.
 * @param {string} status @param {string} [claims] @param {number} [expiresAt] @param {number} [sessionExpiresAt]
 */
export function snapshot(status, claims, expiresAt, sessionExpiresAt) {
  return freeze({ status, claims: claims === undefined ? null : JSON.parse(claims), expiresAt: expiresAt ?? null, sessionExpiresAt: sessionExpiresAt ?? null })
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
