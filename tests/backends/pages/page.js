// Functions that the tests call in the page, in addition to those in tests/e2e.

// @ts-expect-error The tests' server serves it.
import './shared.js'

/** Makes the manager with the client code of the documentation. */
globalThis.begin = async () => {
  const { auth, ...rest } = await import('/client.js')
  Object.assign(globalThis, rest)
  return watch(auth)
}

/** This many calls to one path, at once. */
globalThis.callsTo = (path, count) => Promise.all(Array.from({ length: count }, () => call(path)))
