// Stands for `src/browser/timer.js` in the worker: it can be seen as long as one of its pages can.

import { wake as wakeAlways } from '#timer';
import { told } from '../told.js';

export { after, alarm, outside, patience, reason, within } from '#timer';

/** See `wake` there. */
export function wake(woke: (isVisible: boolean) => void): ReturnType<typeof wakeAlways> {
  const timer = wakeAlways(() => woke(told.visible));
  return { ...timer, set: (ms) => timer.set(told.visible ? ms : Infinity) };
}
