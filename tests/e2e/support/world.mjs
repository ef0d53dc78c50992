// What most test files begin with: a server, a browser, and tests that each have a user and counters of their own.

import { test } from 'node:test'
import { startBrowser, User } from './browser.mjs'
import { startServer } from './server.mjs'

// Bounds a test, in milliseconds: what never settles must fail, and not hang.
const TIMEOUT = 60_000

/** `it(name, test)`: the test is given a user, and may be given options for the browser's profile. */
export async function world(settings) {
  const server = await startServer(settings)
  const chrome = await startBrowser()
  const it = (name, body, profile) => test(name, { timeout: TIMEOUT }, async () => {
    await server.reset()
    const user = await User.arrives(chrome, server.origin, profile)
    try {
      await body(user)
    } finally {
      await user.leaves()
    }
  })
  return { server, chrome, it }
}
