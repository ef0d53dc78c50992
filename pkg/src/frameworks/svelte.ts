// Svelte: the session's state and a guard, as stores and, for runes, as `current`. The app creates the manager at module scope.

import * as reactivity from 'svelte/reactivity'
import { checked, mistake } from './common.js'
import { firstView, watch, type View } from './watch.js'
import type { TokenError } from '../error.js'
import type { SignoutReason, TokenManager, TokenState } from '../types.js'

/** A readable store that calls a new subscriber at once, with the same value for runes. */
export interface Readable<Value> {
  /** Svelte's store contract: `$store`. */
  subscribe(run: (value: Value) => void): () => void
  /** The current value. An effect, a `$derived` or a template that reads it runs again when it changes. */
  readonly current: Value
}

/** `start` is called when the first listener is added. The function that it returns is called when the last one is removed. */
function readable<Value>(get: () => Value, start: (update: () => void) => () => void): Readable<Value> {
  if (typeof reactivity.createSubscriber !== 'function') throw mistake('tokenkeep/svelte: needs Svelte 5.7 or newer.')
  const runs = new Set<() => void>()
  let stop: (() => void) | undefined
  const add = (run: () => void) => {
    runs.add(run)
    stop ??= start(() => {
      for (const run of [...runs]) run()
    })
    return () => {
      if (!runs.delete(run) || runs.size) return
      stop?.()
      stop = undefined
    }
  }
  const track = reactivity.createSubscriber((update) => {
    // Changes during `start` are read right after it.
    let isStarted = false
    const end = add(() => isStarted && update())
    isStarted = true
    return end
  })
  return {
    subscribe(run) {
      let isStarted = false
      const end = add(() => isStarted && run(get()))
      isStarted = true
      run(get())
      return end
    },
    get current() {
      track()
      return get()
    },
  }
}

/** Returns the session's state: `$session.status`, or `session.current.status`. On a server, `status` is `'unknown'`. */
export function authState<Claims extends object = Record<string, unknown>>(
  auth: TokenManager<Claims>,
): Readable<TokenState<Claims>> {
  checked(auth, 'authState')
  return readable(() => auth.state, auth.subscribe)
}

/** The state of a guard. */
export interface GuardState {
  /** Whether the user is signed in; `'unknown'` until that is known. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out'
  /** Why the server could not be asked; `retryable` if it can be asked again later. */
  readonly error?: TokenError
  /** Asks the server again. Set together with `error`. */
  readonly retry?: () => void
}

const WORDS = { waiting: 'unknown', in: 'signed-in', out: 'signed-out' } as const
const said = (view: View): GuardState =>
  typeof view === 'object' ? { status: 'unknown', ...view } : { status: WORDS[view] }

/**
 * Finds out whether the user is signed in, and asks the server if necessary, as long as a component uses the result. Calls
 * `onSignedOut`, with the reason if there is one, when nobody is signed in or the session ends: navigate to the sign-in page
 * there.
 */
export function authGuard(
  auth: TokenManager<any>,
  { onSignedOut }: { onSignedOut?: (reason: SignoutReason | undefined) => void } = {},
): Readable<GuardState> {
  checked(auth, 'authGuard')
  let state = said(firstView(auth))
  return readable(
    () => state,
    (update) => {
      state = said(firstView(auth))
      // On a server there is no user to ask about.
      if (typeof document !== 'object') return () => {}
      return watch(
        auth,
        'authGuard',
        (view) => {
          if (typeof view === 'object' && view.error.code === 'invalid-argument') throw view.error
          state = said(view)
          update()
        },
        (reason) => onSignedOut?.(reason),
      )
    },
  )
}
