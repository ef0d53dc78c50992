// Signs out who has gone away, and says so before. Activity in any tab counts, and so does the time that a laptop sleeps.

import { TokenError } from '../error.js';
import type { TokenState } from '../types.js';
import { page } from './idle-page.js';
import { watch } from './idle-watch.js';

/** What {@link watchIdle} takes. Durations are milliseconds. */
export interface IdleOptions {
  /** How long nobody may be active before the session ends. At least 1000. */
  after: number;
  /** How long before its end the warning begins; 0: there is none. Default 60 000, or half of `after` if that is less. */
  warning?: number;
  /** The events of the window that are activity. Default: pointer, key, wheel and touch. */
  events?: readonly string[];
  /** Tabs that watch under one name are active for each other. An origin that has more than one session gives each a name. Default `'session'`. */
  name?: string;
  /** Ends the session. Default: `auth.logout()`. */
  logout?: () => unknown;
}

/** An immutable snapshot. The same object until something in it changes. */
export interface IdleState {
  /** `'active'` also where nobody is signed in; `'expired'` until somebody signs in again. */
  readonly status: 'active' | 'warning' | 'expired';
  /** How long it is until the end, in whole seconds, as milliseconds; `null` where there is no warning. */
  readonly remaining: number | null;
  /** What comes or came to its end: the patience with who is not active, or the session, as `state.sessionExpiresAt` has it. */
  readonly reason: 'idle' | 'session' | null;
}

/** What {@link watchIdle} gives. */
export interface IdleWatch {
  /** See {@link IdleState}. */
  readonly state: IdleState;
  /** Calls `listener` on each change of `state`: in a warning, at each second. Returns the function that ends this. */
  subscribe: (listener: () => void) => () => void;
  /**
   * Counts as activity, in all tabs. With `refresh`, the session is renewed, too; default: where the session's own end is what comes. It
   * rejects where that fails. It brings nothing back that is over.
   */
  stay: (options?: { refresh?: boolean }) => Promise<void>;
  /** Ends the watch, and nothing else. */
  dispose: () => void;
}

/** What is watched: a manager. */
export interface IdleManager {
  readonly state: Pick<TokenState, 'status'> & { readonly sessionExpiresAt?: number | null };
  subscribe: (listener: () => void) => () => void;
  refresh: () => Promise<void>;
  logout: () => Promise<void>;
}

const EVENTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove'];
const LEAST = 1000;
const WARNING = 60_000;

/**
 * Watches whether somebody is there, and ends the session where nobody is.
 *
 * ```ts
 * const idle = watchIdle(auth, { after: 15 * 60_000 })
 * idle.subscribe(() => show(idle.state))   // { status: 'warning', remaining: 60000, reason: 'idle' }
 * ```
 */
export function watchIdle(auth: IdleManager, options: IdleOptions): IdleWatch {
  if (typeof auth?.subscribe !== 'function' || typeof auth.logout !== 'function') {
    throw new TokenError('invalid-argument', 'watchIdle: takes a token manager, as createTokenManager makes it.');
  }
  const { after, events = EVENTS, name = 'session', logout = () => auth.logout() } = options ?? {};
  check(isDuration(after, LEAST), 'after', `a number of milliseconds, ${LEAST} at least`, after);
  const { warning = Math.min(WARNING, after / 2) } = options;
  check(isDuration(warning, 0) && warning < after, 'warning', 'a number of milliseconds less than `after`', warning);
  check(typeof name === 'string', 'name', 'a string', name);
  return watch(auth, { after, warning, name: `tokenkeep-idle ${name}`, logout }, page(events));
}

function isDuration(value: unknown, least: number): value is number {
  return typeof value === 'number' && value >= least && value < Infinity;
}

function check(isGood: boolean, option: string, takes: string, got: unknown): void {
  if (!isGood) throw new TokenError('invalid-argument', `watchIdle: \`${option}\` takes ${takes}, and got ${typeof got === 'number' ? got : typeof got}.`);
}
