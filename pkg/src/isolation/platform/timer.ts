// Replaces `src/browser/timer.js` in the worker, which counts as visible while any of its pages is.

import { renewalTimer as always } from '#timer'
import { told } from '../told.js'

// The `renewalTimer` below takes precedence over the exported one.
export * from '#timer'

/** See `renewalTimer` in `src/browser/timer.js`. */
export function renewalTimer(woke: (isVisible: boolean) => void): ReturnType<typeof always> {
  const timer = always(() => woke(told.visible))
  return { ...timer, set: (ms) => timer.set(told.visible ? ms : Infinity) }
}
