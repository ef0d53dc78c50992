// Several accounts side by side, acting as another user, and permissions in claims: the pages in docs/sessions, against a server with a
// cookie for each account.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { documented } from './support/docs.mjs'
import { check } from './support/lack.mjs'
import { startStrict } from './support/strict.mjs'
import { json, refused } from './support/stub.mjs'

const server = await startStrict()
const browser = await startBrowser()

function it(name, page, body) {
  check(name, async (t) => {
    server.reset()
    for (const [path, answer] of Object.entries(documented(page))) server.route(path, answer)
    await body(await User.visits(t, browser, server.origin))
  })
}

/** A tab with the exports of the documentation's page. */
async function tab(user) {
  const page = await user.blank()
  await arrive(page)
  return page
}

const arrive = (page) =>
  page.evaluate(async () => {
    const { fetch, ...rest } = await import('/snippet.js')
    Object.assign(globalThis, rest, { through: (path, init) => outcome(fetch(path, init)) })
  })

const enter = (page, name, username) =>
  page.evaluate(([name, username]) => outcome(signIn(name, new URLSearchParams({ username }))), [name, username])
const who = (page) => page.evaluate(async () => (await through('/api/who')).body.sub)
const listed = (page) =>
  page.evaluate(() => [
    accounts.state.current,
    ...accounts.state.accounts.map(({ name, state }) => `${name} ${state.claims?.sub ?? state.status}`),
  ])
const lists = (page, wanted) =>
  page.evaluate(
    (wanted) =>
      new Promise((resolve) => {
        const look = () =>
          JSON.stringify(
            accounts.state.accounts.map(({ name, state }) => `${name} ${state.claims?.sub ?? state.status}`),
          ) === JSON.stringify(wanted) && resolve()
        accounts.subscribe(look)
        look()
      }),
    wanted,
  )

const several = 'sessions/accounts'

it('two accounts are signed in at once, each with its own cookie, and one is current', several, async (user) => {
  const page = await tab(user)
  await enter(page, 'work', 'alice')
  await enter(page, 'home', 'bob')
  assert.deepEqual(await listed(page), ['home', 'work alice', 'home bob'])
  assert.equal(await who(page), 'bob')
  await page.evaluate(() => accounts.switch('work'))
  assert.equal(await who(page), 'alice')
  server.revoke()
  assert.deepEqual(
    [await who(page), await page.evaluate(async () => (accounts.switch('home'), (await through('/api/who')).body.sub))],
    ['alice', 'bob'],
  )
  assert.deepEqual(
    server.at('/auth/refresh').map(({ query }) => query.get('account')),
    ['work', 'home'],
  )
  assert.equal(server.reuses, 0)
})

it('a call that waits for a refresh stays with its account, even if another is switched to', several, async (user) => {
  const page = await tab(user)
  await enter(page, 'home', 'bob')
  await enter(page, 'work', 'alice')
  server.revoke()
  const refresh = server.hold('/auth/refresh')
  await page.evaluate(() => {
    globalThis.pending = [1, 2, 3].map((n) => through(`/api/who?${n}`))
  })
  await refresh.arrived()
  await page.evaluate(() => {
    accounts.switch('home')
    pending.push(through('/api/who?4'))
  })
  refresh.release()
  const subs = await page.evaluate(async () => (await Promise.all(pending)).map(({ body }) => body.sub))
  assert.deepEqual(subs, ['alice', 'alice', 'alice', 'bob'])
  assert.deepEqual(
    server
      .at('/auth/refresh')
      .map(({ query }) => query.get('account'))
      .sort(),
    ['home', 'work'],
  )
})

it(
  'signing out of one account keeps the others, and no call is sent as another account by itself',
  several,
  async (user) => {
    const page = await tab(user)
    await enter(page, 'work', 'alice')
    await enter(page, 'home', 'bob')
    await page.evaluate(() => signOut('home'))
    assert.deepEqual(
      server.at('/auth/logout').map(({ query }) => query.get('account')),
      ['home'],
    )
    assert.deepEqual(await listed(page), [null, 'work alice'])
    const before = server.at('/api/who').length
    assert.deepEqual(await page.evaluate(() => through('/api/who')), {
      error: { code: 'signed-out', retryable: false },
    })
    assert.equal(server.at('/api/who').length, before)
    await page.evaluate(() => accounts.switch('work'))
    assert.equal(await who(page), 'alice')
  },
)

it('a reload restores the accounts by their cookies; only their names are stored', several, async (user) => {
  const page = await tab(user)
  await enter(page, 'work', 'alice')
  await enter(page, 'home', 'bob')
  assert.deepEqual(await page.evaluate(() => Object.entries(localStorage)), [
    ['accounts', '{"names":["work","home"],"used":"home"}'],
  ])
  await page.reload()
  await arrive(page)
  assert.deepEqual(await listed(page), ['home', 'work unknown', 'home unknown'])
  assert.equal(await who(page), 'bob')
  await page.evaluate(() => accounts.switch('work'))
  assert.equal(await who(page), 'alice')
  assert.equal(server.reuses, 0)
})

it(
  'tabs have the same accounts, each tab has its own current one, and a sign-out applies to all tabs',
  several,
  async (user) => {
    const first = await tab(user)
    await enter(first, 'work', 'alice')
    const second = await tab(user)
    await enter(first, 'home', 'bob')
    await lists(second, ['work alice', 'home bob'])
    assert.deepEqual([await who(first), await who(second)], ['bob', 'alice'])
    await first.evaluate(() => signOut('work'))
    await lists(second, ['home bob'])
    assert.equal(await second.evaluate(() => accounts.state.current), null)
    assert.deepEqual(server.at('/auth/logout').length, 1)
  },
)

it('a sign-out that did not reach the server is finished at the next start', several, async (user) => {
  const page = await tab(user)
  await enter(page, 'work', 'alice')
  server.route('/auth/logout', () => ({ status: 503 }))
  const { error } = await page.evaluate(() => outcome(signOut('work')))
  assert.equal(error.retryable, true)
  assert.deepEqual(await listed(page), ['work', 'work signed-out'])
  server.route('/auth/logout', () => ({ status: 204 }))
  const logout = server.hold('/auth/logout')
  await page.reload()
  await arrive(page)
  await logout.arrived()
  logout.release()
  assert.equal((await page.evaluate(() => through('/api/who'))).status, 401)
  assert.equal(server.at('/auth/logout').length, 2)
})

const acting = 'sessions/impersonation'

/** The server of the page: `admin` may act as another user, and return to himself. */
function impersonation() {
  server.route('/auth/impersonate', (arrived) => {
    const by = server.who(arrived)
    if (!by) return refused()
    if (by.sub !== 'admin') return json({ error: 'forbidden' }, { status: 403 })
    const of = { sub: new URLSearchParams(arrived.body).get('user'), act: { sub: by.sub } }
    return server.grant(of, server.session(arrived, of))
  })
  server.route('/auth/impersonate/stop', (arrived) => {
    const { act } = server.who(arrived) ?? {}
    return act ? server.grant(act, server.session(arrived, act)) : refused()
  })
  server.route('/api/who', (arrived) => (server.who(arrived) ? json(server.who(arrived)) : refused()))
}

/** A tab with the page's manager. */
async function actor(user) {
  const page = await user.blank()
  await page.evaluate(async () => {
    const { auth, ...rest } = await import('/snippet.js')
    Object.assign(globalThis, rest)
    await watch(auth)
  })
  return page
}

const is = (page) => page.evaluate(() => [auth.state.claims?.sub ?? auth.state.status, actor() ?? null])
const turns = (page, sub) => page.evaluate((sub) => until(({ claims }) => claims?.sub === sub), sub)

it('an admin acts as another user, in all tabs, through refreshes, and returns to himself', acting, async (user) => {
  impersonation()
  const page = await actor(user)
  await page.evaluate(() => signIn('admin'))
  const other = await actor(user)
  await turns(other, 'admin')
  await page.evaluate(() => actAs('bob'))
  assert.deepEqual(await is(page), ['bob', 'admin'])
  await turns(other, 'bob')
  assert.deepEqual(await is(other), ['bob', 'admin'])
  server.revoke()
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'bob')
  assert.equal((await other.evaluate(() => call('/api/who'))).body.act.sub, 'admin')
  await other.evaluate(() => stopActing())
  await turns(page, 'admin')
  assert.deepEqual(
    [await is(page), await is(other)],
    [
      ['admin', null],
      ['admin', null],
    ],
  )
  assert.equal((await page.evaluate(() => call('/api/who'))).body.sub, 'admin')
  assert.equal(server.reuses, 0)
})

it('pending calls of one user are never sent as the other', acting, async (user) => {
  impersonation()
  const page = await actor(user)
  await page.evaluate(() => signIn('admin'))
  const held = server.hold('/api/who')
  server.revoke()
  await page.evaluate(() => void (globalThis.under = call('/api/who')))
  await held.arrived()
  // The call is refused only after the other user's session has begun.
  await page.evaluate(() => auth.refresh())
  await page.evaluate(() => actAs('bob'))
  held.release()
  const outcome = await page.evaluate(() => under)
  assert.equal(outcome.status, 401)
  assert.equal(server.at('/api/who').length, 1)
})

it('a user without permission is told so, and stays himself', acting, async (user) => {
  impersonation()
  const page = await actor(user)
  await page.evaluate(() => signIn('alice'))
  const { error } = await page.evaluate(() => outcome(actAs('bob')))
  assert.deepEqual([error.code, error.status], ['rejected', 403])
  assert.deepEqual(await is(page), ['alice', null])
})

it('permissions are read from the claims', 'sessions/permissions', async (user) => {
  const of = { sub: 'alice', scope: 'orders:read orders:write', realm_access: { roles: ['viewer'] } }
  server.route('/auth/login', (arrived) => server.grant(of, server.session(arrived, of)))
  const page = await user.blank()
  const shown = await page.evaluate(async () => {
    const { auth, mayWrite, mayManage, isEditor } = await import('/snippet.js')
    await watch(auth)
    const shown = () => [mayWrite(), mayManage(), isEditor()]
    const before = shown()
    await signIn('alice')
    return [before, shown()]
  })
  assert.deepEqual(shown, [
    [false, false, false],
    [true, true, false],
  ])
})
