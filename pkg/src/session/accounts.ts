// Several accounts side by side: a manager for each, and one of them is the one that is used. A call belongs to the account that was used when it was made.

import { TokenError } from '../error.js';
import type { TokenManager, TokenState } from '../types.js';
import { createListeners } from './listeners.js';

/** What an account must be able to do: a manager can. */
export type AccountManager = Pick<TokenManager, 'fetch' | 'subscribe' | 'logout' | 'dispose'> & { readonly state: TokenState<object> };

/** What {@link createAccounts} takes. */
export interface AccountsOptions<Manager extends AccountManager = TokenManager> {
  /**
   * Makes the manager of an account. Each name needs one of its own, with a refresh cookie of its own: the name is to stand in the URL, and in the option
   * `name` where tabs are to share.
   */
  create: (name: string) => Manager;
  /** Under what name `localStorage` keeps the names of the accounts, and which one was used last. Never a token. Default: nothing is kept. */
  remember?: string;
}

/** An account, as it is at the moment. */
export interface Account<Manager extends AccountManager = TokenManager> {
  readonly name: string;
  /** Of its manager. */
  readonly state: Manager['state'];
}

/** An immutable snapshot. The same object until something in it changes. */
export interface AccountsState<Manager extends AccountManager = TokenManager> {
  /** The name of the one that is used; `null` where there is none. */
  readonly current: string | null;
  /** In the order in which they were added. */
  readonly accounts: readonly Account<Manager>[];
}

/** What {@link createAccounts} gives. */
export interface Accounts<Manager extends AccountManager = TokenManager> {
  /** See {@link AccountsState}. */
  readonly state: AccountsState<Manager>;
  /** The manager that is used; `undefined` where there is none. */
  readonly current: Manager | undefined;
  /** The manager of an account; `undefined` where there is no such account. */
  get: (name: string) => Manager | undefined;
  /** Adds an account, which nobody has signed in to yet, and gives its manager; the one there is, if there is one. The first is used at once. */
  add: (name: string) => Manager;
  /** Uses another account, in this tab. What is under way stays with the one that it began with. */
  switch: (name: string) => void;
  /**
   * Signs out of an account, and forgets it. If it was used, none is used after that. Rejects as `logout` does; where another try may help, the account
   * stays, signed out, so that the server can be told later.
   */
  remove: (name: string) => Promise<void>;
  /** The `fetch` of the account that is used at the call. Rejects with `TokenError` `signed-out` where there is none. */
  fetch: TokenManager['fetch'];
  /** Calls `listener` on each change of `state`, also of an account's own. Returns the function that ends this. */
  subscribe: (listener: () => void) => () => void;
  /** Disposes of all managers; there is no account any more. None is signed out, and what is remembered stays. */
  dispose: () => void;
}

/** So many accounts at most, of names so long, are taken from the store: any script of the origin may have written there. */
const MOST = 50;
const LONGEST = 200;

/**
 * Keeps several accounts, each with a manager of its own.
 *
 * ```ts
 * const accounts = createAccounts({
 *   create: (name) => createTokenManager({ name, refresh: `/auth/refresh?account=${encodeURIComponent(name)}` }),
 * })
 * ```
 */
export function createAccounts<Manager extends AccountManager = TokenManager>({ create, remember }: AccountsOptions<Manager>): Accounts<Manager> {
  if (typeof create !== 'function') throw bad('`create` takes a function that makes the manager of a name.');
  const managers = new Map<string, Manager>();
  const ends = new Map<string, () => void>();
  const listeners = createListeners();
  let used: string | null = null;
  let state: AccountsState<Manager>;
  let isOver = false;

  function publish(): void {
    const accounts = Array.from(managers, ([name, { state }]) => Object.freeze({ name, state: state as Manager['state'] }));
    state = Object.freeze({ current: used, accounts: Object.freeze(accounts) });
    listeners.tell();
  }

  function make(name: string): Manager {
    const manager = create(name);
    if (typeof manager?.fetch !== 'function' || typeof manager.subscribe !== 'function') throw bad('`create` is to give a token manager.');
    if ([...managers.values()].includes(manager)) throw bad('`create` is to give each name a manager of its own.');
    managers.set(name, manager);
    ends.set(name, manager.subscribe(publish));
    return manager;
  }

  function drop(name: string): void {
    const [manager, end] = [managers.get(name), ends.get(name)];
    managers.delete(name);
    ends.delete(name);
    if (used === name) used = null;
    end?.();
    manager?.dispose();
  }

  function get(name: string): Manager {
    if (isOver) throw disposed();
    const manager = managers.get(name);
    if (!manager) throw bad(`there is no account ${JSON.stringify(name)}; \`add\` makes one.`);
    return manager;
  }

  /** What is kept, as far as it can be: the names, and the one used last. */
  function kept(text?: string | null): { names: string[]; used: unknown } {
    try {
      const { names, used } = JSON.parse(text ?? localStorage.getItem(remember!)!) as { names: unknown[]; used: unknown };
      return { names: [...new Set(names.filter(isName))].slice(0, MOST), used };
    } catch {
      // Nothing yet, no store, or somebody else's words.
      return { names: [], used: null };
    }
  }

  function keep(change: (names: string[]) => string[]): void {
    if (!remember) return;
    try {
      // Another tab may have added one meanwhile.
      localStorage.setItem(remember, JSON.stringify({ names: change(kept().names), used }));
    } catch {
      // It is full, or not to be had: then it is not kept.
    }
  }

  /** Another tab has added or removed one. */
  function hear({ key, newValue }: StorageEvent): void {
    if (key !== remember) return;
    const { names } = kept(newValue ?? '');
    for (const name of managers.keys()) if (!names.includes(name)) drop(name);
    for (const name of names) if (!managers.has(name)) make(name);
    publish();
  }

  function dispose(): void {
    isOver = true;
    globalThis.removeEventListener?.('storage', hear);
    listeners.clear();
    for (const name of [...managers.keys()]) drop(name);
    // The claims of those who were signed in go, too.
    publish();
  }

  if (remember) {
    const { names, used: lastUsed } = kept();
    try {
      for (const name of names) make(name);
    } catch (error) {
      // Nobody gets hold of those that are there.
      dispose();
      throw error;
    }
    if (names.includes(lastUsed as string)) used = lastUsed as string;
    globalThis.addEventListener?.('storage', hear);
  }
  publish();

  return {
    get state() {
      return state;
    },
    get current() {
      return used === null ? undefined : managers.get(used);
    },
    get: (name) => managers.get(name),
    add(name) {
      if (isOver) throw disposed();
      if (!isName(name)) throw bad(`a name is a string of 1 to ${LONGEST} characters.`);
      const there = managers.get(name);
      if (there) return there;
      const manager = make(name);
      used ??= name;
      keep((names) => [...names.filter((other) => other !== name), name]);
      publish();
      return manager;
    },
    switch(name) {
      get(name);
      if (used === name) return;
      used = name;
      keep((names) => names);
      publish();
    },
    async remove(name) {
      let failed: unknown;
      try {
        await get(name).logout();
      } catch (error) {
        if ((error as TokenError).retryable || !managers.has(name)) throw error;
        failed = error;
      }
      drop(name);
      keep((names) => names.filter((other) => other !== name));
      publish();
      if (failed) throw failed;
    },
    fetch(input, init) {
      if (isOver) return Promise.reject(disposed());
      // Not `async`: what `fetch` reads it reads at the call.
      const manager = used === null ? undefined : managers.get(used);
      if (!manager) return Promise.reject(new TokenError('signed-out', 'No account is used; `switch` to one. Nothing was sent.'));
      return arguments.length < 2 ? manager.fetch(input) : manager.fetch(input, init);
    },
    subscribe: listeners.add,
    dispose,
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST;
}

function disposed(): TokenError {
  return new TokenError('disposed', 'The accounts were disposed.');
}

function bad(words: string): TokenError {
  return new TokenError('invalid-argument', `accounts: ${words}`);
}
