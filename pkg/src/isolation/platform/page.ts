// Replaces `src/browser/page.js` in the worker: the answers are those that the pages have sent.

import { told } from '../told.js'

export { base, isOffline, ofDocument, origin, resolve } from '#page'

/** See `cookie` in `src/browser/page.js`. */
export function cookie(name: string): string | undefined | null {
  return name in told.cookies ? told.cookies[name] : null
}

export function isControlled(): boolean {
  return told.controlled
}

export function mayBeSignIn(): boolean {
  return told.maybeSignIn
}
