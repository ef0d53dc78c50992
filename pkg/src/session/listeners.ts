// A set of listeners.

export interface Listeners {
  /** Adds a listener. Returns a function that removes it. */
  add(listener: () => void): () => void
  /** Calls all listeners. An error of one is reported as the platform reports a listener's error, and the others are still called. */
  tell(): void
  clear(): void
}

export function createListeners(): Listeners {
  const all = new Set<() => void>()
  return {
    add(listener) {
      // A new function each time, so that one listener may be added twice.
      const call = (): void => listener()
      all.add(call)
      return () => void all.delete(call)
    },
    tell() {
      // A copy, because a listener may remove itself.
      for (const listener of [...all]) {
        try {
          listener()
        } catch (error) {
          ;(globalThis.reportError ?? console.error)(error)
        }
      }
    },
    clear: () => all.clear(),
  }
}
