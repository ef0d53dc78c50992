// What most test files begin with: a server, a browser, and tests that each have a user and counters of their own.

import { startBrowser, User } from './browser.mjs'
import { check } from './lack.mjs'
import { startServer } from './server.mjs'

/** `it(name, test)`: the test is given a user, and may be given options for the browser's profile. */
export async function world(settings) {
  const server = await startServer(settings)
  const browser = await startBrowser()
  const it = (name, body, profile) => check(name, async () => {
    await server.reset()
    const user = await User.arrives(browser, server.origin, profile)
    try {
      await body(user)
    } finally {
      await user.leaves()
    }
  })
  return { server, browser, it }
}
