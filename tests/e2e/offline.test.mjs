// Calls while the refresh does not reach the server: which are sent without a token, and what the caller gets (rule 8).

import assert from 'node:assert/strict'
import { reload, startBrowser } from './support/browser.mjs'
import { Lack } from './support/lack.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { cut, json, refused } from './support/stub.mjs'

// Answers the API from its cache when there is no network.
const WORKER = `
addEventListener('install', () => skipWaiting())
addEventListener('activate', (event) => event.waitUntil(clients.claim()))
addEventListener('fetch', (event) => {
  const { pathname } = new URL(event.request.url)
  if (event.request.method !== 'GET' || !pathname.startsWith('/api/')) return
  event.respondWith((async () => {
    const cache = await caches.open('v1')
    try {
      const answer = await fetch(event.request)
      if (answer.ok) await cache.put(pathname, answer.clone())
      return answer
    } catch (error) {
      const kept = await cache.match(pathname)
      if (kept) return kept
      throw error
    }
  })())
})`

const server = await startStrict()
const browser = await startBrowser()
const UNREACHED = { code: 'network', retryable: true }
const DOWN = { code: 'bad-status', retryable: true, status: 503 }
const tokens = (path) => server.at(path).map(({ headers }) => headers.authorization ?? null)

const it = eachWithUser(server, browser, () => {
  // Service workers belong to an origin, so each user gets its own.
  server.route('/worker-of-the-app.js', () => ({ type: 'text/javascript', body: WORKER }))
})

/** The server stops answering; pages still load. */
function hangUp(...paths) {
  for (const path of paths.length ? paths : ['/auth/refresh', '/api/']) server.route(path, () => cut)
}

/** The platform reports, in this page, that there is no network. */
const goesOffline = (page) => page.evaluate(() => void Object.defineProperty(navigator, 'onLine', { get: () => false }))

/** A tab whose app has an active service worker. */
async function installed(user, options) {
  const page = await user.blank()
  const has = await page.evaluate(async () => {
    try {
      if (!navigator.serviceWorker) return 'no service workers'
      const changed = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve))
      await navigator.serviceWorker.register('/worker-of-the-app.js')
      await navigator.serviceWorker.ready
      if (!navigator.serviceWorker.controller) await changed
      await caches.open('v1')
    } catch (error) {
      return String(error)
    }
  })
  if (has) throw new Lack(`service workers (${has})`)
  await page.evaluate((options) => start(options), options)
  await page.evaluate(() => auth.login('/auth/login', credentials('alice')))
  return page
}

it('an installed app that is opened without a network gets what its service worker has cached', async (user) => {
  const page = await installed(user)
  assert.equal((await page.evaluate(() => call('/api/notes'))).status, 200)
  hangUp()
  await reload(page)
  const { status, body } = await page.evaluate(() => call('/api/notes'))
  assert.deepEqual([status, body.sub], [200, 'alice'])
  assert.equal(await page.evaluate(() => auth.state.status), 'unknown', 'nobody has said that the session is over')
  // Uncached calls and writes get the refresh's error, which is retryable.
  assert.deepEqual((await page.evaluate(() => call('/api/other'))).error, UNREACHED)
  assert.deepEqual((await page.evaluate(() => call('/api/notes', { method: 'POST', body: 'x' }))).error, UNREACHED)
  assert.equal(server.at('/api/notes').filter(({ method }) => method === 'POST').length, 0)
})

it('back online, the same page continues with a token', async (user) => {
  const page = await installed(user)
  await page.evaluate(() => call('/api/notes'))
  hangUp('/auth/refresh')
  server.route('/api/notes', () => cut)
  await reload(page)
  assert.equal((await page.evaluate(() => call('/api/notes'))).status, 200)
  server.route('/auth/refresh', (arrived) => server.grant({ sub: 'alice' }, server.session(arrived, { sub: 'alice' })))
  server.route('/api/notes', (arrived) => (server.who(arrived) ? json({ is: 'new' }) : refused()))
  await page.evaluate(() => auth.refresh())
  assert.deepEqual((await page.evaluate(() => call('/api/notes'))).body, { is: 'new' })
})

it('with offline: reject the service worker is not asked', async (user) => {
  const page = await installed(user, { offline: 'reject' })
  await page.evaluate(() => call('/api/notes'))
  hangUp()
  await reload(page, { offline: 'reject' })
  await goesOffline(page)
  assert.deepEqual((await page.evaluate(() => call('/api/notes'))).error, UNREACHED)
})

it("without a service worker a call does not wait for a network: it gets the refresh's error, and nothing is sent", async (user) => {
  const page = await user.signedIn()
  hangUp('/auth/refresh')
  await reload(page)
  await goesOffline(page)
  assert.deepEqual((await page.evaluate(() => call('/api/notes'))).error, UNREACHED)
  assert.deepEqual(tokens('/api/notes'), [])
})

it('with offline: send, only safe calls are sent without a token', async (user) => {
  const page = await user.signedIn({ offline: 'send' })
  server.route('/api/news', (arrived) => json({ for: server.who(arrived)?.sub ?? 'everybody' }))
  hangUp('/auth/refresh')
  await reload(page, { offline: 'send' })
  for (const method of ['GET', 'HEAD']) {
    const { status, body } = await page.evaluate((method) => call('/api/news', { method }), method)
    assert.deepEqual([status, body], [200, method === 'GET' ? { for: 'everybody' } : ''])
  }
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    assert.deepEqual(
      (await page.evaluate((method) => call('/api/news', { method, body: 'x' }), method)).error,
      UNREACHED,
      method,
    )
  }
  assert.deepEqual(server.lines('/api/news'), ['GET /api/news', 'HEAD /api/news'])
  assert.deepEqual(tokens('/api/news'), [null, null])
})

it('with offline: send, a refresh endpoint that answers 503 counts as unreached, too', async (user) => {
  const page = await user.signedIn({ offline: 'send' })
  server.route('/api/news', () => json({}))
  server.route('/auth/refresh', () => ({ status: 503 }))
  await reload(page, { offline: 'send' })
  assert.equal((await page.evaluate(() => call('/api/news'))).status, 200)
  assert.deepEqual((await page.evaluate(() => call('/api/news', { method: 'POST' }))).error, DOWN)
})

it("a refused call without a token gets the refresh's error: the refusal says nothing about the session", async (user) => {
  const page = await user.signedIn({ offline: 'send' })
  server.route('/auth/refresh', () => ({ status: 503 }))
  await reload(page, { offline: 'send' })
  assert.deepEqual((await page.evaluate(() => call('/api/notes'))).error, DOWN)
  assert.deepEqual(tokens('/api/notes'), [null])
  assert.equal(await page.evaluate(() => auth.state.status), 'unknown')
  assert.deepEqual(await page.evaluate(() => told()), ['refresherror bad-status'])
  // If the call without a token reaches no server, it is the same error.
  hangUp('/api/')
  assert.deepEqual((await page.evaluate(() => call('/api/notes'))).error, DOWN)
})

it('a call that was already refused is not sent again without a token', async (user) => {
  const page = await user.signedIn({ offline: 'send' })
  server.revoke()
  server.route('/auth/refresh', () => ({ status: 503 }))
  assert.deepEqual((await page.evaluate(() => call('/api/notes'))).error, DOWN)
  assert.equal(tokens('/api/notes').length, 1)
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
})

it('a refused refresh is no outage: nobody is signed in, and the call is sent as usual', async (user) => {
  const page = await user.tab({ offline: 'reject' })
  assert.equal((await page.evaluate(() => call('/api/notes'))).status, 401)
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
})
