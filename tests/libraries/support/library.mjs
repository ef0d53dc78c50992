// The start of each test file: a strict server, a page with a library, a browser, and tests with a user each.

import { test } from 'node:test'
import { startBrowser, User } from '../../e2e/support/browser.mjs'
import { startStrict } from '../../e2e/support/strict.mjs'
import { bundle } from './bundle.mjs'

// The time limit of a test, in milliseconds: a promise that never settles must fail the test, not hang it.
const TIMEOUT = 60_000

const HTML = `<!doctype html>
<meta charset="utf-8">
<title>tokenkeep</title>
<link rel="icon" href="data:,">
<script type="module" src="/bundle.js"></script>
`

/**
 * `code`: the page's script; its exports become globals of the page, and its `auth` is watched. `modules`: see `bundle`. `routes`: added to
 * the server's own (`/auth/login`, `/auth/refresh`, `/auth/logout`, `/api/`); see `startStrict`. `esbuild`: options of the bundler,
 * `chromium`: options for starting the browser.
 *
 * Returns `{ server, it }`. `it(name, test)`: the test gets a tab in which Alice has signed in, and the tab's user.
 */
export async function library(/** @type {any} */ { code, modules, routes, esbuild, chromium, html = HTML }) {
  const script = await bundle(
    `
    import { watch } from './pages/page.ts'
    import * as page from 'the page'
    Object.assign(globalThis, page)
    if (page.auth) watch(page.auth)
  `,
    { ...modules, 'the page': code },
    esbuild,
  )
  const server = await startStrict({
    '/': ({ path }) => (path === '/' ? { type: 'text/html', body: html } : { status: 404 }),
    '/bundle.js': () => ({ type: 'text/javascript', body: script }),
    ...routes,
  })
  const browser = await startBrowser(chromium)
  const it = (name, body) =>
    test(name, { timeout: TIMEOUT }, async (t) => {
      server.reset()
      const user = await User.visits(t, browser, server.origin)
      await body(await arrive(user), user)
    })
  return { server, browser, it }
}

/** A tab in which Alice has signed in. */
export async function arrive(user) {
  const tab = await user.blank()
  await tab.evaluate(() => signIn())
  return tab
}
