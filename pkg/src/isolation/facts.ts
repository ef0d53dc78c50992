// Facts that the page sends to the worker, which has no document, no cookies and no storage.

import { cookie, isControlled, mayBeSignIn } from '#page'
import { mark } from '#storage'
import type { Facts, ToWorker } from './messages.js'

/** The marks of pending logouts, which are no secret: see `src/browser/pending_logout.rs`. */
const MARK = /^tokenkeep .* logout owed$/

export { mark, mayBeSignIn }

export function marks(): Record<string, string> {
  const found = Object.create(null) as Record<string, string>
  try {
    for (const key of Object.keys(localStorage)) if (MARK.test(key)) found[key] = localStorage.getItem(key)!
  } catch {
    // The browser blocks storage.
  }
  return found
}

/** Whether the worker may write this key. It must not write any other entry of the app's storage. */
export function isMark(key: string): boolean {
  return MARK.test(key)
}

/** Sends the facts when they have changed. `names` are the cookies that the worker needs. */
export function teller(names: string[], post: (message: ToWorker) => void): { tell(): void; stop(): void } {
  let last: string | undefined
  const { document } = globalThis
  const tell = () => {
    const cookies: Facts['cookies'] = {}
    for (const name of names) cookies[name] = cookie(name)
    const facts = { cookies, controlled: isControlled(), visible: document?.visibilityState !== 'hidden' }
    const text = JSON.stringify(facts, (_, value: unknown) => (value === undefined ? 0 : value))
    if (text === last) return
    last = text
    post({ kind: 'facts', facts })
  }
  const show = ({ persisted }: PageTransitionEvent) => {
    tell()
    if (persisted) post({ kind: 'shown', persisted })
  }
  const stored = ({ key }: StorageEvent) => {
    if (key === null || MARK.test(key)) post({ kind: 'marks', marks: marks() })
  }
  document?.addEventListener('visibilitychange', tell)
  addEventListener('pageshow', show)
  addEventListener('storage', stored)
  return {
    tell,
    stop() {
      document?.removeEventListener('visibilitychange', tell)
      removeEventListener('pageshow', show)
      removeEventListener('storage', stored)
    },
  }
}
