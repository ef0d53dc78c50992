// What a guard does, whatever framework shows it: it finds out whether somebody is signed in, asks the server if nobody has, and
// goes on watching.

import { explained } from './common.js';
import type { TokenError } from '../error.js';
import type { SignoutEvent, SignoutReason, TokenManager } from '../types.js';

/** What keeps a guard from knowing whether somebody is signed in. */
export interface Outage {
  readonly error: TokenError;
  readonly retry: () => void;
}

/** What is to be shown. */
export type View = 'waiting' | 'in' | 'out' | Outage;

/** What there is to show before anybody was asked. */
export const firstView = ({ state }: TokenManager<any>): View => (state.status === 'signed-in' ? 'in' : 'waiting');

/**
 * Calls `show` with each other thing that is to be shown, beginning with what differs from `firstView`, and `onSignedOut` when that
 * is `'out'`. Returns the function that ends this.
 */
export function watch(auth: TokenManager<any>, where: string, show: (view: View) => void, onSignedOut: (reason: SignoutReason | undefined) => void): () => void {
  let view = firstView(auth);
  let reason: SignoutReason | undefined;
  /** Counts the questions: an answer to an earlier one is no news. */
  let asked = 0;

  function set(next: View): void {
    if (next === view) return;
    view = next;
    show(view);
    // The event that has the reason comes in the same turn as the change.
    if (view === 'out') void Promise.resolve().then(() => view === 'out' && onSignedOut(reason));
    if (view === 'in') reason = undefined;
  }

  function ask(question: () => Promise<unknown>): void {
    const mine = ++asked;
    const settle = (next: View) => mine === asked && auth.state.status === 'unknown' && set(next);
    set('waiting');
    question().then(
      // It may still be unknown: with `restore: 'manual'` nobody asks.
      () => settle('out'),
      // After an outage somebody has pressed a button: `refresh` does not wait until the server has had its rest.
      (error: unknown) => settle({ error: explained(error, where), retry: () => ask(auth.refresh) }),
    );
  }

  function look(): void {
    const { status } = auth.state;
    if (status === 'unknown') return ask(auth.known);
    asked += 1;
    set(status === 'signed-in' ? 'in' : 'out');
  }

  const hear = (event: SignoutEvent) => void (reason = event.reason);
  auth.addEventListener('signout', hear);
  const unsubscribe = auth.subscribe(look);
  look();
  return () => {
    asked += 1;
    view = 'waiting';
    unsubscribe();
    auth.removeEventListener('signout', hear);
  };
}
