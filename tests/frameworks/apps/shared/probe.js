// Runs before the app: lets the tests use the app's own manager, and counts its listeners.

import { auth } from './src/auth.ts'

globalThis.auth = auth
globalThis.listeners = 0

const { subscribe } = auth
auth.subscribe = (listener) => {
  const unsubscribe = subscribe(listener)
  let isOn = true
  globalThis.listeners += 1
  return () => {
    if (isOn) globalThis.listeners -= 1
    isOn = false
    unsubscribe()
  }
}

/** `count` calls at once; returns their statuses. */
globalThis.calls = (count) =>
  Promise.all(Array.from({ length: count }, (_, n) => auth.fetch(`/api/items/${n}`).then(({ status }) => status)))

// Starts the app only when the state is known.
if (location.hash === '#late') await auth.known()

// The probe is kept when the file is edited.
import.meta.hot?.accept('./src/auth.ts', () => {})
