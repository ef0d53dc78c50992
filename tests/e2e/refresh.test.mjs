// One refresh for all callers that need it, and none for the others (rules 3 to 5).

import assert from 'node:assert/strict'
import { nothing } from './pages/deeds.js'
import { reloadLater } from './support/browser.mjs'
import { inHome } from './support/home.mjs'
import { CONNECTIONS, world } from './support/world.mjs'

const { server, it } = await world()

it('fifty refused calls cost one refresh, and each is sent once more', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  // No call is answered before all have been sent, wherever the manager lives.
  await server.faults({ api: 'hold' })
  await page.evaluate(() => void (globalThis.all = calls(50)))
  await server.held('api', CONNECTIONS)
  await inHome(page, nothing)
  await server.faults()
  await server.release('api')
  assert.deepEqual(
    await page.evaluate(() => all),
    Array.from({ length: 50 }, (_, n) => ({ status: 200, body: { n } })),
  )
  const { refreshes, reuses, api_ok, api_401 } = await server.counters()
  assert.deepEqual({ refreshes, reuses, api_ok, api_401 }, { refreshes: 1, reuses: 0, api_ok: 50, api_401: 50 })
  assert.equal((await server.lines('/api/items/49')).length, 2)
  assert.deepEqual(await page.evaluate(() => told()), ['refresh'])
})

it('a late 401 for an older token causes no refresh', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ api: 'hold' })
  await page.evaluate(() => void (globalThis.late = call('/api/items/1')))
  await server.held('api')
  await server.faults()
  assert.equal((await page.evaluate(() => call('/api/items/2'))).status, 200)
  await server.release('api')
  assert.deepEqual(await page.evaluate(() => late), { status: 200, body: { n: 1 } })
  assert.equal(await server.refreshes(), 1)
})

it('no call is sent with a token that was just refused', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.first = call('/api/items/1')))
  await server.held('refresh')
  await page.evaluate(() => void (globalThis.second = call('/api/items/2')))
  await server.release('refresh')
  assert.equal((await page.evaluate(() => first)).status, 200)
  assert.equal((await page.evaluate(() => second)).status, 200)
  assert.deepEqual(await server.lines('/api/items/2'), ['GET /api/items/2 200'])
})

it('refresh() joins a pending refresh', async (user) => {
  const page = await user.signedIn()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.both = Promise.all([auth.refresh(), auth.refresh()])))
  await server.held('refresh')
  await page.evaluate(() => void (globalThis.third = auth.refresh()))
  await inHome(page, nothing)
  await server.release('refresh')
  await page.evaluate(() => Promise.all([both, third]))
  assert.equal(await server.refreshes(), 1)
})

it('a token near its end is renewed before the request', async (user) => {
  const page = await user.signedIn({}, (page) => page.clock.install())
  await page.clock.fastForward('04:45')
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.deepEqual(await server.lines(), ['POST /auth/login 200', 'POST /auth/refresh 200', 'GET /api/me 200'])
})

it('a used token is renewed in time, even without a call, and an unused one is not', async (user) => {
  // By default a service worker uses the token for the page's own requests, too.
  const page = await user.signedIn({ apis: ['/api'] }, (page) => page.clock.install())
  await page.evaluate(() => call('/api/me'))
  await page.clock.fastForward('04:55')
  await page.evaluate(() => heard('refresh'))
  await page.clock.fastForward('04:55')
  await page.evaluate(() => fetch('/healthz').then(() => fetch('/healthz')))
  assert.equal(await server.refreshes(), 1)
})

it('refreshBefore sets the margin', async (user) => {
  const page = await user.signedIn({ refreshBefore: 120_000 }, (page) => page.clock.install())
  await page.clock.fastForward('02:55')
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.equal(await server.refreshes(), 0)
  await page.clock.fastForward('00:10')
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.equal(await server.refreshes(), 1)
})

it('after a reload the first call refreshes, and none is sent without a token', async (user) => {
  const page = await user.signedIn()
  await reloadLater(page)
  assert.equal(await page.evaluate(() => auth.state.status), 'unknown')
  const answers = await page.evaluate(() => calls(5))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
  assert.equal(await page.evaluate(() => auth.state.claims.sub), 'alice')
  const { refreshes, api_401 } = await server.counters()
  assert.deepEqual({ refreshes, api_401 }, { refreshes: 1, api_401: 0 })
})

it('restore: eager refreshes at once, without a call', async (user) => {
  const page = await user.signedIn()
  await reloadLater(page, { restore: 'eager' })
  await page.evaluate(() => until(({ status }) => status === 'signed-in'))
  assert.equal(await server.refreshes(), 1)
})

it('restore: manual refreshes only when told to', async (user) => {
  const page = await user.signedIn()
  await reloadLater(page, { restore: 'manual' })
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 401)
  assert.equal(await server.refreshes(), 0)
  await page.evaluate(() => auth.refresh())
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
})

it("without a session the first call refreshes once, then calls are sent without a token and get the API's own 401", async (user) => {
  const page = await user.tab()
  const answers = await page.evaluate(async () => [await call('/api/me'), await call('/api/me')])
  for (const { status, body } of answers) assert.deepEqual([status, typeof body.error], [401, 'string'])
  assert.equal(await server.refreshes(), 1)
  assert.deepEqual(
    (await server.log('/api')).map(({ token }) => token),
    [null, null],
  )
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
  assert.deepEqual(await page.evaluate(() => told()), [], 'nobody was signed in who could be signed out')
})

it('insufficient_scope, which no new token cures, goes to the caller', async (user) => {
  const page = await user.signedIn()
  const { status, challenge, body } = await page.evaluate(async () => {
    const response = await auth.fetch('/api/admin')
    return { status: response.status, challenge: response.headers.get('www-authenticate'), body: await response.json() }
  })
  assert.equal(status, 403)
  assert.match(challenge, /insufficient_scope/)
  assert.equal(body.error, 'insufficient_scope')
  assert.equal(await server.refreshes(), 0)
})
