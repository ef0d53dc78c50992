// What the tests call in the page, beside what those in tests/e2e call.

import './shared.js'

/** Makes the manager as the client code in the documentation does. */
globalThis.begin = async () => {
  const { auth, ...rest } = await import('/client.js')
  Object.assign(globalThis, rest)
  return watch(auth)
}

/** So many calls to one path, at once. */
globalThis.callsTo = (path, count) => Promise.all(Array.from({ length: count }, () => call(path)))
