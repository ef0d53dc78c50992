// Stands for `src/browser/page.js` in the worker: what only a page can say, the pages have told.

import { told } from '../told.js';

export { base, isOffline, origin, read, resolve } from '#page';

/** See `cookie` there. */
export function cookie(name: string): string | undefined | null {
  return name in told.cookies ? told.cookies[name] : null;
}

export function isControlled(): boolean {
  return told.controlled;
}

export function mayBeSignIn(): boolean {
  return told.maybeSignIn;
}
