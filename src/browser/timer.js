// Timers: how long to be patient, and when to look at the clock again. No function here throws.

/**
 * Does `work` outside of Angular's zone, where zone.js is there: an app there counts as busy as long as a timer that was set inside
 * is pending. Asked at each time, for zone.js may come later; whatever else is called `Zone` is not heard.
 * @template T @param {() => T} work @returns {T}
 */
export function outside(work) {
  let isDone = false
  let value
  const once = () => {
    if (!isDone) {
      isDone = true
      value = work()
    }
  }
  try {
    globalThis.Zone?.root?.run?.(once)
  } catch {
    // It is no zone.
  }
  once()
  return value
}

/** Sets a timer, outside of the app's zone. @param {(nothing?: undefined) => void} work @param {number} ms @returns {() => void} what calls it off */
export function after(work, ms) {
  try {
    const timer = outside(() => setTimeout(work, ms))
    return () => clearTimeout(timer)
  } catch {
    // Somebody's own `setTimeout` that sets none: then none goes off.
    return () => {}
  }
}

/** Into so many slices a wait is cut: so often at least the page could run before the wait is over. */
const SLICES = 8
/** At so many more turns of the event loop, what is queued by then is handled before the wait is over. */
const TURNS = 2

/**
 * Calls `ring` when the page could run for so many milliseconds. A timer that goes off late says nothing of why: the page may have
 * been busy, frozen, or asleep, and what is waited for stands in its queue. So each slice counts as what it was set for, however
 * long it took. A page that is being prerendered is not there yet: much that it asks for is not answered before (Web Locks).
 * @param {number} ms @param {(nothing?: undefined) => void} ring @returns {() => void} what calls it off
 */
export function patience(ms, ring) {
  let cancel
  let left = SLICES
  const next = () => {
    if (left === -TURNS) return ring()
    cancel = after(() => {
      if (!/** @type {any} */ (globalThis.document)?.prerendering) left--
      next()
    }, left > 0 ? ms / SLICES : 0)
  }
  next()
  return () => cancel?.()
}

/**
 * What a promise says; undefined where it rejects, and where it says nothing while the page could run for so many milliseconds.
 * @template T @param {Promise<T>} promise @param {number} ms @returns {Promise<T | undefined>}
 */
export function within(promise, ms) {
  return new Promise((resolve) => {
    const cancel = patience(ms, resolve)
    promise.catch(() => undefined).then((value) => {
      cancel()
      resolve(value)
    })
  })
}

/** The reason of a signal, if it is aborted (DOM, 3.2); older platforms give none. @param {AbortSignal} signal */
export function reason(signal) {
  if (signal.aborted) return 'reason' in signal ? signal.reason : new DOMException('The operation was aborted.', 'AbortError')
}

/**
 * A promise and what settles it.
 * @returns {{ there: Promise<unknown>, settle(value?: unknown): void, refuse(reason: unknown): void }}
 */
export function settling() {
  /** @type {(value?: unknown) => void} */ let settle
  /** @type {(reason: unknown) => void} */ let refuse
  const there = new Promise((resolve, reject) => {
    settle = resolve
    refuse = reject
  })
  return { there, settle: (value) => settle(value), refuse: (reason) => refuse(reason) }
}

/**
 * Fulfils when `there` does. Rejects if the signal is aborted before, with its reason, at once if it is already; or after so many
 * milliseconds.
 * @param {Promise<unknown>} there @param {AbortSignal} [signal] @param {number} [ms] @returns {Promise<unknown>}
 */
export function before(there, signal, ms) {
  if (!signal && ms === undefined) return there
  return new Promise((resolve, reject) => {
    const ring = () => reject(signal && reason(signal))
    const calm = ms === undefined ? undefined : patience(ms, ring)
    if (signal) outside(() => signal.addEventListener('abort', ring))
    if (signal?.aborted) ring()
    void there.then(() => {
      calm?.()
      signal?.removeEventListener('abort', ring)
      resolve(undefined)
    })
  })
}

/** The longest time that a timer can wait, in milliseconds (HTML, 8.6). */
const LONGEST = 2 ** 31 - 1
/** Times that are so many milliseconds apart are the same, but for rounding. */
const SAME = 50

/**
 * A timer that also fires when the page may have slept. `fired` is told whether the page can be seen; a worker has nothing to hide.
 * @param {(isVisible: boolean) => void} fired
 */
export function renewalTimer(fired) {
  const { document } = globalThis
  let cancel
  let due = Infinity
  const isVisible = () => document?.visibilityState !== 'hidden'
  const call = () => fired(isVisible())
  outside(() => {
    addEventListener('online', call)
    addEventListener('pageshow', call)
    document?.addEventListener('visibilitychange', call)
  })
  const set = (ms) => {
    // A page that is hidden has none.
    if (!isVisible()) ms = Infinity
    const when = performance.now() + ms
    if (when === due || Math.abs(when - due) < SAME) return
    cancel?.()
    due = when
    if (ms === Infinity) return
    cancel = after(() => {
      due = Infinity
      call()
    }, Math.min(ms, LONGEST))
  }
  return {
    /** Sets the timer: in so many milliseconds, or in an infinity of them, which is never. */
    set,
    stop() {
      cancel?.()
      removeEventListener('online', call)
      removeEventListener('pageshow', call)
      document?.removeEventListener('visibilitychange', call)
    },
  }
}
