// No token and no password ever shows: not in the console, an event, an error, storage, a URL, nor on the manager itself.

import assert from 'node:assert/strict'
import { reload } from './support/browser.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world()

const WRONG = 'not-my-password'

/** Collects secrets as they pass, and everything visible of a page from outside. */
function watch(page) {
  const secrets = new Set(['wonderland', 'correct-horse', WRONG])
  const seen = []
  const reading = []
  page.on('console', (message) => seen.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => seen.push(`error: ${error.stack}`))
  page.on('request', (request) => seen.push(`URL: ${request.url()}`))
  page.on('response', (response) => {
    if (/\/auth\/(login|refresh)$/.test(response.url())) reading.push(read(response))
  })

  async function read(response) {
    const cookie = /__Host-refresh=([^;]+)/.exec(await response.headerValue('set-cookie'))?.[1]
    if (cookie) secrets.add(cookie)
    const text = await response.text()
    if (response.ok() && text.startsWith('{"')) {
      const token = /"access_token":"([^"]+)"/.exec(text)?.[1]
      // The payload is not secret, because it is the state's claims. The signature is.
      if (token) for (const secret of [token, token.split('.')[2]]) secrets.add(secret)
    }
  }
  return { secrets, seen, settled: () => Promise.all(reading) }
}

/** Everything visible of the page from inside. Runs there. */
async function look() {
  const found = []
  const known = new Set()
  const walk = (value, path) => {
    if (typeof value === 'string') return found.push(`${path}: ${value}`)
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || known.has(value)) return
    known.add(value)
    for (const key of Reflect.ownKeys(value)) {
      found.push(`${path}: ${String(key)}`)
      const { value: member } = Reflect.getOwnPropertyDescriptor(value, key)
      walk(member, `${path}.${String(key)}`)
    }
    if (value instanceof Map || value instanceof Set) for (const member of value) walk(member, `${path}()`)
    walk(Object.getPrototypeOf(value), `${path}.prototype`)
  }
  for (const error of errors) {
    found.push(`String: ${error}`, `JSON: ${JSON.stringify(error)}`, `stack: ${error.stack}`)
    walk(error, 'error')
  }
  walk(auth, 'auth')
  walk(auth.state, 'state')
  walk(shown, 'event')
  found.push(`JSON: ${JSON.stringify(shown)} ${JSON.stringify(auth)} ${JSON.stringify(auth.state)}`)
  for (const storage of [localStorage, sessionStorage]) found.push(`storage: ${JSON.stringify({ ...storage })}`)
  found.push(`databases: ${JSON.stringify(await indexedDB.databases())}`, `caches: ${await caches.keys()}`)
  found.push(
    `cookie: ${document.cookie}`,
    `name: ${window.name}`,
    `history: ${JSON.stringify(history.state)} ${location.href}`,
  )
  found.push(`locks: ${JSON.stringify(await navigator.locks.query())}`)
  found.push(`timing: ${JSON.stringify(performance.getEntries())}`)
  found.push(`document: ${document.documentElement.outerHTML}`)
  return found
}

/** Records every event with its details, and every error of a call. Runs in the page. */
function keep() {
  globalThis.errors = []
  globalThis.shown = []
  for (const type of ['change', 'refresh', 'signout', 'refresherror'])
    auth.addEventListener(type, (event) => {
      shown.push({ type: event.type, reason: event.reason, state: auth.state, event })
      if (event.error) errors.push(event.error)
    })
  globalThis.attempt = (promise) => promise.catch((error) => void errors.push(error))
}

it('a whole scenario with all its failures shows no secret anywhere', async (user) => {
  const page = await user.tab()
  const { secrets, seen, settled } = watch(page)
  await page.evaluate(keep)
  const attempt = (make) => page.evaluate(`attempt((${make})()).then(() => {})`)

  await page.evaluate((wrong) => attempt(auth.login('/auth/login', credentials('alice', wrong))), WRONG)
  await attempt(() => auth.login('/auth/login', credentials('alice')))
  await page.evaluate(() => calls(3))
  await server.revoke()
  await page.evaluate(() => calls(3))
  for (const refresh of ['down', 'html', 'broken', 'limited', 'reset']) {
    await server.faults({ refresh })
    await server.revoke()
    await attempt(() => auth.fetch('/api/me'))
    await attempt(() => auth.refresh())
  }
  await attempt(() => auth.getAccessToken())
  await attempt(() => auth.setTokens({ accessToken: 'not-my-password\n' }))
  await server.faults({ login: 'broken', logout: 'down' })
  await attempt(() => auth.login('/auth/login', credentials('admin')))
  await attempt(() => auth.logout('/auth/logout'))
  await server.faults()
  await attempt(() => auth.login('/auth/login', credentials('admin')))
  await attempt(() => auth.fetch('/api/admin'))
  await server.end()
  await attempt(() => auth.refresh())
  const inside = await page.evaluate(look)
  const count = await page.evaluate(() => errors.length)
  await reload(page)
  await page.evaluate(keep)
  await page.evaluate(() => call('/api/me'))
  await attempt(() => auth.login('/auth/login', credentials('alice')))
  await page.evaluate(() => auth.dispose())
  await attempt(() => auth.fetch('/api/me'))
  inside.push(...(await page.evaluate(look)))
  await settled()

  assert.ok(count >= 14, `${count} errors were looked at`)
  assert.ok(secrets.size >= 3 + 3 * 4, `${secrets.size} secrets were looked for`)
  for (const secret of secrets)
    for (const text of [...seen, ...inside]) {
      assert.ok(!text.includes(secret), `a secret shows in ${text.slice(0, text.indexOf(':'))}`)
    }
})

it('the mark of a pending logout contains its time and nothing else', async (user) => {
  const page = await user.signedIn()
  await server.faults({ logout: 'down' })
  await page.evaluate(() => outcome(auth.logout('/auth/logout?user=alice')))
  const [mark, ...others] = await page.evaluate(() => Object.entries(localStorage))
  assert.match(mark[0], /^tokenkeep \d+ [0-9a-f]{16} logout owed$/)
  // Without the option `logout` no later page can finish it.
  assert.match(mark[1], /^\d{13} untold$/)
  assert.deepEqual(others, [])
  await server.faults()
  await reload(page)
  await page.evaluate(() => signIn('alice'))
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), {}, 'and it goes')
})

it('the refresh token is in a cookie that no script sees', async (user) => {
  const page = await user.signedIn()
  assert.equal(await page.evaluate(() => document.cookie), '')
  const [cookie] = await user.context.cookies()
  assert.deepEqual(
    [cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path],
    ['__Host-refresh', true, true, 'Strict', '/'],
  )
})
