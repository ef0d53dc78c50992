// Sessions that begin or change where no script of ours sees it: when the server is asked, and to whom a new token belongs.

import assert from 'node:assert/strict'
import { reload, startBrowser } from './support/browser.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { json, refused } from './support/stub.mjs'

const server = await startStrict()
const browser = await startBrowser()
const OPTIONS = { logout: '/auth/logout' }

const it = eachWithUser(server, browser, () => {
  // The server's own sign-in: it sets the cookie, and redirects back.
  server.route('/sso', (arrived) => ({
    status: 302,
    headers: { location: '/?back', ...server.session(arrived, { sub: 'bob' }) },
  }))
  // The same without a redirect, like the end of a form in another tab.
  server.route('/form', (arrived) => ({ body: 'signed in', headers: server.session(arrived, { sub: 'bob' }) }))
})

const becomes = (page, status) => page.evaluate((status) => until((state) => state.status === status), status)
const becomesUser = (page, name) => page.evaluate((name) => until(({ claims }) => claims?.sub === name), name)
const sub = (page) => page.evaluate(() => auth.state.claims?.sub ?? auth.state.status)
const whose = (page) => page.evaluate(async () => (await call('/api/who')).body.sub ?? null)
const give = (page, given, more) =>
  page.evaluate(
    ([accessToken, more]) => outcome(auth.setTokens({ accessToken, expiresIn: 300, ...more })),
    [given, more],
  )
/** A token that the server accepts. */
const token = (of) => JSON.parse(server.grant(of).body).access_token

/** Two tabs of alice. */
async function twoTabs(user, options = OPTIONS) {
  const first = await user.signedIn(options)
  const second = await user.tab(options)
  await becomes(second, 'signed-in')
  return [first, second]
}

/** Visits the server's sign-in, which redirects back to the test's page. */
async function redirected(page) {
  await page.evaluate(() => void (location.href = '/sso')).catch(() => {})
  for (;;) {
    const isBack = await page.evaluate(() => location.search === '?back' && !!globalThis.isOpen).catch(() => false)
    if (isBack) return page.evaluate(() => history.replaceState(null, '', '/'))
  }
}

it("signedIn: the next call asks the server, and no other tab's token counts as the new user's", async (user) => {
  const [first, second] = await twoTabs(user)
  await second.evaluate(async () => {
    await fetch('/form')
    await auth.signedIn()
  })
  await becomes(first, 'unknown')
  assert.equal(await sub(second), 'unknown')
  assert.equal(await whose(second), 'bob')
  await becomesUser(first, 'bob')
  assert.equal(await whose(first), 'bob')
  assert.equal(server.at('/auth/refresh').length, 1)
  assert.equal(server.reuses, 0)
})

it('signedIn right after creating the manager: a page that was returned to asks the server although another tab has a token', async (user) => {
  const first = await user.signedIn(OPTIONS)
  const second = await user.blank()
  const me = await second.evaluate(async (options) => {
    await fetch('/form')
    const ready = start(options)
    const done = auth.signedIn()
    const called = call('/api/who')
    await Promise.all([ready, done])
    return (await called).body.sub
  }, OPTIONS)
  assert.equal(me, 'bob')
  await becomesUser(first, 'bob')
  assert.equal(await whose(first), 'bob')
  assert.equal(server.reuses, 0)
})

it('signedIn while another tab refreshes: that refresh belongs to the old session, and its token goes to nobody', async (user) => {
  const [first, second] = await twoTabs(user)
  server.revoke()
  const refresh = server.hold('/auth/refresh')
  await first.evaluate(() => void (globalThis.old = call('/api/who')))
  await refresh.arrived()
  await second.evaluate(async () => {
    await auth.signedIn()
    globalThis.waiting = call('/api/who')
    while (!(await navigator.locks.query()).pending.length);
  })
  // The new cookie is set before the old session's answer arrives, which comes last. A server has to handle that; here the new cookie
  // stays.
  server.route('/auth/refresh', (arrived) => server.grant({ sub: 'bob' }, server.session(arrived, { sub: 'bob' })))
  refresh.release()
  assert.equal((await second.evaluate(() => waiting)).body.sub, 'bob')
  assert.equal((await first.evaluate(() => old)).status, 401)
  await becomesUser(first, 'bob')
})

it('signedIn cancels a pending logout', async (user) => {
  const first = await user.signedIn(OPTIONS)
  server.route('/auth/logout', () => ({ status: 503 }))
  await first.evaluate(() => outcome(auth.logout()))
  const second = await user.blank()
  await second.evaluate(async (options) => {
    await fetch('/form')
    start(options)
    await auth.signedIn()
  }, OPTIONS)
  assert.equal(await whose(second), 'bob')
  await reload(second, OPTIONS)
  assert.equal(await whose(second), 'bob')
  assert.equal(server.at('/auth/logout').length, 1)
})

it('a sign-in by redirect after a failed logout is not ended by it, without any call from the app', async (user) => {
  const page = await user.signedIn(OPTIONS)
  server.route('/auth/logout', () => ({ status: 503 }))
  await page.evaluate(() => outcome(auth.logout()))
  await redirected(page)
  await page.evaluate((options) => start(options), OPTIONS)
  assert.equal((await page.evaluate(() => outcome(auth.refresh()))).error, undefined)
  assert.equal(await whose(page), 'bob')
  assert.equal(server.at('/auth/logout').length, 1)
  await reload(page, OPTIONS)
  assert.equal(await whose(page), 'bob')
  assert.equal(server.at('/auth/logout').length, 1)
})

it('on a plain start a pending logout is finished before any refresh', async (user) => {
  const page = await user.signedIn(OPTIONS)
  let fails = true
  server.route('/auth/logout', (arrived) => (fails ? { status: 503 } : (server.end(arrived), { status: 204 })))
  await page.evaluate(() => outcome(auth.logout()))
  fails = false
  await reload(page, OPTIONS)
  assert.equal((await page.evaluate(() => call('/api/who'))).status, 401)
  assert.equal(await sub(page), 'signed-out')
  assert.deepEqual([server.at('/auth/logout').length, server.at('/auth/refresh').length], [2, 0])
})

it('refresh() asks the server although another tab has a token, and brings the new claims', async (user) => {
  const [first, second] = await twoTabs(user)
  server.route('/auth/refresh', (arrived) => {
    const of = server.rotate(arrived)
    return of
      ? server.grant({ ...of, plan: 'pro' }, server.session(arrived, of))
      : json({ error: 'invalid_grant' }, { status: 401 })
  })
  await second.evaluate(() => auth.refresh())
  assert.equal(await second.evaluate(() => auth.state.claims.plan), 'pro')
  await first.evaluate(() => until(({ claims }) => claims?.plan === 'pro'))
  // Also in a tab that has just started.
  const third = await user.tab(OPTIONS)
  await third.evaluate(() => auth.refresh())
  assert.equal(server.at('/auth/refresh').length, 2)
  assert.equal(server.reuses, 0)
})

it("refresh() while another tab's refresh is on the wire is answered by a later one", async (user) => {
  const [first, second] = await twoTabs(user)
  let plan = 'free'
  server.route('/auth/refresh', (arrived) => {
    const of = server.rotate(arrived)
    return of
      ? server.grant({ ...of, plan }, server.session(arrived, of))
      : json({ error: 'invalid_grant' }, { status: 401 })
  })
  const refresh = server.hold('/auth/refresh')
  await first.evaluate(() => void (globalThis.waiting = outcome(auth.refresh())))
  await refresh.arrived()
  plan = 'pro'
  await second.evaluate(async () => {
    globalThis.waiting = outcome(auth.refresh())
    while (!(await navigator.locks.query()).pending.length);
  })
  refresh.release()
  await Promise.all([first, second].map((page) => page.evaluate(() => waiting)))
  assert.equal(await second.evaluate(() => auth.state.claims.plan), 'pro')
  assert.equal(server.at('/auth/refresh').length, 2)
  assert.equal(server.reuses, 0)
})

it('five tabs that ask at once cause one refresh', async (user) => {
  const tabs = await twoTabs(user)
  while (tabs.length < 5) {
    tabs.push(await user.tab(OPTIONS))
    await becomes(tabs.at(-1), 'signed-in')
  }
  // The lock is held, so that all have asked before one of them gets it.
  const holder = await user.blank()
  const name = await tabs[0].evaluate(async () => {
    const request = LockManager.prototype.request
    let seen
    LockManager.prototype.request = function (name, ...more) {
      seen ??= name
      return request.call(this, name, ...more)
    }
    await auth.refresh()
    LockManager.prototype.request = request
    return seen
  })
  await holder.evaluate(
    (name) =>
      new Promise((held) => {
        navigator.locks.request(
          name,
          () =>
            new Promise((release) => {
              globalThis.release = release
              held()
            }),
        )
      }),
    name,
  )
  const before = server.at('/auth/refresh').length
  for (const tab of tabs) await tab.evaluate(() => void (globalThis.waiting = outcome(auth.refresh())))
  await holder.evaluate(async (count) => {
    while ((await navigator.locks.query()).pending.length < count);
    release()
  }, tabs.length)
  for (const tab of tabs) assert.equal((await tab.evaluate(() => waiting)).error, undefined)
  assert.equal(server.at('/auth/refresh').length - before, 1)
  assert.equal(server.reuses, 0)
})

/** The first tab's call is refused, and its answer held meanwhile. */
async function underWay(page) {
  server.revoke()
  const api = server.hold('/api/save')
  await page.evaluate(() => void (globalThis.save = call('/api/save', { method: 'POST', body: 'my work' })))
  await api.arrived()
  return api
}

it('setTokens for the same user in a second tab voids nothing in the first', async (user) => {
  const first = await user.tab(OPTIONS)
  await give(first, token({ sub: 'alice' }))
  const api = await underWay(first)
  const second = await user.tab(OPTIONS)
  await becomesUser(second, 'alice')
  await give(second, token({ sub: 'alice', session: 2 }))
  await first.evaluate(() => until(({ claims }) => claims?.session === 2))
  api.release()
  const { status, body } = await first.evaluate(() => save)
  assert.deepEqual([status, body.sub], [200, 'alice'])
  assert.deepEqual(await first.evaluate(() => told().filter((event) => event.startsWith('signout'))), [])
})

it("nor does a second tab's setTokens right after creating its manager", async (user) => {
  const first = await user.tab(OPTIONS)
  await give(first, token({ sub: 'alice' }))
  const api = await underWay(first)
  const second = await user.blank()
  await second.evaluate(
    async ([options, accessToken]) => {
      start(options)
      await auth.setTokens({ accessToken, expiresIn: 300 })
    },
    [OPTIONS, token({ sub: 'alice', session: 2 })],
  )
  await first.evaluate(() => until(({ claims }) => claims?.session === 2))
  api.release()
  assert.equal((await first.evaluate(() => save)).status, 200)
})

it("setTokens for another user in a second tab ends the first tab's calls", async (user) => {
  const first = await user.tab(OPTIONS)
  await give(first, token({ sub: 'alice' }))
  const api = await underWay(first)
  const second = await user.tab(OPTIONS)
  await give(second, token({ sub: 'bob' }))
  await becomesUser(first, 'bob')
  api.release()
  assert.equal((await first.evaluate(() => save)).status, 401)
  assert.equal(server.at('/api/save').length, 1, "alice's work is not saved as bob's")
})

for (const [what, options, alice, bob] of /** @type {[string, any, any, any][]} */ ([
  ['numbers', OPTIONS, { sub: 7 }, { sub: 8 }],
  ['another claim', { ...OPTIONS, subject: 'user_id' }, { user_id: 7, sub: 'same' }, { user_id: 8, sub: 'same' }],
])) {
  it(`users whose subjects are ${what} are distinguished, and recognised again`, async (user) => {
    const first = await user.tab(options)
    await give(first, token(alice))
    let api = await underWay(first)
    const second = await user.tab(options)
    await give(second, token({ ...alice, n: 2 }))
    await first.evaluate(() => until(({ claims }) => claims?.n === 2))
    api.release()
    assert.equal((await first.evaluate(() => save)).status, 200, "the same user's call goes on")
    api = await underWay(first)
    const before = server.at('/api/save').length
    await give(second, token({ ...bob, n: 3 }))
    await first.evaluate(() => until(({ claims }) => claims?.n === 3))
    api.release()
    assert.equal((await first.evaluate(() => save)).status, 401, "the other user's does not")
    assert.equal(server.at('/api/save').length, before)
  })
}

it("a refresh that brings another user's token ends the waiting calls", async (user) => {
  const page = await user.signedIn(OPTIONS)
  server.revoke()
  // Somebody else has signed in at another subdomain.
  await page.evaluate(() => fetch('/form'))
  assert.equal((await page.evaluate(() => call('/api/save', { method: 'POST', body: 'my work' }))).status, 401)
  assert.equal(server.at('/api/save').length, 1)
  assert.equal(await sub(page), 'bob')
})

/** Exchanges the cookie and requires the token, like a call that switches the organisation. */
function switching() {
  server.route('/auth/switch', (arrived) => {
    const who = server.who(arrived)
    if (!who) return refused()
    const of = server.rotate(arrived)
    if (!of) return json({ error: 'invalid_grant' }, { status: 401 })
    const now = { ...of, org: 2 }
    return server.grant(now, server.session(arrived, now))
  })
}

for (const [how, method, init] of [
  ['exchange', 'exchange', { body: '{"org":2}' }],
  ['a login without a body', 'login'],
]) {
  it(`${how} carries the token, and waits its turn while another tab refreshes`, async (user) => {
    switching()
    const [first, second] = await twoTabs(user)
    const refresh = server.hold('/auth/refresh')
    await second.evaluate(() => void (globalThis.waiting = outcome(auth.refresh())))
    await refresh.arrived()
    await first.evaluate(
      async ([method, init]) => {
        globalThis.switched = outcome(auth[method]('/auth/switch', init))
        while (!(await navigator.locks.query()).pending.length);
      },
      [method, init],
    )
    assert.deepEqual(server.lines('/auth/switch'), [], 'not before the refresh is back')
    refresh.release()
    const { value, error } = await first.evaluate(() => switched)
    assert.deepEqual([error, value], [undefined, { expires_in: 300, token_type: 'Bearer' }])
    assert.equal(await first.evaluate(() => auth.state.claims.org), 2)
    assert.equal((await second.evaluate(() => waiting)).error, undefined)
    assert.equal(server.reuses, 0)
    await second.evaluate(() => until(({ claims }) => claims?.org === 2))
    await reload(second, OPTIONS)
    await second.evaluate(() => auth.refresh())
    assert.equal(await second.evaluate(() => auth.state.claims.org), 2, 'the cookie of the switch is the last')
    assert.equal(server.reuses, 0)
  })
}

it('exchange refreshes first if the token has ended', async (user) => {
  switching()
  const page = await user.signedIn(OPTIONS)
  await page.evaluate(() => {
    // The token's five minutes have passed.
    for (const clock of [Date, performance]) {
      const now = clock.now.bind(clock)
      clock.now = () => now() + 400_000
    }
  })
  assert.equal((await page.evaluate(() => outcome(auth.exchange('/auth/switch', { body: 'org=2' })))).error, undefined)
  assert.deepEqual(server.lines('/auth/refresh', '/auth/switch'), ['POST /auth/refresh', 'POST /auth/switch'])
  assert.equal(await page.evaluate(() => auth.state.claims.org), 2)
  assert.equal(server.reuses, 0)
})

it('exchange in a page that has just started restores the session first', async (user) => {
  switching()
  const page = await user.signedIn(OPTIONS)
  await reload(page, OPTIONS)
  assert.equal((await page.evaluate(() => outcome(auth.exchange('/auth/switch')))).error, undefined)
  assert.equal(await page.evaluate(() => auth.state.claims.org), 2)
  assert.equal(server.reuses, 0)
})

it('exchange without a session rejects, and nothing is sent', async (user) => {
  switching()
  const page = await user.signedIn(OPTIONS)
  await page.evaluate(() => auth.logout())
  assert.deepEqual((await page.evaluate(() => outcome(auth.exchange('/auth/switch')))).error, {
    code: 'signed-out',
    retryable: false,
  })
  assert.equal(server.at('/auth/switch').length, 0)
})

it('a refused exchange keeps the current session', async (user) => {
  server.route('/auth/switch', () => json({ error: 'no such organisation' }, { status: 403 }))
  const page = await user.signedIn(OPTIONS)
  assert.equal((await page.evaluate(() => outcome(auth.exchange('/auth/switch')))).error.code, 'rejected')
  assert.equal(await whose(page), 'alice')
})

it('a login with a body carries no token', async (user) => {
  const page = await user.signedIn(OPTIONS)
  await page.evaluate(() => signIn('alice', 'x'))
  assert.deepEqual(
    server.at('/auth/login').map(({ headers }) => headers.authorization),
    [undefined, undefined],
  )
})
