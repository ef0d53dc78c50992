// What connections that last have in common: they are taken up again, and end with the session.

import type { TokenManager } from '../types.js';

/** Calls `work` in `ms`, and not before there is a network. Returns what calls it off. */
export function later(ms: number, work: () => void): () => void {
  const go = () => (globalThis.navigator?.onLine === false ? globalThis.addEventListener?.('online', work, { once: true }) : work());
  const timer = setTimeout(go, ms);
  return () => {
    clearTimeout(timer);
    globalThis.removeEventListener?.('online', work);
  };
}

/**
 * Calls `end` as soon as the session ends, or is another user's: a login needs no logout before it. Returns what calls it off.
 * An opaque token names no user, so that there only a logout tells.
 */
export function untilSignout(auth: Pick<TokenManager, 'state' | 'addEventListener' | 'removeEventListener'>, end: () => void): () => void {
  const user = () => auth.state.claims?.sub ?? auth.state.claims?.user_id;
  let whose = user();
  const change = () => {
    const now = user();
    if (whose !== undefined && now !== undefined && now !== whose) end();
    whose ??= now;
  };
  auth.addEventListener('signout', end);
  auth.addEventListener('change', change);
  return () => {
    auth.removeEventListener('signout', end);
    auth.removeEventListener('change', change);
  };
}
