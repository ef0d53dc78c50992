// Refusals, and who learns of them; and decisions in the turn of a call, for every kind of call and however early it comes.

import assert from 'node:assert/strict'
import { nothing } from './pages/deeds.js'
import { startBrowser } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { hasToken, inHome, isForAllTabs, needsHandedOn } from './support/home.mjs'
import { Lack } from './support/lack.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { json } from './support/stub.mjs'

const server = await startStrict()
const browser = await startBrowser()

const it = eachWithUser(server, browser)

const refreshes = () => server.at('/auth/refresh').length
const INVALID = json({ error: 'invalid_grant' }, { status: 401 })

/** This many tabs of alice. */
async function tabsOf(user, count, options) {
  const tabs = [await user.signedIn(options)]
  while (tabs.length < count) {
    tabs.push(await user.tab(options))
    await hasToken(tabs.at(-1))
  }
  return tabs
}

/** Begins a call in each tab. Resolves when all are in line for the lock, have it, or wait for the one refresh of all tabs. */
async function standInLine(tabs, begin) {
  for (const [n, tab] of tabs.entries()) {
    await tab.evaluate(begin, n)
    if (isForAllTabs) await inHome(tab, nothing)
    else
      await tab.evaluate(async (count) => {
        for (;;) {
          const { held, pending } = await navigator.locks.query()
          if (held.length + pending.length > count) return
        }
      }, n)
  }
}

for (const tabs of ['share', 'lock']) {
  it(`waiting tabs hear of a refusal, with tabs: ${tabs}, and do not all use the cookie once more`, async (user) => {
    if (home && tabs === 'share') throw new Lack('a token that the tabs tell each other')
    const pages = await tabsOf(user, tabs === 'share' ? 5 : 1, { tabs })
    while (pages.length < 5) {
      const page = await user.tab({ tabs })
      await page.evaluate(() => call('/api/x'))
      pages.push(page)
    }
    server.revoke()
    server.route('/auth/refresh', () => INVALID)
    const before = refreshes()
    const refresh = server.hold('/auth/refresh')
    await standInLine(pages, (n) => void (globalThis.waiting = call(`/api/items/${n}`)))
    await refresh.arrived()
    refresh.release()
    for (const page of pages) {
      assert.equal((await page.evaluate(() => waiting)).status, 401)
      assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
      assert.deepEqual(await page.evaluate(() => told().filter((event) => event.startsWith('signout'))), [
        'signout rejected',
      ])
    }
    // With `lock` no tab listens for news before it refreshes: one may be faster than the news.
    if (tabs === 'share') assert.equal(refreshes() - before, 1)
    else assert.ok(refreshes() - before < pages.length, `${refreshes() - before} refreshes`)
  })
}

it('if the refreshing tab is closed and its answer lost, the others use the old cookie once', async (user) => {
  if (isForAllTabs) throw new Lack('a refresh that ends with its tab')
  const [first, ...others] = await tabsOf(user, 5)
  server.revoke()
  const before = refreshes()
  const refresh = server.hold('/auth/refresh')
  await standInLine([first, ...others], (n) => void (globalThis.waiting = call(`/api/items/${n}`)))
  await refresh.arrived()
  // The rotated cookie is lost: it never arrives.
  server.route('/auth/refresh', (arrived) => (server.rotate(arrived), INVALID))
  await first.close()
  // The next refresh shows that the tab and its lock are gone: a driver may report the end of a tab too early.
  await refresh.arrived(2)
  refresh.release()
  for (const page of others) assert.equal((await page.evaluate(() => waiting)).status, 401)
  assert.equal(refreshes() - before, 2)
  assert.ok(server.reuses <= 1)
})

it('after a shared refusal a login continues in all tabs', async (user) => {
  needsHandedOn()
  const [first, second] = await tabsOf(user, 2)
  server.revoke()
  const refresh = server.hold('/auth/refresh')
  server.route('/auth/refresh', () => INVALID)
  await standInLine([first, second], (n) => void (globalThis.waiting = call(`/api/items/${n}`)))
  refresh.release()
  for (const page of [first, second]) assert.equal((await page.evaluate(() => waiting)).status, 401)
  await first.evaluate(() => signIn('bob', 'x'))
  await second.evaluate(() => until(({ claims }) => claims?.sub === 'bob'))
  assert.deepEqual((await second.evaluate(() => call('/api/who'))).body.sub, 'bob')
})

/** Runs in the page: an upload that uses the token itself, and reports its refusal. */
function uploads() {
  const put = (path, token) =>
    new Promise((done) => {
      const xhr = new XMLHttpRequest()
      xhr.open('PUT', path)
      xhr.setRequestHeader('Authorization', `Bearer ${token}`)
      xhr.onloadend = () => done(xhr.status)
      xhr.send('x')
    })
  globalThis.upload = async (path) => {
    let status = await put(path, await auth.getAccessToken())
    if (status === 401) {
      await auth.refresh()
      status = await put(path, await auth.getAccessToken())
    }
    return status
  }
}

it('successive refusals of one token cost one refresh, by XHR', async (user) => {
  const page = await user.signedIn({ exposeToken: true })
  await page.evaluate(uploads)
  server.revoke()
  const chunks = [0, 1, 2, 3, 4].map((n) => server.hold(`/api/chunk/${n}`))
  await page.evaluate(() => void (globalThis.uploading = [0, 1, 2, 3, 4].map((n) => upload(`/api/chunk/${n}`))))
  for (const chunk of chunks) await chunk.arrived()
  for (const [n, chunk] of chunks.entries()) {
    // Each refusal is released when the previous one has been handled.
    chunk.release()
    assert.equal(await page.evaluate((n) => uploading[n], n), 200)
  }
  assert.equal(refreshes(), 1)
  // A superfluous refresh would have been sent by now.
  await page.evaluate(() => auth.refresh())
  assert.equal(refreshes(), 2)
})

it('refresh() twice in a row asks twice: nobody was given a token that could be refused late', async (user) => {
  const page = await user.signedIn()
  await page.evaluate(async () => {
    await auth.refresh()
    await auth.refresh()
  })
  assert.equal(refreshes(), 2)
})

// Calls in one turn, before `ready` or after it; how each ends; and the state at the end.
const TURNS = {
  'refresh(); logout()': {
    calls: () => [auth.refresh(), auth.logout('/auth/logout')],
    ends: ['session-changed', 'done'],
    status: 'signed-out',
  },
  'refresh(); setTokens(bob)': {
    calls: (bob) => [auth.refresh(), auth.setTokens({ accessToken: bob })],
    ends: ['session-changed', 'done'],
    status: 'bob',
  },
  'getAccessToken(); logout()': {
    calls: () => [auth.getAccessToken(), auth.logout('/auth/logout')],
    ends: [/^(alice|session-changed)$/, 'done'],
    status: 'signed-out',
  },
  'getAccessToken(); setTokens(bob)': {
    calls: (bob) => [auth.getAccessToken(), auth.setTokens({ accessToken: bob })],
    ends: [/^(alice|session-changed)$/, 'done'],
    status: 'bob',
  },
  'fetch(); logout()': {
    calls: () => [auth.fetch('/api/who').then(({ status }) => status), auth.logout('/auth/logout')],
    ends: [/^(200|401|session-changed)$/, 'done'],
    status: 'signed-out',
  },
  'fetch(); setTokens(bob)': {
    calls: (bob) => [
      auth.fetch('/api/who').then(async (answer) => (await answer.json()).sub),
      auth.setTokens({ accessToken: bob }),
    ],
    ends: [/^(alice|session-changed)$/, 'done'],
    status: 'bob',
  },
  'exchange(); logout()': {
    calls: () => [auth.exchange('/auth/login'), auth.logout('/auth/logout')],
    ends: ['session-changed', 'done'],
    status: 'signed-out',
  },
  'login(); logout()': {
    calls: () => [auth.login('/auth/login', { body: 'x' }), auth.logout('/auth/logout')],
    ends: ['session-changed', 'done'],
    status: 'signed-out',
  },
  'logout(); login()': {
    calls: () => [auth.logout('/auth/logout'), auth.login('/auth/login', { body: 'username=bob' })],
    ends: [/^(done|session-changed)$/, 'done'],
    status: 'bob',
  },
}

for (const [name, { calls, ends, status }] of Object.entries(TURNS)) {
  it(`${name} in one turn: decided in that turn`, async (user) => {
    const options = { exposeToken: !home || name.startsWith('getAccessToken') }
    const page = await user.tab(options)
    const bob = JSON.parse(server.grant({ sub: 'bob' }).body).access_token
    for (const when of ['with a token', 'before ready', 'in a page that has begun']) {
      await page.evaluate(() => auth.login('/auth/login', credentials('alice')))
      const seen = await page.evaluate(
        async ([calls, when, bob, options]) => {
          if (when !== 'with a token') {
            auth.dispose()
            const ready = start(options)
            if (when === 'in a page that has begun') await ready
          }
          const read = (value) => {
            if (/^ey.*\./.test(value)) return JSON.parse(atob(value.split('.')[1])).sub
            return typeof value === 'object' || value === undefined ? 'done' : String(value)
          }
          const promises = new Function('bob', `return (${calls})(bob)`)(bob)
          const ends = await Promise.all(
            promises.map((promise) => promise.then(read, (error) => error.code ?? String(error))),
          )
          return [...ends, auth.state.claims?.sub ?? auth.state.status]
        },
        [String(calls), when, bob, options],
      )
      for (const [n, end] of [...ends, status].entries()) {
        assert.match(seen[n], end instanceof RegExp ? end : new RegExp(`^${end}$`), `${when}: ${seen.join(', ')}`)
      }
      // And it stays so.
      assert.equal((await page.evaluate(() => call('/api/who'))).body?.sub ?? 'signed-out', status, when)
      assert.equal(server.reuses, 0)
    }
  })
}

// Calls that the manager leaves alone. Each is made in a page that knows nothing yet.
const UNTOUCHED = {
  'with its own Authorization': () => fetch_('/api/x', { headers: { authorization: 'Basic eDp5' } }),
  'as a Request with its own Authorization': () =>
    fetch_(new Request('/api/x', { headers: { authorization: 'Basic eDp5' } })),
  'with no-cors': () => fetch_('/api/x', { mode: 'no-cors' }),
  'that is aborted': () => fetch_('/api/x', { signal: AbortSignal.abort() }),
  'of a Request that is aborted': () => fetch_(new Request('/api/x', { signal: AbortSignal.abort() })),
  'with a method that there is not': () => fetch_('/api/x', { method: 'CONNECT' }),
  'with a body where there is none': () => fetch_('/api/x', { body: 'x' }),
  'to no URL': () => fetch_('http://'),
  'with a header that is none': () => fetch_('/api/x', { headers: { 'a b': 'c' } }),
  'to elsewhere': () => fetch_('/public'),
}

for (const when of ['before ready', 'in a page that has begun']) {
  it(`calls that the manager leaves alone, ${when}, cause no refresh, at once or later`, async (user) => {
    const page = await user.blank()
    for (const [what, make] of Object.entries(UNTOUCHED)) {
      await page.evaluate(
        async ([make, when]) => {
          globalThis.auth?.dispose()
          const ready = start({ apis: ['/api'], tabs: 'off' })
          if (when !== 'before ready') await ready
          globalThis.fetch_ = (...args) => auth.fetch(...args).catch(() => {})
          await new Function(`return (${make})()`)()
          await ready
          // A refresh that nobody needs would be sent at the next occasion.
          for (const [target, event] of /** @type {[EventTarget, string][]} */ ([
            [document, 'visibilitychange'],
            [globalThis, 'online'],
            [globalThis, 'pageshow'],
          ]))
            target.dispatchEvent(new Event(event))
          await auth.login('/auth/login', { body: 'username=alice' })
          await auth.fetch('/api/who')
        },
        [String(make), when],
      )
      assert.equal(refreshes(), 0, what)
    }
  })
}
