// Shows what a manager decides, and why: for whoever asks himself where a token went. It is an entry of its own, so that an app that does not
// import it pays nothing; the manager tells it of calls by a hook that knows no header, no body and no query.

import { TokenError } from '../error.js';
import type { TokenManager, TokenState } from '../types.js';
import { logTo } from './inspector-log.js';
import { openPanel } from './inspector-panel.js';
import { record } from './inspector-record.js';

/** What is looked at: a manager. */
export type Inspected = Pick<TokenManager, 'ready' | 'addEventListener' | 'removeEventListener'> & { readonly state: TokenState<object> };

/** What {@link inspect} takes. */
export interface InspectOptions {
  /** Whether each call and each event is a line in the console. Default `true`. */
  console?: boolean;
  /** Whether there is a panel, and in which element; `true` is the page's corner. Default `true`; there is none without a document. */
  panel?: boolean | Element;
  /** So many entries are kept; the oldest go first. Default 200. */
  limit?: number;
}

/** How one sending of a call went. */
export interface InspectedSending {
  /** When it left, in milliseconds since the epoch. */
  readonly at: number;
  /** Whether the token went along. */
  readonly token: boolean;
  /** The status of its answer. */
  readonly status?: number;
  /** The code or the name of its error. */
  readonly error?: string;
}

/** A call of `auth.fetch`. */
export interface InspectedCall {
  readonly kind: 'call';
  /** Counts from 1. */
  readonly id: number;
  /** When it was decided, in milliseconds since the epoch. */
  readonly at: number;
  /** `undefined` where the call was handed on without a look at it. */
  readonly method: string | undefined;
  /** Without query and fragment. */
  readonly url: string;
  /** `'passed'`: no token for this URL; `'own'`: it brings its own `Authorization`, or is `no-cors`; `'waited'`, or `'sent'` at once. */
  readonly decision: 'passed' | 'own' | 'waited' | 'sent';
  /** None as long as it waits; two where it was sent again. Of a call that passed, none is told. */
  readonly sendings: readonly InspectedSending[];
  /** How long it took, in milliseconds; `undefined` as long as it is under way. */
  readonly took?: number;
  /** The status of the caller's answer. */
  readonly status?: number;
  /** The code or the name of the caller's error. */
  readonly error?: string;
  /** What was decided and why, in a sentence. */
  readonly text: string;
}

/** An event of the manager. */
export interface InspectedEvent {
  readonly kind: 'event';
  /** Counts from 1. */
  readonly id: number;
  /** When, in milliseconds since the epoch. */
  readonly at: number;
  /** The event's type; `'ready'` where the manager cannot work, and `'note'` for a word of the inspector's own. */
  readonly type: 'change' | 'refresh' | 'signout' | 'refresherror' | 'stepup' | 'ready' | 'note';
  /** What happened, in a sentence. */
  readonly text: string;
}

/** What {@link inspect} gives. */
export interface Inspector {
  /** The oldest first. Another array after each change. */
  readonly entries: readonly (InspectedCall | InspectedEvent)[];
  /** Calls `listener` on each change. Returns the function that ends this. */
  subscribe: (listener: () => void) => () => void;
  /** Drops all entries. */
  clear: () => void;
  /** Ends it: the panel goes, and the manager tells nothing any more. */
  dispose: () => void;
}

/** The record of each manager that is looked at, and how many look: the manager tells one. */
const records = /*#__PURE__*/ new WeakMap<object, { inspector: Inspector; users: number }>();

/**
 * Looks on while a manager works: a panel, and lines in the console. It shows URLs without their query, statuses, and the words for what was
 * decided; no header, no body, no token, no claim.
 *
 * ```ts
 * if (import.meta.env.DEV) import('tokenkeep/inspector').then(({ inspect }) => inspect(auth))
 * ```
 */
export function inspect(auth: Inspected, options: InspectOptions = {}): Inspector {
  if (typeof auth?.addEventListener !== 'function') {
    throw new TokenError('invalid-argument', 'inspect: takes a token manager, as createTokenManager makes it.');
  }
  const { console: logs = true, panel = true, limit = 200 } = options;
  let shared = records.get(auth);
  if (!shared) records.set(auth, (shared = { inspector: record(auth, limit, Date.now), users: 0 }));
  shared.users++;
  const { inspector } = shared;
  const ends: (() => void)[] = [];
  if (logs) ends.push(logTo(console, inspector));
  if (panel && globalThis.document) ends.push(openPanel(auth, inspector, panel));
  let isOver = false;
  return {
    get entries() {
      return inspector.entries;
    },
    subscribe: inspector.subscribe,
    clear: inspector.clear,
    dispose() {
      if (isOver) return;
      isOver = true;
      for (const end of ends) end();
      if (--shared.users) return;
      records.delete(auth);
      inspector.dispose();
    },
  };
}
