// Signs out idle users, after a warning. Activity in any tab counts. The time that a laptop sleeps counts as idle time.

import { TokenError } from '../error.js'
import type { TokenState } from '../types.js'
import { page } from './idle-page.js'
import { watch } from './idle-watch.js'

/** The options of {@link watchIdle}. Durations are in milliseconds. */
export interface IdleOptions {
  /** How long the user may be idle before the session ends. At least 1000. */
  after: number
  /** How long before the end the warning begins; 0 for no warning. Default 60 000, or half of `after` if that is less. */
  warning?: number
  /** The window's events that count as activity. Default: pointer, key, wheel and touch. */
  events?: readonly string[]
  /** Tabs with the same name share their activity. If an origin has several sessions, give each a name. Default `'session'`. */
  name?: string
  /** Ends the session. Default: `auth.logout()`. */
  logout?: () => unknown
}

/** An immutable snapshot. It is the same object until something in it changes. */
export interface IdleState {
  /** `'active'` also if nobody is signed in; `'expired'` until somebody signs in again. */
  readonly status: 'active' | 'warning' | 'expired'
  /** The time until the end, in milliseconds, rounded to whole seconds; `null` without a warning. */
  readonly remaining: number | null
  /** Why the end is near or has come: `'idle'` for lack of activity, or `'session'` for the end of the session as in `state.sessionExpiresAt`. */
  readonly reason: 'idle' | 'session' | null
}

/** The result of {@link watchIdle}. */
export interface IdleWatch {
  /** See {@link IdleState}. */
  readonly state: IdleState
  /** Calls `listener` on each change of `state`; during a warning, every second. Returns a function that unsubscribes it. */
  subscribe: (listener: () => void) => () => void
  /**
   * Counts as activity, in all tabs. With `refresh`, it also refreshes the session, and rejects if that fails; by default it does so if
   * `state.reason` is `'session'`. It has no effect once the session is over.
   */
  stay: (options?: { refresh?: boolean }) => Promise<void>
  /** Stops the watch. The session stays. */
  dispose: () => void
}

/** The part of a manager that is watched. */
export interface IdleManager {
  readonly state: Pick<TokenState, 'status'> & { readonly sessionExpiresAt?: number | null }
  subscribe: (listener: () => void) => () => void
  refresh: () => Promise<void>
  logout: () => Promise<void>
}

const EVENTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove']
const LEAST = 1000
const WARNING = 60_000

/**
 * Watches for activity, and ends the session when the user has been idle.
 *
 * ```ts
 * const idle = watchIdle(auth, { after: 15 * 60_000 })
 * idle.subscribe(() => show(idle.state))   // { status: 'warning', remaining: 60000, reason: 'idle' }
 * ```
 */
export function watchIdle(auth: IdleManager, options: IdleOptions): IdleWatch {
  if (typeof auth?.subscribe !== 'function' || typeof auth.logout !== 'function') {
    throw new TokenError('invalid-argument', 'watchIdle: takes a token manager that createTokenManager returns.')
  }
  const { after, events = EVENTS, name = 'session', logout = () => auth.logout() } = options ?? {}
  check(isDuration(after, LEAST), 'after', `a number of milliseconds, at least ${LEAST}`, after)
  const { warning = Math.min(WARNING, after / 2) } = options
  check(isDuration(warning, 0) && warning < after, 'warning', 'a number of milliseconds less than `after`', warning)
  check(typeof name === 'string', 'name', 'a string', name)
  return watch(auth, { after, warning, name: `tokenkeep-idle ${name}`, logout }, page(events))
}

function isDuration(value: unknown, least: number): value is number {
  return typeof value === 'number' && value >= least && value < Infinity
}

function check(isGood: boolean, option: string, takes: string, got: unknown): void {
  if (!isGood)
    throw new TokenError(
      'invalid-argument',
      `watchIdle: \`${option}\` takes ${takes}, and got ${typeof got === 'number' ? got : typeof got}.`,
    )
}
