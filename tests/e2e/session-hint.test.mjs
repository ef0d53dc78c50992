// A readable cookie that exists as long as the session: without it no refresh is sent, and visitors wait for nothing.

import assert from 'node:assert/strict'
import { startBrowser } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { needsHandedOn } from './support/home.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { json } from './support/stub.mjs'

const server = await startStrict()
const browser = await startBrowser()

// The ways to name the cookie `hint`.
const WAYS = {
  sessionHint: { sessionHint: 'hint' },
  'the cookie of csrf': { csrf: { cookie: 'hint', header: 'x-csrf' } },
  'the csrf of the refresh': { refresh: { url: '/auth/refresh', csrf: { cookie: 'hint', header: 'x-csrf' } } },
  'sessionHint beside another csrf': { sessionHint: 'hint', csrf: { cookie: 'csrf', header: 'x-csrf' } },
}

const it = eachWithUser(server, browser, () => {
  server.route('/api/catalogue', () => json({ items: [1, 2, 3] }))
})

const refreshes = () => server.at('/auth/refresh').length
const ask = (page) =>
  page.evaluate(async () => {
    const { status, body, error } = await call('/api/catalogue')
    return [status ?? error, body?.items?.length, auth.state.status]
  })
/** Begins a session by the server's own sign-in. */
async function hasSession(page) {
  server.route('/form', (arrived) => ({ headers: server.session(arrived, { sub: 'alice' }) }))
  await page.evaluate(() => fetch('/form').then(() => {}))
}
const sets = (page, cookie) => page.evaluate((cookie) => void (document.cookie = cookie), cookie)

/** A test for each of the ways, with its own manager and server. */
function each(name, cookie, body) {
  it(name, async (user) => {
    const page = await user.blank()
    for (const [what, options] of Object.entries(WAYS)) {
      server.reset()
      server.route('/api/catalogue', () => json({ items: [1, 2, 3] }))
      await sets(page, cookie)
      await page.evaluate((options) => {
        globalThis.auth?.dispose()
        // By default a service worker asks for a token before it sends the page's own sign-in.
        return start({ ...options, apis: ['/api'], tabs: 'off' })
      }, options)
      await body(page, what)
    }
  })
}

const NONE = 'hint=; max-age=0'

each('a visitor without the cookie gets the public pages at once, and is signed out', NONE, async (page, what) => {
  // Even a silent server keeps nobody waiting.
  server.hold('/auth/refresh')
  assert.deepEqual(await ask(page), [200, 3, 'signed-out'], what)
  assert.deepEqual(await page.evaluate(() => told()), [], what)
  assert.equal(refreshes(), 0, what)
})

each('with the cookie the server is asked, and its answer counts', 'hint=1', async (page, what) => {
  assert.deepEqual(await ask(page), [200, 3, 'signed-out'], what)
  assert.equal(refreshes(), 1, what)
})

each('with the cookie the session is restored', 'hint=1', async (page, what) => {
  await hasSession(page)
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'alice', what)
  assert.equal(refreshes(), 1, what)
})

each('an explicit refresh is sent without the cookie, too', NONE, async (page, what) => {
  await hasSession(page)
  assert.deepEqual(await ask(page), [200, 3, 'signed-out'], what)
  assert.equal((await page.evaluate(() => outcome(auth.refresh()))).error, undefined, what)
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'alice', what)
})

it('a first visit whose refresh needs a missing csrf cookie is no outage', async (user) => {
  server.route('/auth/refresh', ({ headers }) =>
    headers['x-csrf']
      ? json({}, { status: 401 })
      : { status: 403, type: 'text/html', body: '<h1>CSRF verification failed' },
  )
  const page = await user.tab(WAYS['the cookie of csrf'])
  assert.deepEqual(await ask(page), [200, 3, 'signed-out'])
  assert.deepEqual(await page.evaluate(() => told()), [])
})

it('signedIn asks although the cookie is missing', async (user) => {
  const page = await user.tab({ sessionHint: 'hint' })
  await hasSession(page)
  await page.evaluate(() => auth.signedIn())
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'alice')
})

it('a login continues without the cookie, and its session is refreshed', async (user) => {
  const page = await user.tab({ sessionHint: 'hint' })
  await page.evaluate(() => signIn('alice', 'x'))
  server.revoke()
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'alice')
  assert.equal(refreshes(), 1)
})

it('restore: eager, getAccessToken and exchange send no refresh either', async (user) => {
  const page = await user.tab({ sessionHint: 'hint', restore: 'eager' })
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
  assert.deepEqual(await ask(page), [200, 3, 'signed-out'])
  // A worker does not expose the token.
  for (const [method, args] of [...(home ? [] : [['getAccessToken', []]]), ['exchange', ['/auth/switch']]]) {
    const { error } = await page.evaluate(
      async ([method, args]) => {
        auth.dispose()
        await start({ sessionHint: 'hint', exposeToken: method === 'getAccessToken' })
        return outcome(auth[method](...args))
      },
      [method, args],
    )
    assert.equal(error.code, 'signed-out', String(method))
    assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
  }
  assert.deepEqual([refreshes(), server.at('/auth/switch').length], [0, 0])
})

it('restore: eager, with the cookie, restores at once', async (user) => {
  const page = await user.blank()
  await hasSession(page)
  await sets(page, 'hint=1')
  await page.evaluate(() => start({ sessionHint: 'hint', restore: 'eager' }))
  await page.evaluate(() => until(({ status }) => status === 'signed-in'))
  assert.equal(refreshes(), 1)
})

it('a tab without the cookie takes the token that another tab has', async (user) => {
  needsHandedOn()
  const first = await user.signedIn({ sessionHint: 'hint' })
  const second = await user.tab({ sessionHint: 'hint' })
  await second.evaluate(() => until(({ status }) => status === 'signed-in'))
  assert.equal((await second.evaluate(() => call('/api/who'))).body.sub, 'alice')
  assert.equal((await first.evaluate(() => call('/api/who'))).body.sub, 'alice')
  assert.equal(refreshes(), 0)
})
