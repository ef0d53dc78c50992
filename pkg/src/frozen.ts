// Freezes states and events, so that listeners cannot change them.

/** Freezes a value deeply. Never throws: with a patched `Object.freeze`, a value that is not frozen is better than none. */
export function frozen<T>(value: T): T {
  try {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  } catch {
    // It stays as it is.
  }
  return value
}
