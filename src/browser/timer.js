// Timers: how long to wait, and when to look at the clock again. No function here throws.

/**
 * Does `work` outside of Angular's zone if there is zone.js: Angular counts an app as busy while a timer that was set
 * inside is pending. Checked each time, because zone.js may be loaded later. Any other global named `Zone` has no
 * effect.
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
    // It is not the `Zone` of zone.js.
  }
  once()
  return value
}

/** Ignores what a patched function of the page throws. @param {() => void} work */
function quietly(work) {
  try {
    work()
  } catch {
    // Only for what is done to save work later.
  }
}

/**
 * Sets a timer, outside of the app's zone.
 * @param {((nothing?: undefined) => void) | undefined} work @param {number} ms @returns {() => void} cancels it
 */
export function after(work, ms) {
  try {
    const timer = outside(() => setTimeout(() => work?.(), ms))
    return () => {
      work = undefined
      quietly(() => clearTimeout(timer))
    }
  } catch {
    // A patched `setTimeout` has thrown. Then there is no timer.
    return () => {}
  }
}

/** The number of slices of a wait. The page could run at least so many times before the wait is over. */
const SLICES = 8
/**
 * The number of further turns of the event loop at the end of a wait, so that events that are already queued are
 * handled first.
 */
const TURNS = 2

/**
 * Calls `ring` when the page has been able to run for so many milliseconds. A late timer does not say why it is late:
 * the page may have been busy, frozen or asleep, and the awaited event may be in its queue. So each slice counts as the
 * time it was set for, however long it took. Time does not count while a page is prerendered, because the platform
 * delays many answers until the page is activated (Web Locks).
 * @param {number} ms @param {(nothing?: undefined) => void} ring @returns {() => void} cancels it
 */
export function patience(ms, ring) {
  let cancel
  let left = SLICES
  const next = () => {
    if (left === -TURNS) return ring()
    cancel = after(
      () => {
        if (!(/** @type {any} */ (globalThis.document)?.prerendering)) left--
        next()
      },
      left > 0 ? ms / SLICES : 0,
    )
  }
  next()
  return () => cancel?.()
}

/**
 * The value of a promise; undefined if it rejects, or does not settle while the page could run for so many
 * milliseconds.
 * @template T @param {Promise<T>} promise @param {number} ms @returns {Promise<T | undefined>}
 */
export function within(promise, ms) {
  return new Promise((resolve) => {
    const cancel = patience(ms, resolve)
    promise
      .catch(() => undefined)
      .then((value) => {
        cancel()
        resolve(value)
      })
  })
}

/**
 * The reason of an aborted signal (DOM, 3.2). Older platforms have none, so it is made here.
 * @param {AbortSignal} signal
 */
export function reason(signal) {
  if (signal.aborted)
    return 'reason' in signal ? signal.reason : new DOMException('The operation was aborted.', 'AbortError')
}

/**
 * A promise and the functions that settle it.
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
 * Resolves when `there` does. Rejects with the signal's reason if the signal is aborted before or already, and after so
 * many milliseconds.
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
      quietly(() => signal?.removeEventListener('abort', ring))
      resolve(undefined)
    })
  })
}

/** The longest time that a timer can wait, in milliseconds (HTML, 8.6). */
const LONGEST = 2 ** 31 - 1
/** Times that differ by less than this many milliseconds count as equal. */
const SAME = 50

/**
 * A timer that also fires when the page may have slept. `fired` gets whether the page is visible; a worker counts as
 * visible.
 * @param {(isVisible: boolean) => void} fired
 */
export function renewalTimer(fired) {
  const { document } = globalThis
  let cancel
  let due = Infinity
  const isVisible = () => document?.visibilityState !== 'hidden'
  const call = () => fired(isVisible())
  quietly(() =>
    outside(() => {
      addEventListener('online', call)
      addEventListener('pageshow', call)
      document?.addEventListener('visibilitychange', call)
    }),
  )
  const set = (ms) => {
    // A hidden page has no timer.
    if (!isVisible()) ms = Infinity
    const when = performance.now() + ms
    if (when === due || Math.abs(when - due) < SAME) return
    cancel?.()
    due = when
    if (ms === Infinity) return
    cancel = after(
      () => {
        due = Infinity
        call()
      },
      Math.min(ms, LONGEST),
    )
  }
  return {
    /** Sets the timer to fire in so many milliseconds; `Infinity` means never. */
    set,
    stop() {
      cancel?.()
      quietly(() => {
        removeEventListener('online', call)
        removeEventListener('pageshow', call)
        document?.removeEventListener('visibilitychange', call)
      })
    },
  }
}
