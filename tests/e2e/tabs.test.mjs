// Several tabs of one user: one session, one cookie, no refresh token used twice (rule 9).

import assert from 'node:assert/strict'
import { reload } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { hasToken, isForAllTabs, isHandedOn, needsHandedOn, standsInLine } from './support/home.mjs'
import { Lack } from './support/lack.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world()

const name = async (page) => (await page.evaluate(() => call('/api/me'))).body.name
const becomes = (page, status) => page.evaluate((status) => until((state) => state.status === status), status)

// What the second tab is told of its first token. Where one manager is for all tabs, it had that before.
const AT_START = isForAllTabs ? [] : ['refresh']

/** Two tabs that know of the session. The second has its token from the first, where it is handed on. The server counts from here. */
async function twoTabs(user, options) {
  const first = await user.signedIn(options)
  const second = await user.tab(options)
  await hasToken(second)
  if (!isHandedOn) await server.reset()
  return [first, second]
}

it('a second tab gets the token of the first, without a refresh', async (user) => {
  needsHandedOn()
  const [, second] = await twoTabs(user)
  assert.equal(await name(second), 'alice')
  assert.deepEqual(await server.lines(), ['POST /auth/login 200', 'GET /api/me 200'])
})

it('when both tabs are refused at once there is one refresh', async (user) => {
  needsHandedOn()
  const tabs = await twoTabs(user)
  await server.revoke()
  await server.faults({ api: 'hold' })
  // A browser sends requests for one URL in sequence: each tab has its own URLs.
  for (const [n, tab] of tabs.entries()) await tab.evaluate((n) => void (globalThis.waiting = calls(3, 10 * n)), n)
  await server.held('api', 6)
  await server.faults()
  await server.release('api')
  for (const tab of tabs)
    assert.deepEqual(
      (await tab.evaluate(() => waiting)).map(({ status }) => status),
      [200, 200, 200],
    )
  const { refreshes, reuses } = await server.counters()
  assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 })
})

it('a tab in line for a refresh is served by the one before it', async (user) => {
  needsHandedOn()
  const [first, second] = await twoTabs(user)
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await first.evaluate(() => void (globalThis.waiting = call('/api/items/1')))
  await server.held('refresh')
  await second.evaluate(() => void (globalThis.waiting = call('/api/items/2')))
  await standsInLine(second)
  await server.release('refresh')
  for (const tab of [first, second]) assert.equal((await tab.evaluate(() => waiting)).status, 200)
  assert.equal(await server.refreshes(), 1)
  assert.deepEqual(
    await second.evaluate(() => told()),
    [...AT_START, 'refresh'],
    'the token at its start, and the new one',
  )
})

/** After `lateNews = true` this tab's news is sent only when another tab has the lock. Runs in the page. */
function late() {
  const post = BroadcastChannel.prototype.postMessage
  const me = navigator.locks.request('me', () => navigator.locks.query())
  BroadcastChannel.prototype.postMessage = async function (news) {
    const { clientId } = (await me).held.find(({ name }) => name === 'me')
    const isMine = (lock) => lock.clientId === clientId
    while (globalThis.lateNews && (await navigator.locks.query()).held.every(isMine));
    post.call(this, news)
  }
}

it('a tab that had to wait in line waits for news that arrive after the lock', async (user) => {
  if (home) throw new Lack('a page that tells the others of its token')
  const first = await user.signedIn({}, (page) => page.addInitScript(late))
  const second = await user.tab()
  await becomes(second, 'signed-in')
  await first.evaluate(() => void (globalThis.lateNews = true))
  for (let round = 0; round < 5; round++) {
    await server.revoke()
    await server.faults({ refresh: 'hold' })
    await first.evaluate(() => void (globalThis.waiting = call('/api/items/1')))
    await server.held('refresh')
    await second.evaluate(() => void (globalThis.waiting = call('/api/items/2')))
    await standsInLine(second)
    await server.faults()
    await server.release('refresh')
    for (const tab of [first, second]) assert.equal((await tab.evaluate(() => waiting)).status, 200)
  }
  const { refreshes, reuses } = await server.counters()
  assert.equal(reuses, 0)
  // It waits briefly: on a busy machine the news may be too late, but not each time.
  assert.ok(refreshes < 10, `${refreshes} refreshes in 5 rounds of 2 tabs`)
})

it('in twenty rounds of expiry in two tabs at once no refresh token is used twice', async (user) => {
  const tabs = await twoTabs(user)
  for (let round = 1; round <= 20; round++) {
    await server.revoke()
    const answers = await Promise.all(tabs.map((tab, n) => tab.evaluate((n) => calls(5, 10 * n), n)))
    assert.deepEqual(
      answers.flat().map(({ status }) => status),
      Array(10).fill(200),
      `round ${round}`,
    )
  }
  const { reuses, revoked_families, refreshes } = await server.counters()
  assert.deepEqual({ reuses, revoked_families }, { reuses: 0, revoked_families: 0 })
  assert.ok(refreshes >= 20)
})

it('with tabs: lock each tab refreshes for itself, in turns', async (user) => {
  if (isForAllTabs) throw new Lack("a token of each tab's own")
  const first = await user.signedIn({ tabs: 'lock' })
  const second = await user.tab({ tabs: 'lock' })
  assert.equal(await name(second), 'alice')
  await server.revoke()
  await server.faults({ api: 'hold' })
  for (const [n, tab] of [first, second].entries())
    await tab.evaluate((n) => void (globalThis.waiting = calls(1, n)), n)
  await server.held('api', 2)
  await server.faults()
  await server.release('api')
  for (const tab of [first, second]) assert.equal((await tab.evaluate(() => waiting))[0].status, 200)
  const { refreshes, reuses } = await server.counters()
  assert.deepEqual({ refreshes, reuses }, { refreshes: 3, reuses: 0 })
})

it('a logout reaches the other tab, with the reason other-tab', async (user) => {
  const [first, second] = await twoTabs(user)
  await first.evaluate(() => auth.logout('/auth/logout'))
  await becomes(second, 'signed-out')
  assert.deepEqual(await second.evaluate(() => told()), [...AT_START, 'signout other-tab'])
  assert.equal((await second.evaluate(() => call('/api/me'))).status, 401)
  assert.equal(await server.refreshes(), 0)
  assert.equal((await server.counters()).logouts, 1)
})

it("a logout waits for the other tab's refresh on the wire, and both stay signed out", async (user) => {
  const [first, second] = await twoTabs(user)
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await second.evaluate(() => void (globalThis.waiting = call('/api/me')))
  await server.held('refresh')
  await first.evaluate(() => void (globalThis.out = auth.logout('/auth/logout')))
  await becomes(second, 'signed-out')
  assert.equal((await second.evaluate(() => waiting)).status, 401)
  await first.evaluate(() => fetch('/healthz').then(() => {}))
  assert.deepEqual(await server.lines('/auth/logout'), [], 'not before the refresh is back')
  await server.release('refresh')
  await first.evaluate(() => out)
  assert.deepEqual((await server.lines('/auth')).slice(-2), ['POST /auth/refresh 200', 'POST /auth/logout 204'])
  await server.faults()
  for (const tab of [first, second]) {
    await reload(tab)
    assert.equal((await tab.evaluate(() => call('/api/me'))).status, 401)
  }
})

it('a logout in one of five tabs while another refreshes leaves no token anywhere', async (user) => {
  const options = { exposeToken: !home }
  const tabs = [await user.signedIn(options)]
  while (tabs.length < 5) tabs.push(await user.tab(options))
  for (const tab of tabs) await hasToken(tab)
  const [first, second, third] = tabs
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await second.evaluate(() => void (globalThis.waiting = call('/api/items/2')))
  await server.held('refresh')
  await third.evaluate(() => void (globalThis.waiting = call('/api/items/3')))
  await standsInLine(third)
  await first.evaluate(() => void (globalThis.out = auth.logout('/auth/logout')))
  for (const tab of tabs) await becomes(tab, 'signed-out')
  await server.faults()
  await server.release('refresh')
  await first.evaluate(() => out)
  assert.equal((await second.evaluate(() => waiting)).status, 401)
  // Where one refresh is for all tabs, a call waits for it before it is sent.
  const { status, error } = await third.evaluate(() => waiting)
  assert.equal(status ?? error.code, isForAllTabs ? 'session-changed' : 401)
  for (const tab of tabs) {
    assert.deepEqual(await tab.evaluate(() => auth.state), {
      status: 'signed-out',
      claims: null,
      expiresAt: null,
      sessionExpiresAt: null,
    })
    assert.deepEqual(await tab.evaluate(() => outcome(auth.getAccessToken())), {
      error: { code: home ? 'not-exposed' : 'signed-out', retryable: false },
    })
    assert.equal((await tab.evaluate(() => call('/api/me'))).status, 401)
  }
  assert.deepEqual(
    (await server.log('/api/me')).map(({ token }) => token),
    Array(5).fill(null),
    'nothing leaves with a token',
  )
  assert.deepEqual((await server.lines('/auth')).slice(-2), ['POST /auth/refresh 200', 'POST /auth/logout 204'])
  for (const tab of tabs) {
    await reload(tab, options)
    assert.equal((await tab.evaluate(() => call('/api/me'))).status, 401, 'the cookie is gone, too')
  }
  assert.equal((await server.counters()).reuses, 0)
})

it("a login as another user removes the old user's token from the other tab, which continues as the new user", async (user) => {
  const [first, second] = await twoTabs(user)
  await server.revoke()
  await server.faults({ api: 'hold' })
  await second.evaluate(() => void (globalThis.old = call('/api/items/1')))
  await server.held('api')
  await first.evaluate(() => auth.login('/auth/login', credentials('admin')))
  await second.evaluate(
    (isHandedOn) => until(({ status, claims }) => (isHandedOn ? claims?.sub === 'admin' : status === 'unknown')),
    isHandedOn,
  )
  await server.faults()
  await server.release('api')
  assert.equal((await second.evaluate(() => old)).status, 401, 'what began as the old user ends as the old user')
  assert.equal((await server.log('/api/items/1')).length, 1)
  assert.equal(await name(second), 'admin')
  assert.equal(await server.refreshes(), isHandedOn ? 0 : 1)
})

it('with tabs: lock the other tab refreshes at its next call', async (user) => {
  if (isForAllTabs) throw new Lack("a token of each tab's own")
  const first = await user.signedIn({ tabs: 'lock' })
  const second = await user.tab({ tabs: 'lock' })
  assert.equal(await name(second), 'alice')
  await first.evaluate(() => auth.login('/auth/login', credentials('admin')))
  await becomes(second, 'unknown')
  assert.equal(await name(second), 'admin')
  assert.equal((await server.counters()).reuses, 0)
})

it('a login in one tab signs the others in', async (user) => {
  const [first, second] = [await user.tab(), await user.tab()]
  assert.equal((await second.evaluate(() => call('/api/me'))).status, 401)
  await first.evaluate(() => signIn('alice'))
  await becomes(second, isHandedOn ? 'signed-in' : 'unknown')
  assert.equal(await name(second), 'alice')
  assert.equal(
    await server.refreshes(),
    isHandedOn ? 1 : 2,
    'the one that found no session; and one for the session, where it is not handed on',
  )
})

it('a pending logout is finished by a new tab, and no tab is signed in meanwhile', async (user) => {
  if (home === 'service-worker') throw new Lack('two service workers of one scope')
  const options = { logout: '/auth/logout' }
  const [first, second] = await twoTabs(user, options)
  await server.faults({ logout: 'down' })
  await first.evaluate(() => outcome(auth.logout()))
  await becomes(second, 'signed-out')
  await server.reset()
  await server.faults({ logout: 'hold' })
  const third = await user.tab({ ...options, restore: 'eager' })
  await server.held('logout')
  await server.release('logout')
  for (const tab of [first, second, third]) assert.equal((await tab.evaluate(() => call('/api/me'))).status, 401)
  await first.evaluate(() => signIn('alice'))
  const lines = await server.lines('/auth')
  assert.deepEqual(lines, ['POST /auth/logout 204', 'POST /auth/login 200'])
})

it('a worker works as a tab does', async (user) => {
  if (home === 'service-worker') throw new Lack('a second manager beside that of the service worker')
  const page = await user.signedIn()
  const answer = await page.evaluate(async () => {
    const worker = new Worker('/worker.js', { type: 'module' })
    const said = () =>
      new Promise((resolve, reject) =>
        Object.assign(worker, { onmessage: ({ data }) => resolve(data), onerror: reject }),
      )
    await said()
    worker.postMessage('/api/me')
    return said()
  })
  assert.deepEqual([answer.status, answer.body.name], [200, 'alice'])
  assert.equal((await server.counters()).reuses, 0)
})
