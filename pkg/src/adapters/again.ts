// What connections that last have in common: they are taken up again, and end with the session.

import { setTimer } from './timer.js';
import type { TokenManager } from '../types.js';

/** Calls `work` in `ms`, and not before there is a network. Returns what calls it off. */
export function later(ms: number, work: () => void): () => void {
  const go = () => (globalThis.navigator?.onLine === false ? globalThis.addEventListener?.('online', work, { once: true }) : work());
  const timer = setTimer(go, ms);
  return () => {
    clearTimeout(timer);
    globalThis.removeEventListener?.('online', work);
  };
}

/**
 * Calls `end` as soon as the session ends, or is another one: a login needs no logout before it. It goes on with a login of the same user.
 * `subject` is the claim that names the user; where a token names none, any login is taken for another user's. Returns what calls it off.
 */
export function untilSessionEnds(
  auth: Pick<TokenManager, 'state' | 'addEventListener' | 'removeEventListener'>,
  subject: string | undefined,
  end: () => void,
): () => void {
  const user = () => {
    const claims = auth.state.claims ?? {};
    return subject === undefined ? (claims['sub'] ?? claims['user_id']) : claims[subject];
  };
  let whose = user();
  let hasBegun = auth.state.status === 'signed-in';
  let isRenewed = false;
  const change = () => {
    const { status } = auth.state;
    const now = user();
    if (!hasBegun) {
      // Whoever signs in first is the one.
      hasBegun = status === 'signed-in';
      whose = now;
    } else if (status === 'signed-out' || (whose !== undefined && now !== undefined && now !== whose)) end();
    else if (whose === undefined || (status === 'signed-in' && now === undefined)) {
      // A renewal is told by `refresh`, in this turn. Without it, another session has begun.
      isRenewed = false;
      queueMicrotask(() => isRenewed || end());
    }
  };
  const refresh = () => void (isRenewed = true);
  auth.addEventListener('change', change);
  auth.addEventListener('refresh', refresh);
  return () => {
    auth.removeEventListener('change', change);
    auth.removeEventListener('refresh', refresh);
  };
}
