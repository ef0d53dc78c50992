// Shows what a manager decides, and why, for developers who wonder where a token went. It is a separate entry, so that apps that do not
// import it pay nothing. The manager reports calls through a hook that gets no headers, bodies or queries.

import { TokenError } from '../error.js'
import type { TokenManager, TokenState } from '../types.js'
import { logTo } from './inspector-log.js'
import { openPanel } from './inspector-panel.js'
import { record } from './inspector-record.js'

/** The part of a manager that is inspected. */
export type Inspected = Pick<TokenManager, 'ready' | 'addEventListener' | 'removeEventListener'> & {
  readonly state: TokenState<object>
}

/** The options of {@link inspect}. */
export interface InspectOptions {
  /** Whether to log a line for each call and each event to the console. Default `true`. */
  console?: boolean
  /** Whether to show a panel, and in which element; `true` is the page's corner. Default `true`. Without a document there is no panel. */
  panel?: boolean | Element
  /** How many entries are kept; the oldest are dropped. Default 200. */
  limit?: number
}

/** How one sending of a call went. */
export interface InspectedSending {
  /** When the request was sent, in milliseconds since the epoch. */
  readonly at: number
  /** Whether the request carried the token. */
  readonly token: boolean
  /** The status of the answer. */
  readonly status?: number
  /** The code or the name of the error. */
  readonly error?: string
}

/** A call of `auth.fetch`. */
export interface InspectedCall {
  readonly kind: 'call'
  /** Counts from 1. */
  readonly id: number
  /** When the call was decided, in milliseconds since the epoch. */
  readonly at: number
  /** The method; `undefined` if the call was passed on without reading it. */
  readonly method: string | undefined
  /** The URL without query and fragment. */
  readonly url: string
  /**
   * `'passed'`: no token for this URL; `'own'`: it has its own `Authorization`, or is `no-cors`; `'waited'`: it waited for a token;
   * `'sent'`: it was sent at once.
   */
  readonly decision: 'passed' | 'own' | 'waited' | 'sent'
  /** The sendings: none while the call waits, two if it was sent again. For a `'passed'` call the list stays empty. */
  readonly sendings: readonly InspectedSending[]
  /** How long the call took, in milliseconds; `undefined` while it is in flight. */
  readonly took?: number
  /** The status of the answer that the caller got. */
  readonly status?: number
  /** The code or the name of the error that the caller got. */
  readonly error?: string
  /** A sentence that says what was decided and why. */
  readonly text: string
}

/** An event of the manager. */
export interface InspectedEvent {
  readonly kind: 'event'
  /** Counts from 1. */
  readonly id: number
  /** When the event happened, in milliseconds since the epoch. */
  readonly at: number
  /** The event's type; `'ready'` if the manager cannot work; `'note'` for a message of the inspector itself. */
  readonly type: 'change' | 'refresh' | 'signout' | 'refresherror' | 'stepup' | 'ready' | 'note'
  /** A sentence that says what happened. */
  readonly text: string
}

/** The result of {@link inspect}. */
export interface Inspector {
  /** The entries, oldest first. Each change makes a new array. */
  readonly entries: readonly (InspectedCall | InspectedEvent)[]
  /** Calls `listener` on each change. Returns a function that unsubscribes it. */
  subscribe: (listener: () => void) => () => void
  /** Drops all entries. */
  clear: () => void
  /** Stops inspecting: closes the panel and disconnects from the manager. */
  dispose: () => void
}

/** The record of each inspected manager, and its number of users: a manager has a single observer. */
const records = /*#__PURE__*/ new WeakMap<object, { inspector: Inspector; users: number }>()

/**
 * Shows what a manager does, in a panel and in the console: URLs without their query, statuses, and what was decided. It never shows
 * headers, bodies, tokens or claims.
 *
 * ```ts
 * if (import.meta.env.DEV) import('tokenkeep/inspector').then(({ inspect }) => inspect(auth))
 * ```
 */
export function inspect(auth: Inspected, options: InspectOptions = {}): Inspector {
  if (typeof auth?.addEventListener !== 'function') {
    throw new TokenError('invalid-argument', 'inspect: takes a token manager that createTokenManager returns.')
  }
  const { console: logs = true, panel = true, limit = 200 } = options
  let shared = records.get(auth)
  if (!shared) records.set(auth, (shared = { inspector: record(auth, limit, Date.now), users: 0 }))
  shared.users++
  const { inspector } = shared
  const ends: (() => void)[] = []
  if (logs) ends.push(logTo(console, inspector))
  if (panel && globalThis.document) ends.push(openPanel(auth, inspector, panel))
  let isOver = false
  return {
    get entries() {
      return inspector.entries
    },
    subscribe: inspector.subscribe,
    clear: inspector.clear,
    dispose() {
      if (isOver) return
      isOver = true
      for (const end of ends) end()
      if (--shared.users) return
      records.delete(auth)
      inspector.dispose()
    },
  }
}
