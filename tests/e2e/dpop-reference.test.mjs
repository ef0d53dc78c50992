// Tokens that are bound to a key (RFC 9449), against the reference server, which requires its nonce in every proof.

import assert from 'node:assert/strict'
import { reload, startBrowser, User } from './support/browser.mjs'
import { engine } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { startServer } from './support/server.mjs'
import { STORES } from './support/stores.mjs'

/** Longer than the lifetime of a nonce, in seconds. */
const STALE = 180

const browser = await startBrowser()
const options = { dpop: true, logout: '/auth/logout' }

const statuses = (page, count) =>
  page.evaluate((count) => calls(count).then((all) => all.map(({ status, error }) => status ?? error.code)), count)
const me = (page) => page.evaluate(() => call('/api/me').then(({ status, error }) => status ?? error.code))
const refresh = (page) => page.evaluate(() => outcome(auth.refresh()))
const all = (count) => Array(count).fill(200)

/** Records the headers of the page's requests in `sent`. */
const listen = (page) =>
  page.evaluate(() => {
    const { fetch } = globalThis
    globalThis.sent = []
    globalThis.fetch = (input, init) => {
      sent.push(Object.fromEntries(new Headers(init?.headers ?? input.headers)))
      return fetch(input, init)
    }
  })

/**
 * Starts a server with a store, and returns it with `it`. Without a `url`, the machine lacks the store, and the tests
 * are skipped.
 */
async function served(title, flags, url) {
  const lacks = url === undefined && title
  const server = lacks ? undefined : await startServer({ flags: [...flags, '--store', url] })
  const it = (name, body) =>
    check(`${title}: ${name}`, async (t) => {
      if (lacks) throw new Lack(lacks)
      await server.reset()
      await body(await User.visits(t, browser, server.origin))
    })
  return { server, it }
}

// The store makes no difference to a browser, so only Chromium runs with all of them.
const stores = Object.entries(STORES).filter(([store]) => engine === 'chrome' || store === 'SQLite')
for (const [store, start] of stores) {
  const { server, it } = await served(store, ['--dpop', 'required', '--dpop-nonce'], await start())

  it('a login learns the nonce, and later calls use it', async (user) => {
    const page = await user.signedIn(options)
    assert.equal(await me(page), 200)
    assert.deepEqual(await statuses(page, 20), all(20))
    assert.deepEqual(await server.lines('/auth'), ['POST /auth/login 400', 'POST /auth/login 200'])
    const { api_ok, api_401 } = await server.counters()
    assert.deepEqual({ api_ok, api_401 }, { api_ok: 21, api_401: 0 })
  })

  it('a refused token is refreshed once for all calls', async (user) => {
    const page = await user.signedIn(options)
    await server.revoke()
    assert.deepEqual(await statuses(page, 20), all(20))
    const { refreshes, reuses } = await server.counters()
    assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 })
  })

  it('an expired nonce costs one more request, and no refresh', async (user) => {
    const page = await user.signedIn(options)
    await server.forward(STALE)
    assert.equal(await me(page), 200)
    assert.deepEqual(await server.lines('/api'), ['GET /api/me 401', 'GET /api/me 200'])
    assert.deepEqual(await server.lines('/auth/refresh'), [])
    await server.forward(STALE)
    await refresh(page)
    assert.deepEqual(await server.lines('/auth/refresh'), ['POST /auth/refresh 400', 'POST /auth/refresh 200'])
    assert.deepEqual(await page.evaluate(() => told()), ['refresh'])
  })

  it('an expired nonce and a revoked token cost one refresh', async (user) => {
    const page = await user.signedIn(options)
    await server.forward(STALE)
    await server.revoke()
    assert.deepEqual(await statuses(page, 10), all(10))
    const { refreshes, reuses } = await server.counters()
    assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 })
  })

  it('a replayed proof is refused, and so is the token without a proof', async (user) => {
    const page = await user.signedIn(options)
    await listen(page)
    assert.equal(await me(page), 200)
    const [{ authorization, dpop }] = await page.evaluate(() => sent)
    assert.match(authorization, /^DPoP /)
    const answers = await Promise.all(
      [{ authorization, dpop }, { authorization }, { authorization: authorization.replace('DPoP', 'Bearer') }].map(
        (headers) =>
          fetch(`${server.origin}/api/me`, { headers }).then(async (answer) => [
            answer.status,
            (await answer.json()).error,
          ]),
      ),
    )
    assert.deepEqual(answers, [
      [401, 'invalid_dpop_proof'],
      [401, 'invalid_dpop_proof'],
      [401, 'invalid_token'],
    ])
    assert.equal(await me(page), 200)
    assert.deepEqual(await server.lines('/auth/refresh'), [])
  })

  it('the key outlives the page, and the session goes on', async (user) => {
    const page = await user.signedIn(options)
    await reload(page, options)
    assert.equal(await me(page), 200)
    const { logins, refreshes, reuses } = await server.counters()
    assert.deepEqual({ logins, refreshes, reuses }, { logins: 1, refreshes: 1, reuses: 0 })
  })

  it('a logout ends the session on the server, and the next login has another key', async (user) => {
    const page = await user.signedIn(options)
    await listen(page)
    assert.equal(await me(page), 200)
    await page.evaluate(() => auth.logout())
    assert.equal((await server.counters()).logouts, 1)
    assert.equal(await me(page), 401)
    await page.evaluate(() => signIn('alice'))
    assert.equal(await me(page), 200)
    const keys = await page.evaluate(() =>
      sent.flatMap(({ dpop }) =>
        dpop ? JSON.parse(atob(dpop.split('.')[0].replace(/-/g, '+').replace(/_/g, '/'))).jwk.x : [],
      ),
    )
    assert.ok(keys.length > 2)
    assert.notEqual(keys[0], keys.at(-1))
  })

  it('tabs share one session', async (user) => {
    const first = await user.signedIn(options)
    const second = await user.tab(options)
    await second.evaluate(() => until(({ status }) => status === 'signed-in'))
    for (let round = 0; round < 3; round++) {
      await server.revoke()
      assert.deepEqual((await Promise.all([statuses(first, 5), statuses(second, 5)])).flat(), all(10))
    }
    const { refreshes, reuses } = await server.counters()
    assert.deepEqual({ refreshes, reuses }, { refreshes: 3, reuses: 0 })
  })

  it('a client without a key gets no token', async (user) => {
    const page = await user.tab({ logout: '/auth/logout' })
    const { error } = await page.evaluate(() => signIn('alice'))
    assert.deepEqual([error.code, error.status], ['rejected', 400])
    assert.equal((await server.counters()).logins, 0)
  })

  for (const isolation of ['worker', 'shared-worker']) {
    it(`${isolation}: login, nonce, refresh and logout`, async (user) => {
      if (engine === 'webkit' && isolation === 'shared-worker') throw new Lack('a key store in a shared worker')
      const page = await user.signedIn({ ...options, isolation })
      await server.forward(STALE)
      await server.revoke()
      assert.deepEqual(await statuses(page, 5), all(5))
      await page.evaluate(() => auth.logout())
      const { logins, refreshes, reuses, logouts } = await server.counters()
      assert.deepEqual({ logins, refreshes, reuses, logouts }, { logins: 1, refreshes: 1, reuses: 0, logouts: 1 })
    })
  }
}

{
  const { server, it } = await served('allowed', ['--dpop', 'allowed', '--dpop-nonce'], 'sqlite::memory:')

  it('clients with and without a key work side by side', async (user) => {
    const bound = await user.signedIn(options)
    const other = await User.arrives(browser, server.origin)
    try {
      const bearer = await other.signedIn({ logout: '/auth/logout' })
      for (const page of [bound, bearer]) {
        await listen(page)
        assert.equal(await me(page), 200)
      }
      await server.forward(STALE)
      await server.revoke()
      for (const page of [bound, bearer]) assert.deepEqual(await statuses(page, 5), all(5))
      const schemes = async (page) =>
        new Set(await page.evaluate(() => sent.flatMap(({ authorization }) => authorization?.split(' ')[0] ?? [])))
      assert.deepEqual([await schemes(bound), await schemes(bearer)], [new Set(['DPoP']), new Set(['Bearer'])])
      const { refreshes, reuses } = await server.counters()
      assert.deepEqual({ refreshes, reuses }, { refreshes: 2, reuses: 0 })
    } finally {
      await other.leaves()
    }
  })

  it('a session from before the app used DPoP goes on with Bearer, and the next login is bound to a key', async (user) => {
    const page = await user.signedIn({ logout: '/auth/logout' })
    await reload(page, options)
    await listen(page)
    assert.equal(await me(page), 200)
    await page.evaluate(() => signIn('alice'))
    assert.equal(await me(page), 200)
    const schemes = await page.evaluate(() => sent.flatMap(({ authorization }) => authorization?.split(' ')[0] ?? []))
    assert.deepEqual([schemes[0], schemes.at(-1)], ['Bearer', 'DPoP'])
  })
}
