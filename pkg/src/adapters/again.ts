// Shared by long-lived connections: they reconnect, and they end with the session.

import { setTimer } from './timer.js'
import type { TokenManager } from '../types.js'

/** Calls `work` after `ms` milliseconds, or later when the browser is back online. Returns a function that cancels it. */
export function later(ms: number, work: () => void): () => void {
  const go = () =>
    globalThis.navigator?.onLine === false ? globalThis.addEventListener?.('online', work, { once: true }) : work()
  const timer = setTimer(go, ms)
  return () => {
    clearTimeout(timer)
    globalThis.removeEventListener?.('online', work)
  }
}

/**
 * Calls `end` as soon as the session ends or another user signs in, which may happen without a logout. A new login of the same user does
 * not call it. `subject` is the claim that names the user; if a token has no such claim, every login counts as another user's. Returns a
 * function that stops watching.
 */
export function untilSessionEnds(
  auth: Pick<TokenManager, 'state' | 'addEventListener' | 'removeEventListener'>,
  subject: string | undefined,
  end: () => void,
): () => void {
  const user = () => {
    const claims = auth.state.claims ?? {}
    return subject === undefined ? (claims['sub'] ?? claims['user_id']) : claims[subject]
  }
  let whose = user()
  let hasBegun = auth.state.status === 'signed-in'
  let isRenewed = false
  const change = () => {
    const { status } = auth.state
    const now = user()
    if (!hasBegun) {
      // The first user to sign in owns the connection.
      hasBegun = status === 'signed-in'
      whose = now
    } else if (status === 'signed-out' || (whose !== undefined && now !== undefined && now !== whose)) end()
    else if (whose === undefined || (status === 'signed-in' && now === undefined)) {
      // A refreshed token comes with the event `refresh` in this turn. Without that event, a new session has begun.
      isRenewed = false
      queueMicrotask(() => isRenewed || end())
    }
  }
  const refresh = () => void (isRenewed = true)
  auth.addEventListener('change', change)
  auth.addEventListener('refresh', refresh)
  return () => {
    auth.removeEventListener('change', change)
    auth.removeEventListener('refresh', refresh)
  }
}
