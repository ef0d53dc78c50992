// What each test file begins with: a strict server, a page with a library in it, a browser, and tests that each have a user of their own.

import { test } from 'node:test'
import { startBrowser, User } from '../../e2e/support/browser.mjs'
import { startStrict } from '../../e2e/support/strict.mjs'
import { bundle } from './bundle.mjs'

// Bounds a test, in milliseconds: what never settles must fail, and not hang.
const TIMEOUT = 60_000

const HTML = `<!doctype html>
<meta charset="utf-8">
<title>tokenkeep</title>
<link rel="icon" href="data:,">
<script type="module" src="/bundle.js"></script>
`

/**
 * `code`: the page's script; what it exports is global in the page, and its `auth` is watched. `modules`: see `bundle`. `routes`: of the server,
 * beside its own (`/auth/login`, `/auth/refresh`, `/auth/logout`, `/api/`); see `startStrict`. `esbuild`: options of the bundler, `chromium`: of the browser's
 * start.
 *
 * Answers `{ server, it }`. `it(name, test)`: the test is given a tab in which Alice has signed in, and the tab's user.
 */
export async function library({ code, modules, routes, esbuild, chromium, html = HTML }) {
  const script = await bundle(`
    import { watch } from './pages/page.ts'
    import * as page from 'the page'
    Object.assign(globalThis, page)
    if (page.auth) watch(page.auth)
  `, { ...modules, 'the page': code }, esbuild)
  const server = await startStrict({
    '/': ({ path }) => (path === '/' ? { type: 'text/html', body: html } : { status: 404 }),
    '/bundle.js': () => ({ type: 'text/javascript', body: script }),
    ...routes,
  })
  const browser = await startBrowser(chromium)
  const it = (name, body) => test(name, { timeout: TIMEOUT }, async (t) => {
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
