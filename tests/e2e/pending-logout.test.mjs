// A logout that has not reached the server: it is tried again with what it needs, and nobody is told that it is done before it is (rule 9).

import assert from 'node:assert/strict'
import { reloadLater, startBrowser } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { eachWithUser, startStrict } from './support/strict.mjs'
import { cut, json } from './support/stub.mjs'

const server = await startStrict()
const browser = await startBrowser()

const it = eachWithUser(server, browser)

const DOWN = { status: 503 }
const out = (page) => page.evaluate(() => outcome(auth.logout()))
const status = (page) => page.evaluate(() => auth.state.status)
const me = async (page) => (await page.evaluate(() => call('/api/who'))).body?.sub ?? null
const logouts = () => server.at('/auth/logout')

/** The server ends a session only by the access token in the logout. */
function endsByToken() {
  const ended = new Set()
  server.route('/auth/logout', (arrived) => {
    const who = server.who(arrived)
    if (!who) return json({ error: 'whose?' }, { status: 400 })
    ended.add(who.sub)
    return { status: 204 }
  })
  return ended
}

// Warnings in the page's console. A worker has its own console.
const CONSOLE = home ? 0 : 1

/** Runs in the page: records the console from now on. The next manager knows nothing, in a shared worker, too. */
function listenToConsole() {
  globalThis.later = crypto.randomUUID()
  globalThis.warned = []
  console.warn = (text) => warned.push(text)
}

/** The contents of the page's storage, and the marks that a service worker keeps. */
const stored = (page) =>
  page.evaluate(async () => {
    const entries = Object.entries(localStorage).concat(Object.entries(sessionStorage))
    const done = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name))
      const store = database.transaction('marks').objectStore('marks')
      const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())])
      // It also remembers which endpoints have answered a login.
      keys.forEach((key, i) => key.startsWith('login ') || entries.push([key, values[i]]))
      database.close()
    }
    return entries.flat().join('\n')
  })

/** It contains no URL, token or user. */
async function hasNoSecret(page, ...secrets) {
  const text = await stored(page)
  for (const secret of ['http', '/auth', 'logout?', 'Bearer', 'eyJ', 'alice', ...secrets])
    assert.ok(!text.includes(secret), `${secret} in ${text}`)
  return text
}

const BY_TOKEN = { logout: { url: '/auth/logout', send: 'access' } }

for (const [what, answer] of [
  ['503', DOWN],
  ['a cut connection', cut],
]) {
  it(`a logout that sends the token, first answered by ${what}: the second carries it, too`, async (user) => {
    const page = await user.signedIn(BY_TOKEN)
    server.route('/auth/logout', () => answer)
    const { error } = await out(page)
    assert.equal(error.retryable, true)
    assert.equal(await status(page), 'signed-out')
    assert.equal((await out(page)).error.retryable, true)
    const ended = endsByToken()
    assert.equal((await out(page)).error, undefined)
    assert.deepEqual([...ended], ['alice'])
    const sent = logouts().map(({ headers }) => headers.authorization)
    // A browser may repeat a cut connection once by itself.
    assert.equal(new Set(sent).size, 1)
    assert.match(sent[0], /^Bearer ey/)
    assert.equal(await me(page), null)
  })
}

it('the refresh token in memory is also sent the second time', async (user) => {
  const options = {
    refreshToken: { json: 'refresh_token' },
    logout: { url: '/auth/logout', send: 'refresh' },
    tabs: 'off',
  }
  const page = await user.tab(options)
  const { access_token } = JSON.parse(server.grant({ sub: 'alice' }).body)
  await page.evaluate((accessToken) => auth.setTokens({ accessToken, refreshToken: 'the-refresh-token' }), access_token)
  server.route('/auth/logout', () => (logouts().length === 1 ? DOWN : { status: 204 }))
  await out(page)
  await hasNoSecret(page, 'the-refresh-token')
  assert.equal((await out(page)).error, undefined)
  assert.deepEqual(
    logouts().map(({ body }) => JSON.parse(body).refresh_token),
    ['the-refresh-token', 'the-refresh-token'],
  )
})

it("a confirmed logout leaves nothing behind: the next one is the next user's", async (user) => {
  const page = await user.signedIn(BY_TOKEN)
  server.route('/auth/logout', () => DOWN)
  await out(page)
  await page.evaluate(() => signIn('bob', 'x'))
  const ended = endsByToken()
  assert.equal((await out(page)).error, undefined)
  assert.deepEqual([...ended], ['bob'], "alice's is not bob's")
  const before = logouts().length
  await out(page)
  assert.deepEqual(
    logouts()
      .slice(before)
      .map(({ headers }) => headers.authorization),
    [undefined],
    'nothing is left to be sent',
  )
})

it('after a reload a logout that needs the token cannot be finished: the console says so, and nobody is signed in', async (user) => {
  const page = await user.signedIn(BY_TOKEN)
  server.route('/auth/logout', () => DOWN)
  await out(page)
  assert.notEqual(await hasNoSecret(page), '', 'the mark')
  await page.reload()
  await page.evaluate(listenToConsole)
  await page.evaluate((options) => start(options), BY_TOKEN)
  const warned = await page.evaluate(() => warned)
  assert.equal(warned.length, CONSOLE)
  for (const text of warned) assert.match(text, /server was not told of the last logout/)
  assert.equal(await status(page), 'signed-out')
  assert.equal(await me(page), null)
  assert.equal(server.at('/auth/refresh').length, 0, 'what the user has left is not restored')
  assert.equal(logouts().length, 1, 'without the token it would be a lie')
})

it('the same in a tab that starts meanwhile', async (user) => {
  const page = await user.signedIn(BY_TOKEN)
  server.route('/auth/logout', () => DOWN)
  await out(page)
  const second = await user.tab(BY_TOKEN)
  assert.equal(await status(second), 'signed-out')
  assert.equal(await me(second), null)
  assert.equal(server.at('/auth/refresh').length, 0)
})

it('a login ends that: no more warnings, and the session is restored', async (user) => {
  const page = await user.signedIn(BY_TOKEN)
  server.route('/auth/logout', () => DOWN)
  await out(page)
  await reloadLater(page, BY_TOKEN)
  await page.evaluate(() => signIn('bob', 'x'))
  assert.equal(await me(page), 'bob')
  assert.equal(await stored(page), '')
  await page.reload()
  await page.evaluate(listenToConsole)
  await page.evaluate((options) => start(options), BY_TOKEN)
  assert.deepEqual(await page.evaluate(() => warned), [])
  assert.equal(await me(page), 'bob')
})

it("a failed call of the app's own cannot be repeated by a later page without the option: the console says so", async (user) => {
  const page = await user.signedIn()
  server.route('/auth/logout', () => DOWN)
  await page.evaluate(() =>
    outcome(auth.logout('/auth/logout?token=of-the-app', { headers: { 'x-secret': 'of-the-app' } })),
  )
  await hasNoSecret(page, 'of-the-app')
  await page.reload()
  await page.evaluate(listenToConsole)
  await page.evaluate(() => start())
  assert.equal((await page.evaluate(() => warned)).length, CONSOLE)
  assert.equal(await me(page), null)
  assert.equal(logouts().length, 1)
})

it('with a cookie the next page finishes it by the option, wherever the first was sent', async (user) => {
  const options = { logout: '/auth/logout?by=option' }
  const page = await user.signedIn(options)
  server.route('/auth/logout', () => DOWN)
  await page.evaluate(() => outcome(auth.logout('/auth/logout?by=app')))
  await hasNoSecret(page)
  server.route('/auth/logout', (arrived) => (server.end(arrived), { status: 204 }))
  const finishing = server.hold('/auth/logout')
  await reloadLater(page, options)
  await finishing.arrived()
  assert.equal(await me(page), null)
  assert.notEqual(await stored(page), '', 'the mark, until the server has answered')
  finishing.release()
  while (await stored(page));
  assert.equal(await me(page), null)
  assert.deepEqual(
    logouts().map(({ query }) => query.get('by')),
    ['app', 'option'],
  )
})

it('a forged mark calls no URL, and ends a session only by the option', async (user) => {
  const page = await user.signedIn({ logout: '/auth/logout' })
  server.route('/auth/logout', () => DOWN)
  await out(page)
  server.route('/auth/logout', (arrived) => (server.end(arrived), { status: 204 }))
  server.route('/evil', () => ({ status: 204 }))
  for (const forged of ['/evil', 'POST /evil', JSON.stringify({ url: '/evil', method: 'POST' }), '-1', '1e400', '']) {
    await page.evaluate((forged) => {
      for (const key of Object.keys(localStorage)) localStorage.setItem(key, forged)
    }, forged)
    await reloadLater(page, { logout: '/auth/logout' })
    await me(page)
  }
  assert.equal(server.at('/evil').length, 0)
})
