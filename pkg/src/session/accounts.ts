// Several accounts side by side, each with its own manager; one of them is current. A call belongs to the account that was current when the
// call was made.

import { TokenError } from '../error.js'
import type { TokenManager, TokenState } from '../types.js'
import { createListeners } from './listeners.js'

/** The part of a manager that an account needs. */
export type AccountManager = Pick<TokenManager, 'fetch' | 'subscribe' | 'logout' | 'dispose'> & {
  readonly state: TokenState<object>
}

/** The options of {@link createAccounts}. */
export interface AccountsOptions<Manager extends AccountManager = TokenManager> {
  /**
   * Creates the manager of an account. Each name needs its own manager and its own refresh cookie: put the name into the refresh URL, and into
   * the option `name` if tabs should share.
   */
  create: (name: string) => Manager
  /** The key in `localStorage` for the names of the accounts and the last current one. Tokens are never stored. Default: nothing is stored. */
  remember?: string
}

/** A snapshot of an account. */
export interface Account<Manager extends AccountManager = TokenManager> {
  readonly name: string
  /** The state of its manager. */
  readonly state: Manager['state']
}

/** An immutable snapshot. It is the same object until something in it changes. */
export interface AccountsState<Manager extends AccountManager = TokenManager> {
  /** The name of the current account; `null` if there is none. */
  readonly current: string | null
  /** All accounts, in the order in which they were added. */
  readonly accounts: readonly Account<Manager>[]
}

/** The result of {@link createAccounts}. */
export interface Accounts<Manager extends AccountManager = TokenManager> {
  /** See {@link AccountsState}. */
  readonly state: AccountsState<Manager>
  /** The manager of the current account; `undefined` if there is none. */
  readonly current: Manager | undefined
  /** The manager of an account; `undefined` if there is no account of that name. */
  get: (name: string) => Manager | undefined
  /**
   * Adds an account, without a session yet, and returns its manager. If the account exists, returns its manager. The first account becomes
   * current at once.
   */
  add: (name: string) => Manager
  /** Makes another account current, in this tab. Calls in flight stay with their account. */
  switch: (name: string) => void
  /**
   * Signs out of an account and removes it. If it was current, no account is current afterwards. Rejects as `logout` does. If the error is
   * `retryable`, the account stays, signed out, so that the server can be told later.
   */
  remove: (name: string) => Promise<void>
  /** The `fetch` of the account that is current at the call. Rejects with a `TokenError` `signed-out` if there is none. */
  fetch: TokenManager['fetch']
  /** Calls `listener` on each change of `state`, including an account's own state. Returns a function that unsubscribes it. */
  subscribe: (listener: () => void) => () => void
  /** Disposes all managers and removes all accounts. It does not sign out, and the stored names stay. */
  dispose: () => void
}

/** Limits on the number and the name lengths of accounts that are read from the store, because any script of the origin may write there. */
const MOST = 50
const LONGEST = 200

/**
 * Keeps several accounts, each with its own manager.
 *
 * ```ts
 * const accounts = createAccounts({
 *   create: (name) => createTokenManager({ name, refresh: `/auth/refresh?account=${encodeURIComponent(name)}` }),
 * })
 * ```
 */
export function createAccounts<Manager extends AccountManager = TokenManager>({
  create,
  remember,
}: AccountsOptions<Manager>): Accounts<Manager> {
  if (typeof create !== 'function') throw bad('`create` takes a function that makes the manager for a name.')
  const managers = new Map<string, Manager>()
  const ends = new Map<string, () => void>()
  const listeners = createListeners()
  let used: string | null = null
  let state: AccountsState<Manager>
  let isOver = false

  function publish(): void {
    const accounts = Array.from(managers, ([name, { state }]) =>
      Object.freeze({ name, state: state as Manager['state'] }),
    )
    state = Object.freeze({ current: used, accounts: Object.freeze(accounts) })
    listeners.tell()
  }

  function make(name: string): Manager {
    const manager = create(name)
    if (typeof manager?.fetch !== 'function' || typeof manager.subscribe !== 'function')
      throw bad('`create` must return a token manager.')
    if ([...managers.values()].includes(manager)) throw bad('`create` must return a new manager for each name.')
    managers.set(name, manager)
    ends.set(name, manager.subscribe(publish))
    return manager
  }

  function drop(name: string): void {
    const [manager, end] = [managers.get(name), ends.get(name)]
    managers.delete(name)
    ends.delete(name)
    if (used === name) used = null
    end?.()
    manager?.dispose()
  }

  function get(name: string): Manager {
    if (isOver) throw disposed()
    const manager = managers.get(name)
    if (!manager) throw bad(`there is no account ${JSON.stringify(name)}; \`add\` makes one.`)
    return manager
  }

  /** Reads the stored names and the last current account, if possible. */
  function kept(text?: string | null): { names: string[]; used: unknown } {
    try {
      const { names, used } = JSON.parse(text ?? localStorage.getItem(remember!)!) as {
        names: unknown[]
        used: unknown
      }
      return { names: [...new Set(names.filter(isName))].slice(0, MOST), used }
    } catch {
      // Nothing stored yet, no store, or foreign content.
      return { names: [], used: null }
    }
  }

  function keep(change: (names: string[]) => string[]): void {
    if (!remember) return
    try {
      // Read the store again: another tab may have added an account.
      localStorage.setItem(remember, JSON.stringify({ names: change(kept().names), used }))
    } catch {
      // The store is full or not available: nothing is stored.
    }
  }

  /** Another tab has added or removed an account. */
  function hear({ key, newValue }: StorageEvent): void {
    if (key !== remember) return
    const { names } = kept(newValue ?? '')
    for (const name of managers.keys()) if (!names.includes(name)) drop(name)
    for (const name of names) if (!managers.has(name)) make(name)
    publish()
  }

  function dispose(): void {
    isOver = true
    globalThis.removeEventListener?.('storage', hear)
    listeners.clear()
    for (const name of [...managers.keys()]) drop(name)
    // Removes the claims of the accounts, too.
    publish()
  }

  if (remember) {
    const { names, used: lastUsed } = kept()
    try {
      for (const name of names) make(name)
    } catch (error) {
      // Otherwise nobody could dispose the managers that were made already.
      dispose()
      throw error
    }
    if (names.includes(lastUsed as string)) used = lastUsed as string
    globalThis.addEventListener?.('storage', hear)
  }
  publish()

  return {
    get state() {
      return state
    },
    get current() {
      return used === null ? undefined : managers.get(used)
    },
    get: (name) => managers.get(name),
    add(name) {
      if (isOver) throw disposed()
      if (!isName(name)) throw bad(`a name is a string of 1 to ${LONGEST} characters.`)
      const there = managers.get(name)
      if (there) return there
      const manager = make(name)
      used ??= name
      keep((names) => [...names.filter((other) => other !== name), name])
      publish()
      return manager
    },
    switch(name) {
      get(name)
      if (used === name) return
      used = name
      keep((names) => names)
      publish()
    },
    async remove(name) {
      let failed: unknown
      try {
        await get(name).logout()
      } catch (error) {
        if ((error as TokenError).retryable || !managers.has(name)) throw error
        failed = error
      }
      drop(name)
      keep((names) => names.filter((other) => other !== name))
      publish()
      if (failed) throw failed
    },
    fetch(input, init) {
      if (isOver) return Promise.reject(disposed())
      // Not `async`: `fetch` must read its arguments during the call.
      const manager = used === null ? undefined : managers.get(used)
      if (!manager)
        return Promise.reject(
          new TokenError('signed-out', 'No account is current; call `switch` first. Nothing was sent.'),
        )
      return arguments.length < 2 ? manager.fetch(input) : manager.fetch(input, init)
    },
    subscribe: listeners.add,
    dispose,
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST
}

function disposed(): TokenError {
  return new TokenError('disposed', 'The accounts were disposed.')
}

function bad(words: string): TokenError {
  return new TokenError('invalid-argument', `accounts: ${words}`)
}
