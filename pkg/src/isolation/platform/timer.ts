// Stands for `src/browser/timer.js` in the worker: it can be seen as long as one of its pages can.

import { renewalTimer as always } from '#timer';
import { told } from '../told.js';

// Its own `renewalTimer` stands before this one's.
export * from '#timer';

/** See `renewalTimer` there. */
export function renewalTimer(woke: (isVisible: boolean) => void): ReturnType<typeof always> {
  const timer = always(() => woke(told.visible));
  return { ...timer, set: (ms) => timer.set(told.visible ? ms : Infinity) };
}
