// The scene of an attack: the app's server and the attacker's, a user with their own browser profile, and tabs whose
// `auth` lives in the attacked home.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { startBrowser, User } from '../../e2e/support/browser.mjs'
import { startApp, startElsewhere } from './server.mjs'

const ATTACKER = readFileSync(new URL('attacker.js', import.meta.url), 'utf8')

/** `stage(t, home, how)`: a scene for one attack. `how` is for the app's server. */
export async function stage() {
  const server = await startApp()
  const elsewhere = await startElsewhere()
  const browser = await startBrowser()
  return async (t, home, how) => {
    server.reset({ ...how, isCareless: home.name === 'careless' })
    elsewhere.reset()
    return new Scene(await User.visits(t, browser, server.origin), home, server, elsewhere)
  }
}

class Scene {
  user
  home
  server
  elsewhere

  constructor(user, home, server, elsewhere) {
    Object.assign(this, { user, home, server, elsewhere })
  }

  /** A page of the app's origin without any script, except the attacker's tools. */
  async blank(path = '/bare.html', origin = this.server.origin) {
    const page = await this.user.context.newPage()
    await page.goto(origin + path)
    await page.evaluate(ATTACKER)
    return page
  }

  /**
   * A tab with `auth`. The attacker's script (a function, run in the page) comes before the app's, or after it: then
   * the whole package is loaded, and nobody has signed in yet.
   *
   * @param {any} [how]
   */
  async tab({ options, before, after, argument, page } = {}) {
    page ??= await this.blank()
    if (before) await page.evaluate(before, argument)
    await this.start(page, options)
    if (after) await page.evaluate(after, argument)
    return page
  }

  /** A tab with `auth` that a page opens, and has as `opened`: by a click, because WebKit lets no script open one by itself. */
  async opened(opener) {
    await opener.evaluate((url) => {
      const onclick = () => void (globalThis.opened = open(url))
      document.body.append(
        Object.assign(document.createElement('button'), { id: 'open', textContent: 'open', onclick }),
      )
    }, `${this.server.origin}/bare.html`)
    const [page] = await Promise.all([this.user.context.waitForEvent('page'), opener.click('#open')])
    await page.waitForURL('**/bare.html')
    return this.tab({ page })
  }

  /** Makes `auth` in a page, or in a frame of one. */
  start(frame, options) {
    return frame.evaluate(
      async ([module, options]) => {
        const { createTokenManager } = await import(module)
        globalThis.auth = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout', ...options })
        await auth.ready
        const { serviceWorker } = navigator
        if (options.isolation === 'service-worker' && !serviceWorker.controller)
          await new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve))
      },
      [this.server.origin + this.home.module, { ...options, ...this.home.options }],
    )
  }

  signIn(frame, username = 'alice') {
    return frame.evaluate(
      (username) => auth.login('/auth/login', { body: new URLSearchParams({ username }) }),
      username,
    )
  }

  /** A signed-in tab. */
  async signedIn(how) {
    const page = await this.tab(how)
    await this.signIn(page)
    return page
  }

  /**
   * What an app does in a session: it signs in, calls, is refused and refreshes. All of it must succeed: an attack that
   * breaks it has gained nothing.
   */
  async story(page) {
    await this.signIn(page)
    await page.evaluate(() => auth.fetch('/api/me'))
    this.server.revoke()
    await page.evaluate(async () => {
      await Promise.all([
        auth.fetch('/api/me'),
        auth.fetch('/api/two', { headers: { 'X-One': '1' } }),
        auth.fetch(new Request('/api/three', { method: 'POST', body: 'x' })),
      ])
      await auth.refresh()
    })
    const users = this.server.users()
    assert.ok(users.filter((user) => user === 'alice').length >= 4, `the app goes on: ${users}`)
  }

  /**
   * The name of the channel between the tabs of one session: anyone who knows the package and the options can compute
   * it.
   */
  async channel(options) {
    const module = this.home.name === 'careless' ? this.home.module : '/tokenkeep/index.js'
    const page = await this.blank()
    const name = await page.evaluate(
      async ([module, options]) => {
        const { BroadcastChannel } = globalThis
        const named = new Promise((resolve) => {
          globalThis.BroadcastChannel = /** @type {any} */ (
            function (name) {
              resolve(name)
              return new BroadcastChannel(name)
            }
          )
        })
        const { createTokenManager } = await import(module)
        const manager = createTokenManager({
          refresh: '/auth/refresh',
          logout: '/auth/logout',
          restore: 'manual',
          ...options,
        })
        await manager.ready
        const name = await named
        manager.dispose()
        return name
      },
      [module, { ...options, ...(this.home.options?.isolation && { tabs: 'lock' }) }],
    )
    await page.close()
    return name
  }

  /** What the attacker's scripts have collected in a page. */
  loot(page) {
    return page.evaluate(() => attacker.loot())
  }
}
