// Runs before the app: lets the tests call by the app's own manager, and counts who listens to it.

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

/** `count` calls at once; answers their statuses. */
globalThis.calls = (count) => Promise.all(Array.from({ length: count }, (_, n) => auth.fetch(`/api/items/${n}`).then(({ status }) => status)))

// The app is to begin when the state is known already.
if (location.hash === '#late') await auth.known()

// The probe stays as it is when the file is edited.
import.meta.hot?.accept('./src/auth.ts', () => {})
