// The framework-independent part of the guards: finds out whether the user is signed in, asks the server if necessary, and
// watches for changes.

import { explained } from './common.js'
import type { TokenError } from '../error.js'
import type { SignoutEvent, SignoutReason, TokenManager } from '../types.js'

/** An outage: the guard could not find out whether the user is signed in. */
export interface Outage {
  readonly error: TokenError
  readonly retry: () => void
}

/** What a guard shows. */
export type View = 'waiting' | 'in' | 'out' | Outage

/** What a guard shows before the server has been asked. */
export const firstView = ({ state }: TokenManager<any>): View => (state.status === 'signed-in' ? 'in' : 'waiting')

/**
 * Calls `show` each time the view changes, beginning with the first view that differs from `firstView`, and `onSignedOut` when the
 * view becomes `'out'`. Returns a function that stops watching.
 */
export function watch(
  auth: TokenManager<any>,
  where: string,
  show: (view: View) => void,
  onSignedOut: (reason: SignoutReason | undefined) => void,
): () => void {
  let view = firstView(auth)
  let reason: SignoutReason | undefined
  /** Counts the questions to the server: answers to earlier ones are ignored. */
  let asked = 0

  function set(next: View): void {
    if (next === view) return
    view = next
    show(view)
    // The event with the reason comes in the same turn as the change.
    if (view === 'out') void Promise.resolve().then(() => view === 'out' && onSignedOut(reason))
    if (view === 'in') reason = undefined
  }

  function ask(question: () => Promise<unknown>): void {
    const mine = ++asked
    const settle = (next: View) => mine === asked && auth.state.status === 'unknown' && set(next)
    set('waiting')
    question().then(
      // The status may still be unknown: with `restore: 'manual'` the server is not asked.
      () => settle('out'),
      // After an outage the user has pressed a button: unlike other calls, `refresh` does not wait for the back-off.
      (error: unknown) => settle({ error: explained(error, where), retry: () => ask(auth.refresh) }),
    )
  }

  function look(): void {
    const { status } = auth.state
    if (status === 'unknown') return ask(auth.known)
    asked += 1
    set(status === 'signed-in' ? 'in' : 'out')
  }

  const hear = (event: SignoutEvent) => void (reason = event.reason)
  auth.addEventListener('signout', hear)
  const unsubscribe = auth.subscribe(look)
  look()
  return () => {
    asked += 1
    view = 'waiting'
    unsubscribe()
    auth.removeEventListener('signout', hear)
  }
}
