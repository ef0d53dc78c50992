// What most test files begin with: a server, a browser, and tests that each have a user and counters of their own.

import { startBrowser, User } from './browser.mjs'
import { check, Lack } from './lack.mjs'
import { startServer } from './server.mjs'

/** Whether there is all the time that the tests want: `cargo xtask test --long`. */
export const isLong = !!process.env.TOKENKEEP_LONG

/**
 * `it(name, test)`: the test is given a user, and may be given options for the browser's profile. `timeout` bounds each test,
 * `lacks` is what all of them need and is not here, `chromium` is for the start of that browser, and the rest for the server's.
 */
export async function world({ timeout, lacks, chromium, ...settings } = {}) {
  if (lacks) return { it: (name) => check(name, () => Promise.reject(new Lack(lacks))) }
  const server = await startServer(settings)
  const browser = await startBrowser(chromium)
  const it = (name, body, profile) => check(name, async (t) => {
    await server.reset()
    await body(await User.visits(t, browser, server.origin, profile))
  }, timeout)
  return { server, browser, it }
}
