// Login, logout, and their effect on pending calls (rule 9).

import assert from 'node:assert/strict'
import { nothing } from './pages/deeds.js'
import { reloadLater } from './support/browser.mjs'
import { inHome } from './support/home.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world()

const state = (page) => page.evaluate(() => auth.state)
const SIGNED_OUT = { status: 'signed-out', claims: null, expiresAt: null, sessionExpiresAt: null }

/** After a reload the server has been asked, and there is no session. */
async function staysOut(page, options) {
  await reloadLater(page, options)
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 401)
  assert.deepEqual(await state(page), SIGNED_OUT)
}

it('login resolves to the rest of the answer, without the token', async (user) => {
  const page = await user.tab()
  const { value } = await page.evaluate(() => signIn('alice'))
  assert.deepEqual(value, { token_type: 'Bearer', expires_in: 300, user: { name: 'alice', roles: ['user'] } })
  const { status, claims, expiresAt } = await state(page)
  assert.deepEqual([status, claims.sub], ['signed-in', 'alice'])
  assert.ok(Math.abs(expiresAt - Date.now() - 300_000) < 30_000)
})

it('login takes a form, a query, JSON, and a Request', async (user) => {
  const page = await user.tab()
  const names = await page.evaluate(async () => {
    const form = new FormData()
    form.append('username', 'alice')
    form.append('password', 'wonderland')
    const text = JSON.stringify({ username: 'alice', password: 'wonderland' })
    const headers = { 'Content-Type': 'application/json' }
    const all = [
      ['/auth/login', { body: form }],
      ['/auth/login', credentials('alice')],
      ['/auth/login', { body: text, headers }],
      [new Request('/auth/login', { method: 'POST', body: text, headers })],
    ]
    const names = []
    for (const args of all) names.push((await auth.login(...args)).user.name)
    return names
  })
  assert.deepEqual(names, ['alice', 'alice', 'alice', 'alice'])
})

it('a wrong password is "rejected", with the server\'s message, and causes no refresh', async (user) => {
  const page = await user.tab()
  const { error, words } = await page.evaluate(async () => {
    const error = await auth.login('/auth/login', credentials('alice', 'wrong')).catch((error) => error)
    return { error: { ...error }, words: (await error.cause.json()).error }
  })
  assert.deepEqual(error, { code: 'rejected', retryable: false, status: 401 })
  assert.equal(words, 'invalid_credentials')
  assert.deepEqual(await server.lines(), ['POST /auth/login 401'])
})

it('a wrong password keeps the current session', async (user) => {
  const page = await user.signedIn()
  await page.evaluate(() => signIn('admin', 'wrong'))
  assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'alice')
})

it('a login that fails or is rate-limited is retryable', async (user) => {
  const page = await user.tab()
  for (const [fault, error] of [
    ['down', { code: 'bad-status', retryable: true, status: 503 }],
    ['limited', { code: 'bad-status', retryable: true, status: 429 }],
    ['html', { code: 'bad-answer', retryable: true, status: 200 }],
    ['reset', { code: 'network', retryable: true }],
  ]) {
    await server.faults({ login: fault })
    assert.deepEqual(await page.evaluate(() => signIn('alice')), { error }, String(fault))
  }
})

it('logout takes effect at once, and tells the server', async (user) => {
  const page = await user.signedIn()
  const [before, after] = await page.evaluate(async () => {
    const before = ((globalThis.done = auth.logout('/auth/logout')), auth.state)
    await done
    return [before, auth.state]
  })
  assert.deepEqual([before, after], [SIGNED_OUT, SIGNED_OUT])
  assert.deepEqual(await page.evaluate(() => told()), ['signout logout'])
  assert.equal((await server.counters()).logouts, 1)
  await staysOut(page)
})

it('logout without arguments uses the option, or just ends the session here if there is none', async (user) => {
  const page = await user.signedIn({ logout: '/auth/logout' })
  await page.evaluate(() => auth.logout())
  assert.equal((await server.counters()).logouts, 1)
  const other = await user.signedIn()
  await other.evaluate(() => auth.logout())
  assert.deepEqual(await state(other), SIGNED_OUT)
  assert.equal((await server.counters()).logouts, 1)
})

it('a logout during a refresh on the wire stays signed out', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.waiting = call('/api/me')))
  await server.held('refresh')
  await page.evaluate(() => void (globalThis.out = outcome(auth.logout('/auth/logout'))))
  assert.deepEqual(await state(page), SIGNED_OUT)
  assert.equal((await page.evaluate(() => waiting)).status, 401, 'its own answer, before the refresh is back')
  await page.evaluate(() => fetch('/healthz').then(() => {}))
  assert.deepEqual(await server.lines('/auth/logout'), [], 'not before the refresh is back')
  await server.release('refresh')
  assert.deepEqual(await page.evaluate(() => out), { value: undefined })
  assert.deepEqual(await state(page), SIGNED_OUT)
  assert.deepEqual(await page.evaluate(() => told()), ['signout logout'])
  assert.deepEqual((await server.lines()).slice(-2), ['POST /auth/refresh 200', 'POST /auth/logout 204'])
  await server.faults()
  await staysOut(page)
})

it('a call that waits for its first sending is not sent after a logout', async (user) => {
  const page = await user.signedIn()
  await reloadLater(page)
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.waiting = call('/api/me')))
  await server.held('refresh')
  await page.evaluate(() => void (globalThis.out = auth.logout('/auth/logout')))
  assert.deepEqual(await page.evaluate(() => waiting), { error: { code: 'session-changed', retryable: false } })
  await server.release('refresh')
  await page.evaluate(() => out)
  assert.deepEqual(await server.lines('/api'), [])
})

it('a 401 that arrives after the logout refreshes nothing', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ api: 'hold' })
  await page.evaluate(() => void (globalThis.late = call('/api/me')))
  await server.held('api')
  await page.evaluate(() => auth.logout('/auth/logout'))
  await server.release('api')
  assert.equal((await page.evaluate(() => late)).status, 401)
  assert.equal(await server.refreshes(), 0)
})

it('a logout during a login stays signed out', async (user) => {
  const page = await user.tab()
  await server.faults({ login: 'hold' })
  await page.evaluate(() => void (globalThis.login = signIn('alice')))
  await server.held('login')
  await page.evaluate(() => void (globalThis.out = auth.logout('/auth/logout')))
  await inHome(page, nothing)
  await server.release('login')
  assert.deepEqual(await page.evaluate(() => login), { error: { code: 'session-changed', retryable: false } })
  await page.evaluate(() => out)
  assert.deepEqual(await server.lines(), ['POST /auth/login 200', 'POST /auth/logout 204'])
  await staysOut(page)
})

it('a login during a logout follows it, and is signed in', async (user) => {
  const page = await user.signedIn()
  await server.faults({ logout: 'hold' })
  await page.evaluate(() => void (globalThis.out = auth.logout('/auth/logout')))
  await server.held('logout')
  await page.evaluate(() => void (globalThis.login = signIn('admin')))
  await server.release('logout')
  await page.evaluate(() => Promise.all([out, login]))
  assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'admin')
  await reloadLater(page)
  assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'admin')
})

for (const [fault, code] of [
  ['reset', 'network'],
  ['down', 'bad-status'],
]) {
  for (const options of [{}, { logout: '/auth/logout' }]) {
    const target = options.logout ? "the option's" : "the caller's"
    const becomes = options.logout
      ? 'is finished before anything is restored'
      : 'keeps the next page from restoring anything'
    it(`a logout at ${target} address that is ${fault} rejects, ends the session, and ${becomes}`, async (user) => {
      const page = await user.signedIn(options)
      await server.faults({ logout: fault })
      const { error } = await page.evaluate(
        (url) => outcome(auth.logout(url)),
        options.logout ? undefined : '/auth/logout',
      )
      assert.deepEqual([error.code, error.retryable], [code, true])
      assert.deepEqual(await state(page), SIGNED_OUT)
      assert.equal((await page.evaluate(() => call('/api/me'))).status, 401)
      assert.equal(await server.refreshes(), 0)

      await server.reset()
      await reloadLater(page, { ...options, restore: 'eager' })
      assert.deepEqual(await state(page), SIGNED_OUT, 'from the first moment')
      assert.equal((await page.evaluate(() => call('/api/me'))).status, 401)
      await page.evaluate(() => auth.login('/auth/login', credentials('admin')))
      const lines = await server.lines('/auth')
      const finished = options.logout ? ['POST /auth/logout 204'] : []
      assert.deepEqual(lines, [...finished, 'POST /auth/login 200'], 'each once, and no refresh')
      await reloadLater(page, options)
      assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'admin', 'the debt is paid once')
    })
  }
}

it('a logout that fails again stays pending', async (user) => {
  const options = { logout: '/auth/logout' }
  const page = await user.signedIn(options)
  await server.faults({ logout: 'down' })
  await page.evaluate(() => outcome(auth.logout()))
  await server.reset()
  await server.faults({ logout: 'down' })
  await reloadLater(page, options)
  await page.evaluate(() => signIn('alice', 'wrong'))
  assert.deepEqual(await server.lines('/auth'), ['POST /auth/logout 503', 'POST /auth/login 401'])
  await server.reset()
  await staysOut(page, options)
  await page.evaluate(() => signIn('alice'))
  assert.deepEqual(await server.lines('/auth'), ['POST /auth/logout 204', 'POST /auth/login 200'])
})

it("a request of the old user never meets the new user's token", async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ api: 'hold' })
  await page.evaluate(() => void (globalThis.old = call('/api/items/1')))
  await server.held('api')
  await page.evaluate(() => auth.login('/auth/login', credentials('admin')))
  await server.faults()
  await server.release('api')
  assert.equal((await page.evaluate(() => old)).status, 401)
  assert.equal((await server.log('/api/items/1')).length, 1, 'it is not sent again')
  assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'admin')
  assert.equal(await server.refreshes(), 0)
})

it('a login waits for the refresh on the wire, so that its cookie is the last', async (user) => {
  const page = await user.signedIn()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.renewed = auth.refresh()))
  await server.held('refresh')
  await page.evaluate(() => void (globalThis.login = signIn('admin')))
  await page.evaluate(() => fetch('/healthz').then(() => {}))
  assert.deepEqual(await server.lines('/auth/login'), ['POST /auth/login 200'], 'only the first')
  await server.release('refresh')
  await page.evaluate(() => Promise.all([renewed, login]))
  await server.faults()
  await reloadLater(page)
  assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'admin')
  assert.equal((await server.counters()).reuses, 0)
})

it("setTokens begins a session with the app's own login", async (user) => {
  // By default a service worker asks for a token before it sends the page's own login.
  const page = await user.tab({ apis: ['/api'] })
  await page.evaluate(async () => {
    const { access_token, expires_in } = await (
      await fetch('/auth/login', { method: 'POST', ...credentials('alice') })
    ).json()
    await auth.setTokens({ accessToken: access_token, expiresIn: expires_in })
  })
  assert.equal((await page.evaluate(() => call('/api/me'))).body.name, 'alice')
  assert.equal(await server.refreshes(), 0)
})

it('setTokens refuses a value that is no token, without repeating it in the error', async (user) => {
  const page = await user.signedIn()
  for (const tokens of [
    {},
    { accessToken: 5 },
    { accessToken: '' },
    { accessToken: 'a b\r\nc' },
    { accessToken: 'good', expiresIn: 'soon' },
    null,
  ]) {
    const { error, message } = await page.evaluate(async (tokens) => {
      const error = await auth.setTokens(tokens).catch((error) => error)
      return { error: { ...error }, message: String(error) }
    }, tokens)
    assert.deepEqual(error, { code: 'invalid-argument', retryable: false }, JSON.stringify(tokens))
    assert.ok(!message.includes('a b') && !message.includes('good'))
  }
  assert.equal((await state(page)).claims.sub, 'alice')
})

it('getAccessToken returns the token of requests, if the option allows it', async (user) => {
  const page = await user.signedIn({ exposeToken: true })
  await page.evaluate(() => call('/api/me'))
  const shown = await page.evaluate(async () => digest(await auth.getAccessToken()))
  assert.equal((await server.log('/api/me'))[0].token, shown)
  await page.evaluate(() => auth.logout('/auth/logout'))
  assert.deepEqual(await page.evaluate(() => outcome(auth.getAccessToken())), {
    error: { code: 'signed-out', retryable: false },
  })
})

it('getAccessToken is "not-exposed" otherwise', async (user) => {
  const page = await user.signedIn()
  assert.deepEqual(await page.evaluate(() => outcome(auth.getAccessToken())), {
    error: { code: 'not-exposed', retryable: false },
  })
})

it('the state is frozen, and the same object until it changes', async (user) => {
  const page = await user.signedIn()
  const seen = await page.evaluate(async () => {
    const first = auth.state
    await call('/api/me')
    const same = auth.state === first
    let changes = 0
    auth.subscribe(() => changes++)
    await auth.refresh()
    return {
      same,
      frozen: Object.isFrozen(first) && Object.isFrozen(first.claims) && Object.isFrozen(first.claims.roles),
      other: auth.state !== first,
      changes,
    }
  })
  assert.deepEqual(seen, { same: true, frozen: true, other: true, changes: 1 })
})

it('methods work detached', async (user) => {
  const page = await user.tab()
  const status = await page.evaluate(async () => {
    const { fetch, login } = auth
    await login('/auth/login', credentials('alice'))
    return (await fetch('/api/me')).status
  })
  assert.equal(status, 200)
})

it('dispose settles waiting calls, and lets the refresh on the wire finish', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.waiting = call('/api/me')))
  await server.held('refresh')
  const disposed = { error: { code: 'disposed', retryable: false } }
  const seen = await page.evaluate(async () => {
    auth.dispose()
    auth.dispose()
    return [
      await waiting,
      await call('/api/me'),
      await outcome(auth.refresh()),
      await outcome(auth.logout('/auth/logout')),
    ]
  })
  assert.deepEqual(seen, [disposed, disposed, disposed, disposed])
  // The next manager's has its turn after it.
  await page.evaluate(() => (start(), void (globalThis.next = call('/api/me'))))
  await server.faults()
  await server.release('refresh')
  assert.equal((await page.evaluate(() => next)).status, 200)
  await reloadLater(page)
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200, 'the new cookie has arrived')
  assert.equal((await server.counters()).reuses, 0)
})

it('a bad option is named by ready and by every call, and nothing is sent', async (user) => {
  const page = await user.blank()
  const seen = await page.evaluate(async () => {
    const ready = await start({ tabs: 'both', logout: '/auth/logout' })
    const message = await auth.ready.catch(({ message }) => message)
    return { ready, message, call: await call('/api/me'), login: await signIn('alice') }
  })
  const error = { code: 'invalid-option', retryable: false }
  assert.deepEqual([seen.ready, seen.call, seen.login], [{ error }, { error }, { error }])
  for (const part of ['tabs', "'both'", 'share', 'lock', 'off']) assert.ok(seen.message.includes(part), seen.message)
  assert.deepEqual(await server.lines(), [])
})

it('calls made before the WebAssembly is loaded wait for it', async (user) => {
  const page = await user.signedIn()
  await reloadLater(page)
  const { status, body } = await page.evaluate(async () => {
    auth.dispose()
    start()
    return call('/api/me')
  })
  assert.deepEqual([status, body.name], [200, 'alice'])
  assert.deepEqual(
    (await server.log('/api')).map(({ token }) => typeof token),
    ['string'],
  )
})

for (const [deed, how] of [
  ['logout', "auth.logout('/auth/logout')"],
  ["another user's tokens", "auth.setTokens({ accessToken: 'bobs' })"],
]) {
  it(`a call and then ${deed} in one turn: the call belongs to the session before, and is not sent`, async (user) => {
    const page = await user.signedIn()
    await reloadLater(page)
    await page.evaluate(() => auth.ready)
    const code = await page.evaluate(`(async () => {
      const called = auth.fetch('/api/me').then(() => 'sent', (error) => error.code)
      const done = ${how}
      const code = await called
      await done
      return code
    })()`)
    assert.equal(code, 'session-changed')
    assert.equal((await server.lines()).filter((line) => line.includes('/api/')).length, 0)
  })
}
