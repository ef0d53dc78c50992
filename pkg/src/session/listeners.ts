// The listeners of what has a state.

export interface Listeners {
  /** Returns the function that takes it away. */
  add(listener: () => void): () => void;
  /** Calls them all. One that throws is reported as the platform reports a listener's error, and harms nobody. */
  tell(): void;
  clear(): void;
}

export function createListeners(): Listeners {
  const all = new Set<() => void>();
  return {
    add(listener) {
      // Its own, so that one listener may be added twice.
      const call = (): void => listener();
      all.add(call);
      return () => void all.delete(call);
    },
    tell() {
      // A copy, for a listener may take itself away.
      for (const listener of [...all]) {
        try {
          listener();
        } catch (error) {
          (globalThis.reportError ?? console.error)(error);
        }
      }
    },
    clear: () => all.clear(),
  };
}
