// The controls of tokenkeep/testing. testing.test.mjs checks that the app sees the same as with the package.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { controls, createTestTokenManager, createTokenManager, isTokenError, TokenError } from 'tokenkeep/testing'
import { turns } from './support/turns.mjs'

const pkg = fileURLToPath(new URL('..', import.meta.url))
const ALICE = { claims: { sub: 'alice', roles: ['editor'] } }
const code = (promise) =>
  promise.then(
    () => 'none',
    (error) => error.code ?? error,
  )

function heard(auth) {
  const told = []
  for (const type of ['change', 'refresh', 'signout', 'refresherror', 'stepup']) {
    auth.addEventListener(type, ({ type, reason, error }) =>
      told.push([type, reason, error?.code].filter(Boolean).join(' ')),
    )
  }
  return told
}

describe('the session', () => {
  it('starts as the test says: unknown, signed in, signed out', () => {
    assert.equal(createTestTokenManager().state.status, 'unknown')
    assert.equal(createTestTokenManager({ session: null }).state.status, 'signed-out')
    const { state } = createTestTokenManager({ session: { ...ALICE, expiresAt: 5, sessionExpiresAt: 6 } })
    assert.deepEqual(state, { status: 'signed-in', ...ALICE, expiresAt: 5, sessionExpiresAt: 6 })
    assert.ok(Object.isFrozen(state) && Object.isFrozen(state.claims.roles))
  })

  it("does not change with the test's own objects", () => {
    const claims = { roles: ['editor'] }
    const { state } = createTestTokenManager({ session: { claims } })
    claims.roles.push('admin')
    assert.deepEqual(state.claims.roles, ['editor'])
  })

  it('signIn answers a waiting login, and otherwise counts as a login', async () => {
    const auth = createTestTokenManager()
    const told = heard(auth)
    const known = auth.known()
    auth.test.signIn(ALICE)
    assert.equal(await known, auth.state)
    assert.deepEqual(told, ['change', 'refresh'])
    auth.test.signIn({ claims: { sub: 'bob' } })
    assert.deepEqual(told, ['change', 'refresh', 'change'])
  })

  it('signOut reports the reason if somebody was signed in', () => {
    for (const reason of /** @type {const} */ (['logout', 'ended', 'other-tab'])) {
      const auth = createTestTokenManager({ session: ALICE })
      const told = heard(auth)
      auth.test.signOut(reason)
      auth.test.signOut(reason)
      assert.deepEqual(told, ['change', `signout ${reason}`])
    }
    const auth = createTestTokenManager({ session: ALICE })
    const told = heard(auth)
    auth.test.signOut()
    assert.deepEqual(told, ['change', 'signout rejected rejected'])
  })

  it('signOut settles waiting calls: without a token, or rejected', async () => {
    const sent = []
    const fetch = async (input, init) => (
      sent.push(new Request(input, init).headers.get('authorization')),
      new Response()
    )
    for (const [reason, outcome] of /** @type {const} */ ([
      ['rejected', 'none'],
      ['ended', 'none'],
      ['logout', 'session-changed'],
      ['other-tab', 'session-changed'],
    ])) {
      const auth = createTestTokenManager({ fetch })
      const call = code(auth.fetch('/x'))
      auth.test.signOut(reason)
      assert.equal(await call, outcome, reason)
    }
    assert.deepEqual(sent, [null, null])
  })

  it('unknown is the state of a fresh page, and waiting calls continue to wait', async () => {
    const auth = createTestTokenManager({ session: ALICE })
    const told = heard(auth)
    auth.test.unknown()
    auth.test.unknown()
    assert.deepEqual(told, ['change'])
    let known
    void auth.known().then((state) => (known = state))
    await turns()
    auth.test.unknown()
    await turns()
    assert.equal(known, undefined)
    auth.test.signIn(ALICE)
    await turns()
    assert.equal(known, auth.state)
  })

  it('expire changes no state; the next call renews', async () => {
    const auth = createTestTokenManager({ session: ALICE, exposeToken: true })
    const { state } = auth
    auth.test.expire()
    assert.equal(auth.state, state)
    assert.equal(auth.peekAccessToken(), undefined)
    assert.equal(await auth.getAccessToken(), 'test-token-2')
    assert.deepEqual(auth.state.claims, ALICE.claims)
  })

  it('notifies nobody after the manager was disposed', () => {
    const auth = createTestTokenManager({ session: ALICE })
    const told = heard(auth)
    auth.dispose()
    auth.test.signOut()
    assert.deepEqual(told, [])
  })

  it('stepUp dispatches the event with its challenges, frozen', () => {
    const auth = createTestTokenManager()
    let challenges
    auth.addEventListener('stepup', (event) => ({ challenges } = event))
    auth.test.stepUp([{ scheme: 'bearer', parameters: { max_age: '60' } }])
    assert.deepEqual(challenges, [{ scheme: 'bearer', parameters: { max_age: '60' } }])
    assert.ok(Object.isFrozen(challenges[0].parameters))
    auth.test.stepUp()
    assert.deepEqual(challenges, [])
  })
})

describe('failures', () => {
  it('are retryable if they are outages', async () => {
    const auth = createTestTokenManager({ session: null })
    for (const [code, retryable, status] of /** @type {[import('tokenkeep').TokenErrorCode, boolean, number?][]} */ ([
      ['network', true],
      ['timeout', true],
      ['bad-status', true, 503],
      ['bad-answer', true],
      ['rejected', false, 401],
      ['no-token', false],
    ])) {
      auth.test.fail('login', code)
      const error = /** @type {any} */ (await auth.login('/login').catch((error) => error))
      assert.deepEqual([error.code, error.retryable, error.status], [code, retryable, status])
    }
  })

  it("take the test's own details, and any error", async () => {
    const auth = createTestTokenManager({ session: null })
    auth.test.fail('login', 'rejected', { status: 423, cause: Response.json({ locked: true }) })
    for (const _ of [1, 2]) {
      const error = /** @type {any} */ (await auth.login('/login').catch((error) => error))
      assert.equal(error.status, 423)
      assert.deepEqual(await error.cause.json(), { locked: true })
    }
    const own = new TypeError('mine')
    auth.test.fail('login', own)
    assert.equal(await auth.login('/login').catch((error) => error), own)
  })

  it('end with recover, for one method or all', async () => {
    const auth = createTestTokenManager({ session: {} })
    for (const method of /** @type {const} */ (['login', 'exchange', 'logout'])) auth.test.fail(method, 'network')
    auth.test.recover('login')
    assert.equal(await code(auth.login('/login')), 'none')
    assert.equal(await code(auth.exchange('/login')), 'network')
    auth.test.recover()
    assert.equal(await code(auth.exchange('/login')), 'none')
    assert.equal(await code(auth.logout()), 'none')
  })

  it('of ready fail everything', async () => {
    const auth = createTestTokenManager({ session: {} })
    auth.test.fail('ready', 'not-loaded')
    const calls = [
      auth.ready,
      auth.known(),
      auth.fetch('/x'),
      auth.login('/x'),
      auth.refresh(),
      auth.logout(),
      auth.signedIn(),
      auth.setTokens({ accessToken: 'a' }),
      auth.getAccessToken(),
    ]
    assert.deepEqual(new Set(await Promise.all(calls.map(code))), new Set(['not-loaded']))
  })

  it('of ready need not be handled', async () => {
    const auth = createTestTokenManager()
    auth.test.fail('ready', 'not-loaded')
    void auth.ready
    await turns()
  })

  it('of fetch are for calls that would carry the token', async () => {
    const auth = createTestTokenManager({ session: {}, fetch: async () => new Response() })
    auth.test.fail('fetch', 'network')
    assert.equal(await code(auth.fetch('/x')), 'network')
    assert.equal(await code(auth.fetch('https://elsewhere.test/')), 'none')
  })

  it('of refresh settle waiting calls at once, and are reported once', async () => {
    const auth = createTestTokenManager()
    const told = heard(auth)
    const waits = [auth.known(), auth.fetch('/x'), auth.refresh()].map(code)
    await turns()
    auth.test.fail('refresh', 'timeout')
    assert.deepEqual(await Promise.all(waits), ['timeout', 'timeout', 'timeout'])
    assert.deepEqual(told, ['refresherror timeout'])
  })
})

describe('holding', () => {
  for (const [method, call] of Object.entries({
    fetch: (auth) => auth.fetch('/x'),
    login: (auth) => auth.login('/x'),
    exchange: (auth) => auth.exchange('/x'),
    refresh: (auth) => auth.refresh(),
    logout: (auth) => auth.logout(),
  })) {
    it(`${method} waits until it is released`, async () => {
      const auth = createTestTokenManager({ session: {}, fetch: async () => new Response() })
      const release = auth.test.hold(/** @type {import('tokenkeep/testing').TestHold} */ (method))
      let isOver = false
      const over = call(auth).then(() => (isOver = true))
      await turns()
      assert.equal(isOver, false)
      release()
      await over
      await call(createTestTokenManager({ session: {}, fetch: async () => new Response() }))
    })
  }

  it('twice has the same effect as once, and a late release does nothing', async () => {
    const auth = createTestTokenManager({ session: {} })
    const first = auth.test.hold('login')
    const logins = [code(auth.login('/x'))]
    const second = auth.test.hold('login')
    logins.push(code(auth.login('/x')))
    second()
    assert.deepEqual(await Promise.all(logins), ['none', 'none'])
    auth.test.hold('login')
    first()
    let isOver = false
    void auth.login('/x').then(() => (isOver = true))
    await turns()
    assert.equal(isOver, false)
  })

  it('a refresh keeps what the test says about it', async () => {
    for (const [say, outcome] of /** @type {[(auth: any) => void, string][]} */ ([
      [({ test }) => test.fail('refresh', 'network'), 'network'],
      [({ test }) => test.answer('refresh', { session: ALICE }), 'none'],
    ])) {
      const auth = createTestTokenManager()
      const told = heard(auth)
      const release = auth.test.hold('refresh')
      const known = code(auth.known())
      await turns()
      say(auth)
      await turns()
      assert.deepEqual(told, [])
      release()
      assert.equal(await known, outcome)
    }
  })

  it('also ends with reset, and a failure set meanwhile applies', async () => {
    const auth = createTestTokenManager({ session: {} })
    const release = auth.test.hold('login')
    const login = code(auth.login('/x'))
    auth.test.fail('login', 'rejected')
    release()
    assert.equal(await login, 'rejected')
    auth.test.hold('login')
    const other = code(auth.login('/x'))
    await turns()
    auth.test.reset()
    assert.equal(await other, 'none')
  })
})

describe('answers', () => {
  it('are what login resolves to, and the user it signs in', async () => {
    const auth = createTestTokenManager({ session: null })
    assert.deepEqual(await auth.login('/login'), {})
    assert.deepEqual(auth.state, { status: 'signed-in', claims: null, expiresAt: null, sessionExpiresAt: null })
    const json = { user: { name: 'Alice' } }
    auth.test.answer('login', { json, session: ALICE })
    const rest = await auth.login('/login')
    assert.deepEqual(rest, json)
    assert.notEqual(rest.user, json.user)
    assert.deepEqual(auth.state.claims, ALICE.claims)
  })

  it('to a refresh end the wait by themselves', async () => {
    const auth = createTestTokenManager()
    const known = auth.known()
    await turns()
    auth.test.answer('refresh', { session: ALICE })
    assert.deepEqual((await known).claims, ALICE.claims)
    assert.deepEqual(await known, auth.state)
  })
})

describe('requests', () => {
  const auth = () => createTestTokenManager({ session: {}, fetch: async () => new Response('the network') })
  const text = async (auth, ...args) => (await auth.fetch(...args)).text()

  it('are answered by path, method, URL, expression and function, the last one first', async () => {
    const mine = auth()
    const { test } = mine
    test.respond('/a', new Response('path'))
    test.respond('POST /a', new Response('method'))
    test.respond(new URL('https://api.test/a'), new Response('URL'))
    test.respond(/\/b\/\d+$/g, new Response('expression'))
    test.respond(({ url }) => url.endsWith('#c') || url.endsWith('?c'), new Response('function'))
    assert.equal(await text(mine, '/a?q=1#x'), 'path')
    assert.equal(await text(mine, new Request('http://localhost/a', { method: 'POST' })), 'method')
    assert.equal(await text(mine, '/a', { method: 'post' }), 'method')
    assert.equal(await text(mine, 'https://api.test/a'), 'URL')
    for (const _ of [1, 2]) assert.equal(await text(mine, '/b/7'), 'expression')
    assert.equal(await text(mine, '/x?c'), 'function')
    assert.equal(await text(mine, '/else'), 'the network')
    test.respond('/a', (call) => new Response(/** @type {string} */ (call.body)))
    assert.equal(await text(mine, '/a', { method: 'POST', body: 'mine' }), 'mine')
    test.respond('/a', new TypeError('Failed to fetch'))
    await assert.rejects(mine.fetch('/a'), TypeError)
  })

  it('without a known answer say what to do', async () => {
    const { fetch } = globalThis
    globalThis.fetch = undefined
    try {
      await assert.rejects(
        createTestTokenManager({ session: {} }).fetch('/x'),
        /GET http:\/\/localhost\/x has no answer, and there is no fetch here/,
      )
    } finally {
      globalThis.fetch = fetch
    }
  })

  it("go to the platform's current fetch", async () => {
    const { fetch } = globalThis
    const mine = createTestTokenManager({ session: {} })
    globalThis.fetch = async (url, { headers }) => Response.json([url, headers])
    try {
      assert.deepEqual(await (await mine.fetch('/x', { headers: { 'x-own': '1' } })).json(), [
        'http://localhost/x',
        { 'x-own': '1', Authorization: 'Bearer test-token-1' },
      ])
    } finally {
      globalThis.fetch = fetch
    }
  })

  it('carry the token as the options say', async () => {
    const sent = []
    const fetch = async (input, init) => (sent.push([...new Request(input, init).headers]), new Response())
    const options = {
      session: { accessToken: 'abc' },
      fetch,
      apis: ['https://api.test/v1'],
      attach: { header: 'X-Token', scheme: '' },
    }
    const mine = createTestTokenManager(options)
    for (const url of [
      'https://api.test/v1',
      'https://api.test/v1/a',
      'https://api.test/v10',
      'http://api.test/v1',
      '/v1',
    ])
      await mine.fetch(url)
    assert.deepEqual(sent, [[['x-token', 'abc']], [['x-token', 'abc']], [], [], []])
  })

  it('are recorded with what they were sent with', async () => {
    const mine = auth()
    await mine.fetch('/x', { method: 'put', body: 'b' })
    await mine.login('/login')
    await mine.logout()
    const { calls } = mine.test
    assert.deepEqual(
      calls.map(({ args, ...call }) => call),
      [
        { name: 'fetch', url: 'http://localhost/x', method: 'PUT', body: 'b', authorization: 'Bearer test-token-1' },
        { name: 'login', url: 'http://localhost/login', method: 'POST' },
        { name: 'logout' },
      ],
    )
    assert.deepEqual(calls[0].args, ['/x', { method: 'put', body: 'b' }])
  })
})

describe('reset', () => {
  it('restores the initial state, for the same listeners', async () => {
    const auth = createTestTokenManager({ session: ALICE })
    const told = heard(auth)
    auth.test.fail('refresh', 'network')
    auth.test.answer('login', { json: 1 })
    auth.test.respond('/x', new Response())
    await auth.logout()
    auth.dispose()
    auth.test.reset()
    assert.deepEqual(auth.test.calls, [])
    assert.deepEqual(auth.state.claims, ALICE.claims)
    assert.deepEqual(told, ['change', 'signout logout', 'change'])
    await auth.refresh()
    assert.deepEqual(await auth.login('/login'), {})
  })

  it('forgets which token was fetched for which user', async () => {
    const auth = createTestTokenManager({ session: ALICE, exposeToken: true })
    const renew = async (by) => auth.getAccessToken({ refused: await auth.getAccessToken(), by })
    const renewed = await renew('/x')
    auth.test.reset()
    assert.equal(await renew('/y'), renewed)
    assert.equal(await code(auth.getAccessToken({ refused: renewed, by: '/x' })), 'none')
  })

  it('notifies nobody if nothing has changed', () => {
    for (const session of [undefined, null]) {
      const auth = createTestTokenManager({ session })
      const told = heard(auth)
      auth.test.reset()
      assert.deepEqual(told, [])
    }
  })
})

describe("under the package's own name", () => {
  it("createTokenManager takes the app's options, and controls finds the test's side", async () => {
    const auth = createTokenManager({ refresh: '/auth/refresh', restore: 'eager', exposeToken: true })
    controls(auth).signIn({ accessToken: 'abc' })
    assert.equal(await auth.getAccessToken(), 'abc')
  })

  it('controls for another manager say what to do', () => {
    for (const auth of /** @type {any[]} */ ([{}, undefined]))
      assert.throws(
        () => controls(auth),
        (error) => isTokenError(error) && error.code === 'invalid-argument' && /tokenkeep\/testing/.test(error.message),
      )
  })

  it("errors are the package's own", async () => {
    assert.ok(new TokenError('network', '') instanceof TokenError)
    const { isTokenError: real } = await import('tokenkeep')
    assert.ok(real(new TokenError('network', '')))
  })
})

describe('the types', () => {
  it("are the package's own", () => {
    const options = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--ignoreConfig',
      '--types',
      '',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--skipLibCheck',
      'false',
    ]
    try {
      execFileSync(`${pkg}node_modules/.bin/tsc`, [...options, 'test/types/testing.ts'], {
        cwd: pkg,
        encoding: 'utf8',
        timeout: 60_000,
      })
    } catch (error) {
      assert.fail(error.stdout || error.message)
    }
  })

  it('need nothing but the language: importing it touches no global', () => {
    const printed = execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `
      for (const name of ['fetch', 'WebAssembly', 'Date', 'setTimeout', 'BroadcastChannel', 'location', 'document', 'navigator']) {
        Object.defineProperty(globalThis, name, { get() { console.log('used', name) } })
      }
      const { createTestTokenManager } = await import('tokenkeep/testing')
      const auth = createTestTokenManager({ session: {} })
      await auth.refresh()
      await auth.logout()
      console.log(auth.state.status)
    `,
      ],
      { cwd: pkg, encoding: 'utf8', timeout: 20_000 },
    )
    assert.equal(printed, 'signed-out\n')
  })
})
