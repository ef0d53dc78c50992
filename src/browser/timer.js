// When to look at the clock again: a timer while the page can be seen, and the moments at which a page comes back. All of
// them are hints. The truth is asked at each call.

/**
 * Rings when the signal is aborted, with its reason (DOM, 3.2), at once if it is already; or after so many milliseconds.
 * @param {AbortSignal} [signal] @param {number} [ms]
 */
export function alarm(signal, ms) {
  /** @type {(reason?: unknown) => void} */ let settle
  const rings = new Promise((resolve) => (settle = resolve))
  const reason = () => (signal && 'reason' in signal ? signal.reason : new DOMException('The operation was aborted.', 'AbortError'))
  const ring = () => settle(reason())
  const timer = ms === undefined ? undefined : setTimeout(ring, ms)
  signal?.addEventListener('abort', ring)
  if (signal?.aborted) ring()
  return {
    rings,
    stop() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', ring)
      // A promise that never settles holds what listens to it in WebAssembly, for ever.
      settle()
    },
  }
}

/** The longest time that a timer can wait, in milliseconds (HTML, 8.6). */
const LONGEST = 2 ** 31 - 1
/** Timers of many tabs are spread over this part of their time, so that they don't go off together. */
const SPREAD = 0.05
/** Times that are so many milliseconds apart are the same, but for rounding. */
const SAME = 50

/**
 * Listens. `woke` is told whether the page can be seen; a worker has nothing to hide.
 * @param {(isVisible: boolean) => void} woke
 */
export function wake(woke) {
  const { document } = globalThis
  let timer
  let due = Infinity
  const isVisible = () => document?.visibilityState !== 'hidden'
  const call = () => woke(isVisible())
  addEventListener('online', call)
  addEventListener('pageshow', call)
  document?.addEventListener('visibilitychange', call)
  const set = (ms) => {
    // A page that is hidden has none.
    if (!isVisible()) ms = Infinity
    const when = performance.now() + ms
    if (when === due || Math.abs(when - due) < SAME) return
    clearTimeout(timer)
    due = when
    if (ms === Infinity) return
    timer = setTimeout(
      () => {
        due = Infinity
        call()
      },
      Math.min(ms + ms * SPREAD * Math.random(), LONGEST),
    )
  }
  return {
    /** Sets the timer: in so many milliseconds, or in an infinity of them, which is never. */
    set,
    stop() {
      clearTimeout(timer)
      removeEventListener('online', call)
      removeEventListener('pageshow', call)
      document?.removeEventListener('visibilitychange', call)
    },
  }
}
