// The set-up of most test files: a server, a browser, and tests with their own user and counters.

import { startBrowser, User } from './browser.mjs'
import { check, Lack } from './lack.mjs'
import { startServer } from './server.mjs'

/** Browsers open this many connections to a server, so this many answers can be held at once. */
export const CONNECTIONS = 6

/** Whether long tests should run: `cargo xtask test --long`. */
export const isLong = !!process.env.TOKENKEEP_LONG

/**
 * `it(name, test)`: the test gets a user, and may pass options for the browser's profile. `timeout` limits each test,
 * `lacks` names a missing feature that all of them need, `chromium` contains options for starting that browser, and the
 * other options are for the server.
 *
 * @param {any} [options]
 */
export async function world({ timeout, lacks, chromium, ...settings } = {}) {
  if (lacks) return { it: (name) => check(name, () => Promise.reject(new Lack(lacks))) }
  const server = await startServer(settings)
  const browser = await startBrowser(chromium)
  const it = (name, body, profile) =>
    check(
      name,
      async (t) => {
        await server.reset()
        await body(await User.visits(t, browser, server.origin, profile))
      },
      timeout,
    )
  return { server, browser, it }
}
