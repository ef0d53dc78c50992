// The functions that tests call in the page. They use plain data, which can be passed to Node.

import { createTokenManager, isTokenError } from '/home.js'

const PASSWORDS = { alice: 'wonderland', admin: 'correct-horse' }

/** Makes the manager `auth`. Returns how `ready` ended. */
globalThis.start = (options) => watch(make(options))

/** Makes another manager beside `auth`. */
globalThis.make = (options) => createTokenManager({ refresh: '/auth/refresh', ...options })

/** Uses a manager as `auth`, and lists its events in `events`. */
globalThis.watch = (manager) => {
  globalThis.events = []
  globalThis.auth = manager
  for (const type of ['change', 'refresh', 'signout', 'refresherror']) {
    auth.addEventListener(type, ({ type, reason, error }) =>
      events.push([type, reason ?? error?.code].filter(Boolean).join(' ')),
    )
  }
  return outcome(auth.ready)
}

/** The outcome of a promise: `{ status, body }` of a response, `{ value }`, `{ error }` of ours, or `{ thrown }`. */
globalThis.outcome = (promise) =>
  promise.then(
    async (value) => (value instanceof Response ? { status: value.status, body: await content(value) } : { value }),
    (error) => (isTokenError(error) ? { error: { ...error } } : { thrown: String(error) }),
  )

async function content(response) {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

globalThis.call = (path, init) => outcome(auth.fetch(path, init))

/** `count` calls at once, each to its own path. */
globalThis.calls = (count, from = 0) =>
  Promise.all(Array.from({ length: count }, (_, n) => call(`/api/items/${from + n}`)))

globalThis.credentials = (username, password = PASSWORDS[username]) => ({
  body: new URLSearchParams({ username, password }),
})

globalThis.signIn = (username, password) => outcome(auth.login('/auth/login', credentials(username, password)))

/** Resolves as soon as `test` is true of the state. */
globalThis.until = (test, manager = auth) =>
  new Promise((resolve) => {
    const look = () => test(manager.state) && (unsubscribe(), resolve())
    const unsubscribe = manager.subscribe(look)
    look()
  })

/** Resolves as soon as such an event has happened. */
globalThis.heard = (event) =>
  new Promise((resolve) => {
    if (events.includes(event)) resolve()
    else auth.addEventListener(event.split(' ')[0], () => events.includes(event) && resolve())
  })

/** The names of the events so far, without `change`, which accompanies each of them. */
globalThis.told = () => events.filter((event) => event !== 'change')

/** The start of a token's digest, as the server's log shows it. */
globalThis.digest = async (text) => {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, 8)
}

globalThis.isOpen = true
