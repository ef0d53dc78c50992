// Svelte: the state of the session, and a guard for what needs a session, as stores that call at once and, in runes, as `current`.
// The manager is the app's own, made at module scope.

import * as reactivity from 'svelte/reactivity';
import { checked, mistake } from './common.js';
import { firstView, watch, type View } from './watch.js';
import type { TokenError } from '../error.js';
import type { SignoutReason, TokenManager, TokenState } from '../types.js';

/** A readable store that calls at once, and the same value for runes. */
export interface Readable<Value> {
  /** The contract of Svelte's stores: `$store`. */
  subscribe(run: (value: Value) => void): () => void;
  /** The value now. An effect, a `$derived` or a template that reads it runs again when it changes. */
  readonly current: Value;
}

/** `start` is called for the first who listens, and what it returns when the last has gone. */
function readable<Value>(get: () => Value, start: (update: () => void) => () => void): Readable<Value> {
  if (typeof reactivity.createSubscriber !== 'function') throw mistake('tokenkeep/svelte: needs Svelte 5.7 or newer.');
  const runs = new Set<() => void>();
  let stop: (() => void) | undefined;
  const add = (run: () => void) => {
    runs.add(run);
    stop ??= start(() => {
      for (const run of [...runs]) run();
    });
    return () => {
      if (!runs.delete(run) || runs.size) return;
      stop?.();
      stop = undefined;
    };
  };
  const track = reactivity.createSubscriber((update) => {
    // What changes while it starts is read right after.
    let isStarted = false;
    const end = add(() => isStarted && update());
    isStarted = true;
    return end;
  });
  return {
    subscribe(run) {
      let isStarted = false;
      const end = add(() => isStarted && run(get()));
      isStarted = true;
      run(get());
      return end;
    },
    get current() {
      track();
      return get();
    },
  };
}

/** The state of the session: `$session.status`, or `session.current.status`. On a server, `status` is `'unknown'`. */
export function authState<Claims extends object = Record<string, unknown>>(auth: TokenManager<Claims>): Readable<TokenState<Claims>> {
  checked(auth, 'authState');
  return readable(() => auth.state, auth.subscribe);
}

/** What a guard has found out. */
export interface GuardState {
  /** Whether somebody is signed in; `'unknown'` until the answer is there. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out';
  /** Why the server could not be asked; `retryable` where the same question may be answered later. */
  readonly error?: TokenError;
  /** Asks the server again: there with `error`. */
  readonly retry?: () => void;
}

const WORDS = { waiting: 'unknown', in: 'signed-in', out: 'signed-out' } as const;
const said = (view: View): GuardState => (typeof view === 'object' ? { status: 'unknown', ...view } : { status: WORDS[view] });

/**
 * Finds out whether somebody is signed in, and asks the server if nobody has, as long as a component shows what it says. Calls
 * `onSignedOut`, with the reason if there is one, where nobody is signed in or the session ends: the place to navigate to the
 * sign-in page.
 */
export function authGuard(auth: TokenManager<any>, { onSignedOut }: { onSignedOut?: (reason: SignoutReason | undefined) => void } = {}): Readable<GuardState> {
  checked(auth, 'authGuard');
  let state = said(firstView(auth));
  return readable(
    () => state,
    (update) => {
      state = said(firstView(auth));
      // A server has nobody to ask for.
      if (typeof document !== 'object') return () => {};
      return watch(
        auth,
        'authGuard',
        (view) => {
          if (typeof view === 'object' && view.error.code === 'invalid-argument') throw view.error;
          state = said(view);
          update();
        },
        (reason) => onSignedOut?.(reason),
      );
    },
  );
}
