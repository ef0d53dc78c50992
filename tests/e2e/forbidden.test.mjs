// Endpoints that answer 401 where they mean "forbidden", rate limits on the refresh, and network failures: the rest of the app works on
// (rule 4).

import assert from 'node:assert/strict'
import { stopClocks } from './pages/time.js'
import { startBrowser, User } from './support/browser.mjs'
import { hasToken, prepareHome, takeTimeOfHome } from './support/home.mjs'
import { check } from './support/lack.mjs'
import { startStrict } from './support/strict.mjs'
import { cut, json, refused } from './support/stub.mjs'

const server = await startStrict()
const browser = await startBrowser()

function it(name, body, options, prepare) {
  check(name, async (t) => {
    server.reset()
    server.route('/api/stats', () => refused())
    const user = await User.visits(t, browser, server.origin)
    const page = await user.blank()
    await prepare?.(page)
    await page.evaluate((options) => start(options), options)
    await page.evaluate(() => signIn('alice', 'x'))
    await body(page, user)
  })
}

const refreshes = () => server.at('/auth/refresh').length
/** The outcomes of calls in sequence. */
const ends = (page, ...paths) =>
  page.evaluate(async (paths) => {
    const ends = []
    for (const path of paths) {
      const { status, error } = await call(path)
      ends.push(status ?? error.code)
    }
    return ends
  }, paths)
/** A dashboard polls a widget that is refused, and one that is not, at the same time. */
const polls = (page, count) =>
  page.evaluate(async (count) => {
    const ends = []
    for (let n = 0; n < count; n++) {
      const both = await Promise.all([call('/api/stats'), call(`/api/orders/${n}`)])
      ends.push(both.map(({ status, error }) => status ?? error.code).join(' '))
    }
    return ends
  }, count)

const LIMITED = json({ error: 'slow down' }, { status: 429, 'retry-after': '60' })
const OUTAGES = { 'a limit on the refresh': LIMITED, 'no network': cut, 'a server that is down': { status: 503 } }

it('an endpoint that refuses each token costs one refresh, and its 401s go to the caller', async (page) => {
  assert.deepEqual(await polls(page, 8), Array(8).fill('401 200'))
  assert.equal(refreshes(), 1)
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
  const { status, body } = await page.evaluate(() => call('/api/stats'))
  assert.deepEqual([status, body], [401, { error: "the API's own" }])
})

for (const [what, answer] of Object.entries(OUTAGES)) {
  it(`${what}, once the endpoint is known: the rest of the app works on`, async (page) => {
    await polls(page, 2)
    server.route('/auth/refresh', () => answer)
    assert.deepEqual(await polls(page, 6), Array(6).fill('401 200'))
    assert.equal(refreshes(), 1)
  })

  it(
    `${what} from the start: the rest of the app works on`,
    async (page) => {
      server.route('/auth/refresh', () => answer)
      const seen = await polls(page, 6)
      assert.deepEqual(
        seen.map((both) => both.split(' ')[1]),
        Array(6).fill('200'),
        seen.join(),
      )
      // A browser may repeat a cut connection once by itself.
      if (answer !== cut) assert.equal(refreshes(), 1)
      assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
    },
    {},
    (page) => prepareHome(page, stopClocks),
  )
}

it(
  'a body rule that says "unauthorized" is treated the same',
  async (page) => {
    server.route('/api/stats', () => json({ code: 40101 }))
    server.route('/auth/refresh', (arrived) => {
      const of = refreshes() < 3 && server.rotate(arrived)
      return of ? server.grant(of, server.session(arrived, of)) : LIMITED
    })
    assert.deepEqual(await polls(page, 6), Array(6).fill('200 200'))
    assert.deepEqual((await page.evaluate(() => call('/api/stats'))).body, { code: 40101 })
    assert.equal(refreshes(), 1)
  },
  { unauthorized: [{ status: 401 }, { body: { path: 'code', equals: 40101 } }] },
)

it('two endpoints that refuse in turn do not cause endless refreshes', async (page) => {
  server.route('/api/more', () => refused())
  const seen = await ends(page, ...Array(8).fill(['/api/stats', '/api/more', '/api/orders']).flat())
  assert.deepEqual(seen, Array(8).fill([401, 401, 200]).flat())
  assert.ok(refreshes() <= 2, `${refreshes()} refreshes`)
})

it('ten endpoints that refuse at once cause few refreshes', async (page) => {
  const paths = Array.from({ length: 10 }, (_, n) => `/api/closed/${n}`)
  server.route('/api/closed/', () => refused())
  for (let round = 0; round < 3; round++) {
    const seen = await page.evaluate((paths) => Promise.all(paths.map((path) => call(path))), paths)
    assert.deepEqual(
      seen.map(({ status }) => status),
      Array(10).fill(401),
    )
  }
  assert.ok(refreshes() <= 2, `${refreshes()} refreshes`)
  assert.deepEqual(await ends(page, '/api/orders'), [200])
})

it('forbidden for one method is not forbidden for another, and a query makes no other endpoint', async (page) => {
  server.route('/api/item', (arrived) =>
    arrived.method === 'DELETE' ? refused() : server.who(arrived) ? json({}) : refused(),
  )
  const method = (method, query = '') =>
    page.evaluate(async ([method, query]) => (await call(`/api/item${query}`, { method })).status, [method, query])
  for (let n = 0; n < 4; n++) assert.deepEqual([await method('DELETE', `?${n}`), await method('GET')], [401, 200])
  assert.equal(refreshes(), 1)
  server.revoke()
  assert.equal(await method('GET'), 200, 'its own expiry is one still')
  assert.equal(refreshes(), 2)
})

it('an endpoint that accepts a token again is called like any other', async (page) => {
  await polls(page, 3)
  server.route('/api/stats', (arrived) => (server.who(arrived) ? json({}) : refused()))
  assert.deepEqual(await ends(page, '/api/stats'), [200])
  const before = refreshes()
  server.revoke()
  assert.deepEqual(await ends(page, '/api/stats', '/api/orders'), [200, 200])
  assert.equal(refreshes() - before, 1)
})

it(
  'rights that come with a new token are found, because another refresh is tried after a while',
  async (page) => {
    let isAdmin = false
    server.route('/api/stats', (arrived) => (server.who(arrived)?.admin ? json({}) : refused()))
    server.route('/auth/refresh', (arrived) => {
      const of = server.rotate(arrived)
      return server.grant({ ...of, admin: isAdmin }, server.session(arrived, of))
    })
    assert.deepEqual(await ends(page, '/api/stats', '/api/stats', '/api/orders'), [401, 401, 200])
    isAdmin = true
    // A minute later there is a newer token, for whatever reason.
    await page.evaluate(() => time.skip(61_000))
    await page.evaluate(() => auth.refresh())
    assert.deepEqual(await ends(page, '/api/stats'), [200])
  },
  { tabs: 'off' },
  takeTimeOfHome,
)

it('after a login as another user, endpoints forbidden to the former user are tried again', async (page) => {
  server.route('/api/stats', (arrived) => (server.who(arrived)?.sub === 'admin' ? json({}) : refused()))
  await polls(page, 2)
  await page.evaluate(() => signIn('admin', 'x'))
  server.revoke()
  assert.deepEqual(await ends(page, '/api/stats'), [200])
  assert.equal(refreshes(), 2)
})

it('a real revocation costs one refresh for everybody, also among forbidden endpoints', async (page) => {
  await polls(page, 2)
  const before = refreshes()
  for (let round = 1; round <= 3; round++) {
    server.revoke()
    const seen = await page.evaluate(async () =>
      (await Promise.all([...Array.from({ length: 6 }, (_, n) => call(`/api/orders/${n}`)), call('/api/stats')])).map(
        ({ status }) => status,
      ),
    )
    assert.deepEqual(seen, [...Array(6).fill(200), 401])
    assert.equal(refreshes() - before, round)
  }
  assert.equal(server.reuses, 0)
})

it('a token that no endpoint accepts ends the session if the server refuses the refresh', async (page) => {
  server.revoke()
  server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 400 }))
  assert.deepEqual(await ends(page, '/api/orders'), [401])
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
})

it('a forbidden endpoint in one tab does not affect the other tabs', async (page, user) => {
  const second = await user.tab()
  await hasToken(second)
  server.route('/auth/refresh', () => LIMITED)
  await polls(page, 3)
  assert.deepEqual(await ends(second, '/api/orders', '/api/orders'), [200, 200])
  assert.deepEqual(await ends(page, '/api/orders'), [200])
})
