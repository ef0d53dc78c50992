// The options of the built package, against simulated servers: what is sent, and what happens then.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import './support/page.mjs'
import { createTokenManager } from '../dist/index.js'

const ORIGIN = 'https://app.test'
const refresh = `${ORIGIN}/refresh`
const apis = [`${ORIGIN}/api`]

const platform = globalThis.fetch
/** The requests that were sent, and the servers: a function of the request, by path. */
let sent
let routes
let live

beforeEach(() => {
  sent = []
  routes = {}
  live = []
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { pathname, search } = new URL(request.url)
    sent.push(Object.assign(request.clone(), { pathname, search }))
    return routes[pathname](request)
  }
})

afterEach(() => {
  for (const auth of live) auth.dispose()
  globalThis.fetch = platform
})

function manager(options) {
  const auth = createTokenManager({ refresh, apis, ...options })
  live.push(auth)
  return auth
}

const json = (body, init) => Response.json(body, init)
const api = (auth) => auth.fetch(`${ORIGIN}/api/me`)
const bearer = () =>
  sent.filter(({ pathname }) => pathname === '/api/me').map(({ headers }) => headers.get('authorization'))

/** A token's life in seconds, if the refresh answers this. */
async function life(body, response, headers) {
  routes['/refresh'] = () => json({ access_token: 'one', ...body }, { headers })
  const auth = manager({ response })
  await auth.refresh()
  const { expiresAt } = auth.state
  return expiresAt && Math.round((expiresAt - Date.now()) / 1000)
}

describe('the place of the tokens', () => {
  it('may differ between the answers of a login and of a refresh', async () => {
    routes['/login'] = () => json({ meta: { access_token: 'first', refresh_token: 'r1' }, data: { user: 'alice' } })
    routes['/refresh'] = async (request) => {
      assert.deepEqual(await request.json(), { refresh_token: 'r1' })
      return json({ data: { access_token: 'second', refresh_token: '' } })
    }
    routes['/api/me'] = () => json({})
    const auth = manager({
      response: {
        accessToken: ['meta.access_token', 'data.access_token'],
        refreshToken: ['meta.refresh_token', 'data.refresh_token'],
      },
      refreshToken: { json: 'refresh_token' },
    })
    assert.deepEqual(await auth.login(`${ORIGIN}/login`), { meta: {}, data: { user: 'alice' } })
    await api(auth)
    await auth.refresh()
    await api(auth)
    // The empty refresh token has not replaced the old one.
    await auth.refresh()
    assert.deepEqual(bearer(), ['Bearer first', 'Bearer second'])
  })

  it("is searched in the answer's own members, not in inherited ones", async () => {
    routes['/login'] = () => json({ access_token: 'first' })
    const auth = manager({ response: { accessToken: ['__proto__.toString', 'constructor.name', 'access_token'] } })
    assert.deepEqual(await auth.login(`${ORIGIN}/login`), {})
    assert.equal(typeof Object.prototype.toString, 'function')
  })
})

describe('the end of a token', () => {
  const expiresAt = 'at'
  const inFive = (zone) => new Date(Date.now() + 300_000 + zone * 3_600_000).toISOString().replace('Z', '')

  it('is given in seconds, in milliseconds, or as a date and time with a zone', async () => {
    const at = Date.now() + 300_000
    for (const value of [
      at,
      `${at}`,
      at / 1000,
      `${at / 1000}`,
      new Date(at).toISOString(),
      `${inFive(-6)}361-06:00`,
      `${inFive(0).replace('T', ' ')}+00:00`,
    ]) {
      const seconds = await life({ at: value }, { expiresAt })
      assert.ok(Math.abs(seconds - 300) <= 1, `${value}: ${seconds}`)
    }
  })

  it("is counted by the server's clock", async () => {
    const ahead = Date.now() + 86_400_000
    const headers = { Date: new Date(ahead).toUTCString() }
    const seconds = await life({ at: ahead + 300_000 }, { expiresAt }, headers)
    assert.ok(Math.abs(seconds - 300) <= 1, `${seconds}`)
  })

  it('is unknown if nothing tells it', async () => {
    for (const odd of [
      'soon',
      '2026-11-21T17:49:47',
      '2026',
      null,
      {},
      [],
      ['2099-11-21T17:49:47Z'],
      true,
      -5,
      0,
      Date.now() - 1,
      '9'.repeat(400),
    ]) {
      assert.equal(await life({ at: odd }, { expiresAt }), null, JSON.stringify(odd))
    }
  })
})

describe('a refresh token in memory', () => {
  it('is required for a refresh: without one, no refresh is attempted', async () => {
    routes['/api/me'] = () => json({}, { status: 401 })
    const auth = manager({ refreshToken: { json: 'refresh' } })
    assert.equal((await api(auth)).status, 401)
    assert.equal(auth.state.status, 'signed-out')
    await assert.rejects(auth.refresh(), { code: 'signed-out', retryable: false })
    assert.deepEqual(bearer(), [null])
    assert.equal(sent.length, 1)
  })
})

describe('a refreshed token', () => {
  it('may be equal to the old one', async () => {
    let fresh = false
    routes['/refresh'] = () => json({ access_token: 'same' })
    routes['/api/me'] = () => json({}, { status: fresh ? 200 : 401 })
    const auth = manager()
    await auth.refresh()
    const refreshed = routes['/refresh']
    routes['/refresh'] = () => ((fresh = true), refreshed())
    assert.equal((await api(auth)).status, 200)
    assert.deepEqual(bearer(), ['Bearer same', 'Bearer same'])
  })
})

const status = (status, headers, body = {}) => json(body, { status, headers })
/** A back end that gives its answers in order, and grants `token-1`, `token-2`, … */
function answers(...list) {
  let count = 0
  routes['/refresh'] = () => json({ access_token: `token-${++count}` })
  routes['/api/me'] = () => {
    const next = list.shift()
    return typeof next === 'function' ? next() : next
  }
}
const refreshes = () => sent.filter(({ pathname }) => pathname === '/refresh').length
/** A manager's events, as they happen. */
function listen(auth) {
  const heard = []
  for (const type of ['signout', 'stepup', 'refresh', 'refresherror']) {
    auth.addEventListener(type, (event) => heard.push(event.reason ?? event.challenges ?? event.error?.code ?? type))
  }
  return heard
}

describe('an unauthorized answer', () => {
  it('is recognised by a code in its body, number or text, whatever its status', async () => {
    for (const code of [40101, '40101']) {
      sent = []
      answers(status(200, {}, { code }), status(200, {}, { code: 0 }))
      const auth = manager({ unauthorized: [{ status: 401 }, { body: { path: 'code', equals: 40101 } }] })
      assert.deepEqual(await (await api(auth)).json(), { code: 0 })
      assert.deepEqual(bearer(), ['Bearer token-1', 'Bearer token-2'])
    }
  })

  it('must match all members of a rule', async () => {
    const rule = { status: [403, 422], body: { path: 'errors.0.code', equals: ['A', true] } }
    answers(
      status(403, {}, { errors: [{ code: 'B' }] }),
      status(401),
      status(422, {}, { errors: [{ code: true }] }),
      status(200),
    )
    const auth = manager({ unauthorized: rule })
    assert.equal((await api(auth)).status, 403)
    assert.equal((await api(auth)).status, 401)
    assert.equal((await api(auth)).status, 200)
    assert.equal(refreshes(), 2)
  })

  it('is searched in all members of a list, because the errors of a batch come in any order', async () => {
    const batch = [{ result: 1 }, { error: { code: 'UNAUTHORIZED' } }]
    for (const [i, path] of ['*.error.code', '0.error.code'].entries()) {
      answers(status(207, {}, batch), status(200), status(207, {}, batch.slice(0, 1)))
      const auth = manager({ unauthorized: { body: { path, equals: 'UNAUTHORIZED' } } })
      assert.equal((await api(auth)).status, 200, path)
      assert.equal((await api(auth)).status, 207, path)
      assert.equal(refreshes(), 2 * (i + 1), path)
    }
  })

  it('is read from JSON only, and its body stays the caller’s', async () => {
    const text = '{"code":7}'
    answers(
      new Response(text, { headers: { 'content-type': 'text/event-stream' } }),
      new Response(text, { headers: { 'content-type': 'application/json' } }),
      new Response(text, { headers: { 'content-type': 'application/json' } }),
    )
    const auth = manager({ unauthorized: { body: { path: 'code' } } })
    assert.equal(await (await api(auth)).text(), text)
    assert.equal(refreshes(), 1)
    assert.equal(await (await api(auth)).text(), text)
    assert.equal(refreshes(), 2)
  })

  it('may be recognised by a redirect', async () => {
    const page = new Response('<h1>Sign in</h1>')
    Object.defineProperty(page, 'redirected', { value: true })
    answers(page, status(200))
    const auth = manager({ unauthorized: { redirected: true } })
    assert.equal((await api(auth)).headers.get('content-type'), 'application/json')
    assert.equal(refreshes(), 2)
  })
})

describe('an answer that ends the session', () => {
  const ended = { body: { path: 'errors.0.code', equals: ['BLOCKED_TOKEN', 'INVALID_TOKEN'] } }
  const blocked = () => status(401, {}, { errors: [{ code: 'BLOCKED_TOKEN' }] })

  it('goes to the caller, causes no refresh, and is reported once', async () => {
    answers(blocked(), blocked(), status(401))
    const auth = manager({ ended })
    await auth.refresh()
    const heard = listen(auth)
    const [first, second] = await Promise.all([api(auth), api(auth)])
    assert.deepEqual(await first.json(), { errors: [{ code: 'BLOCKED_TOKEN' }] })
    assert.equal(second.status, 401)
    assert.deepEqual(heard, ['ended'])
    assert.equal(auth.state.status, 'signed-out')
    assert.equal((await api(auth)).status, 401)
    assert.deepEqual(bearer(), ['Bearer token-1', 'Bearer token-1', null])
    assert.equal(refreshes(), 1)
  })

  it('ends nothing if it concerns an older token', async () => {
    let late
    answers(new Promise((resolve) => (late = resolve)), status(200))
    const auth = manager({ ended })
    await auth.refresh()
    const heard = listen(auth)
    const first = api(auth)
    await auth.refresh()
    late(blocked())
    assert.equal((await first).status, 200)
    assert.deepEqual(heard, ['refresh'])
    assert.deepEqual(bearer(), ['Bearer token-1', 'Bearer token-2'])
  })

  it('ends nothing that began after a logout', async () => {
    let late
    answers(new Promise((resolve) => (late = resolve)))
    const auth = manager({ ended })
    await auth.refresh()
    const first = api(auth)
    await auth.logout()
    await auth.setTokens({ accessToken: 'bob' })
    const heard = listen(auth)
    late(blocked())
    assert.equal((await first).status, 401)
    assert.deepEqual(heard, [])
    assert.equal(auth.state.status, 'signed-in')
  })

  it('also does so on the second try', async () => {
    answers(status(401), blocked())
    const auth = manager({ ended })
    const heard = listen(auth)
    assert.equal((await api(auth)).status, 401)
    assert.deepEqual(heard, ['refresh', 'refresh', 'ended'])
  })
})

describe('an answer that asks for a step-up', () => {
  const challenge = 'Bearer realm="", error="insufficient_claims", claims="e30=", __proto__="x", DPoP algs="ES256"'

  it('goes to the caller, and is reported with all its challenges', async () => {
    answers(status(401, { 'WWW-Authenticate': challenge }))
    const auth = manager()
    await auth.refresh()
    const heard = listen(auth)
    assert.equal((await api(auth)).status, 401)
    assert.equal(heard.length, 1)
    const [[bearer, dpop]] = heard
    assert.equal(bearer.scheme, 'bearer')
    assert.deepEqual(
      { ...bearer.parameters },
      { realm: '', error: 'insufficient_claims', claims: 'e30=', ['__proto__']: 'x' },
    )
    assert.deepEqual({ ...dpop.parameters }, { algs: 'ES256' })
    assert.ok(Object.isFrozen(heard[0]) && Object.isFrozen(bearer.parameters))
    assert.equal(auth.state.status, 'signed-in')
    assert.equal(refreshes(), 1)
  })

  it('is what the app’s rules say', async () => {
    answers(status(403, {}, { code: 'mfa' }), status(401, { 'WWW-Authenticate': challenge }))
    const auth = manager({ stepUp: { status: 403, body: { path: 'code', equals: 'mfa' } } })
    await auth.refresh()
    const heard = listen(auth)
    await api(auth)
    assert.deepEqual(heard, [[]])
    assert.equal((await api(auth)).status, 401)
    assert.equal(refreshes(), 1, 'no refresh cures that')
  })
})

describe('a refused refresh', () => {
  it('is what the app’s rules say, even with status 200, and nothing else', async () => {
    const auth = manager({ rejected: [{ status: 422 }, { status: 200, body: { path: 'error' } }] })
    await auth.setTokens({ accessToken: 'one' })
    const heard = listen(auth)
    routes['/refresh'] = () => status(401)
    await assert.rejects(auth.refresh(), { code: 'bad-status', retryable: true })
    assert.equal(auth.state.status, 'signed-in')
    routes['/refresh'] = () => json({ error: 'bad_refresh_token' })
    await assert.rejects(auth.refresh(), { code: 'rejected', status: 200 })
    assert.deepEqual(heard, ['bad-status', 'rejected'])
  })
})

describe('a network error', () => {
  const unauthorized = [{ status: 401 }, { networkError: true }]
  const broken = () => Promise.reject(new TypeError('Failed to fetch'))
  const call = (auth, init) => auth.fetch(`${ORIGIN}/api/me`, init)

  it('counts as a refusal if the app’s rules say so, and the end of the token is unknown', async () => {
    answers(broken, status(200))
    const auth = manager({ unauthorized })
    assert.equal((await call(auth)).status, 200)
    assert.deepEqual(bearer(), ['Bearer token-1', 'Bearer token-2'])
  })

  it('goes to the caller after the second try, for unsafe methods, for a good token, and by default', async () => {
    const lost = { name: 'TypeError', message: 'Failed to fetch' }
    answers(broken, broken)
    await assert.rejects(call(manager({ unauthorized })), lost)
    assert.equal(refreshes(), 2)
    answers(broken)
    await assert.rejects(call(manager({ unauthorized }), { method: 'POST' }), lost)
    assert.equal(refreshes(), 3)
    answers(broken)
    const auth = manager({ unauthorized })
    await auth.setTokens({ accessToken: 'good', expiresIn: 300 })
    await assert.rejects(call(auth), lost)
    answers(broken)
    await assert.rejects(call(manager()), lost)
    assert.equal(refreshes(), 4)
  })

  it('stays itself if the refresh does not reach the server either', async () => {
    answers(broken)
    const auth = manager({ unauthorized })
    await auth.refresh()
    routes['/refresh'] = broken
    await assert.rejects(call(auth), { name: 'TypeError' })
  })

  it('that is an abort stays an abort', async () => {
    const abort = new AbortController()
    answers()
    const auth = manager({ unauthorized })
    routes['/api/me'] = () => (abort.abort('enough'), Promise.reject(abort.signal.reason))
    await assert.rejects(call(auth, { signal: abort.signal }), (reason) => reason === 'enough')
    assert.equal(refreshes(), 1)
  })
})

describe('a token in the URL', () => {
  const attach = { query: 'access_token' }
  const last = () => sent.at(-1)

  it('is in the query, and nowhere else', async () => {
    answers(status(200), status(401), status(200), status(500))
    routes['/refresh'] = () => json({ access_token: 'a+b/c=&d' })
    const auth = manager({ attach })
    await api(auth)
    assert.equal(last().search, '?access_token=a%2Bb%2Fc%3D%26d')
    assert.equal(last().headers.get('authorization'), null)
    await auth.fetch(`${ORIGIN}/api/me?x=1#y`, { headers: { 'X-A': '1' } })
    assert.equal(last().search, '?x=1&access_token=a%2Bb%2Fc%3D%26d')
    assert.equal(last().headers.get('x-a'), '1')
    await auth.fetch(new Request(`${ORIGIN}/api/me?x=1`, { method: 'POST', body: 'body', headers: { 'X-B': '2' } }))
    assert.equal(last().search, '?x=1&access_token=a%2Bb%2Fc%3D%26d')
    assert.deepEqual([last().method, last().headers.get('x-b'), await last().text()], ['POST', '2', 'body'])
  })

  it('is left alone if the request brings it', async () => {
    answers(status(401))
    const auth = manager({ attach })
    assert.equal((await auth.fetch(`${ORIGIN}/api/me?access_token=mine`)).status, 401)
    assert.equal(refreshes(), 0)
    assert.equal(last().search, '?access_token=mine')
  })

  it('is in no error, event, log or state', async () => {
    const SECRET = 's3cr3t'
    const said = []
    const { log, warn, error } = console
    Object.assign(console, {
      log: (...w) => said.push(...w),
      warn: (...w) => said.push(...w),
      error: (...w) => said.push(...w),
    })
    try {
      const auth = manager({ attach })
      await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
      for (const type of /** @type {const} */ (['signout', 'refresherror', 'change', 'stepup']))
        auth.addEventListener(type, (/** @type {any} */ event) =>
          said.push({ ...event, error: `${event.error?.stack}` }),
        )
      routes['/api/me'] = () => status(401)
      routes['/refresh'] = () => status(503)
      await api(auth).catch((error) => said.push(`${error.stack}`, { ...error }))
      routes['/refresh'] = () => Promise.reject(new TypeError('Failed to fetch'))
      await auth.refresh().catch((error) => said.push(`${error.stack}`, { ...error }))
      said.push(auth.state)
    } finally {
      Object.assign(console, { log, warn, error })
    }
    assert.ok(sent.some(({ search }) => search.includes(SECRET)))
    assert.ok(said.length > 4)
    assert.ok(!JSON.stringify(said).includes(SECRET))
  })
})

describe('a token in the browser’s cookie', () => {
  const csrf = { cookie: 'csrf_access', header: 'X-CSRF' }
  afterEach(() => delete globalThis.document)

  it('makes any success a session, and is put on nothing', async () => {
    routes['/refresh'] = () => new Response(null, { status: 204 })
    routes['/login'] = () => json({ login: true })
    const seen = [status(401), status(200)]
    routes['/api/me'] = () => seen.shift()
    const auth = manager({ attach: { cookie: true } })
    assert.deepEqual(await auth.login(`${ORIGIN}/login`), { login: true })
    assert.equal(auth.state.status, 'signed-in')
    assert.equal((await api(auth)).status, 200)
    assert.deepEqual(bearer(), [null, null])
    assert.equal(refreshes(), 1)
    routes['/refresh'] = () => new Response('<h1>Wi-Fi</h1>')
    await assert.rejects(auth.refresh(), { code: 'bad-answer' })
    routes['/refresh'] = () => status(401)
    await assert.rejects(auth.refresh(), { code: 'rejected' })
  })

  it('is guarded by double submit, read anew for each sending, for unsafe methods', async () => {
    let value = 1
    globalThis.document = /** @type {any} */ ({
      addEventListener() {},
      removeEventListener() {},
      baseURI: `${ORIGIN}/`,
      get cookie() {
        return `other=x; csrf_access=value-${value}`
      },
    })
    routes['/refresh'] = () => (value++, json({}))
    let refused = true
    routes['/api/me'] = () => ((refused = !refused), status(refused ? 200 : 401))
    const auth = manager({ attach: { cookie: true, csrf } })
    await auth.fetch(`${ORIGIN}/api/me`, { method: 'DELETE' })
    await auth.fetch(`${ORIGIN}/api/me`)
    const values = sent.filter(({ pathname }) => pathname === '/api/me').map(({ headers }) => headers.get('x-csrf'))
    assert.deepEqual(values, ['value-2', 'value-3', null, null])
  })
})

describe('the manager’s own calls', () => {
  afterEach(() => delete globalThis.document)

  it('have their own double submit, and header fields that are read for each sending', async () => {
    globalThis.document = /** @type {any} */ ({
      addEventListener() {},
      removeEventListener() {},
      baseURI: `${ORIGIN}/`,
      cookie: 'a=1; b=2; c=3',
    })
    let count = 0
    routes['/refresh'] = () => json({ access_token: 'one' })
    routes['/logout'] = () => status(200)
    const auth = manager({
      csrf: { cookie: 'a', header: 'X-A' },
      refresh: { url: refresh, csrf: { cookie: 'b', header: 'X-B' }, headers: () => ({ 'X-Count': `${++count}` }) },
      logout: { url: `${ORIGIN}/logout` },
    })
    await auth.refresh()
    await auth.refresh()
    await auth.logout()
    const fields = sent.map(({ headers }) => ['x-a', 'x-b', 'x-count'].map((name) => headers.get(name)))
    assert.deepEqual(fields, [
      [null, '2', '1'],
      [null, '2', '2'],
      ['1', null, null],
    ])
  })

  it('are not sent if a header function throws: the server was not reached', async () => {
    const fault = new Error('no key')
    const auth = manager({
      refresh: {
        url: refresh,
        headers: () => {
          throw fault
        },
      },
    })
    await assert.rejects(
      auth.refresh(),
      (/** @type {any} */ error) => error.code === 'network' && error.cause === fault,
    )
    assert.equal(sent.length, 0)
  })

  it('are not sent if a header function returns an invalid header field, and the core survives', async () => {
    routes['/refresh'] = () => json({ access_token: 'one' })
    for (const wrong of [{ 'a b': 'x' }, { a: 'x\r\ny' }, 'a: x', [['a']]]) {
      /** @type {any} */
      let given = wrong
      const auth = manager({ refresh: { url: refresh, headers: () => given } })
      await assert.rejects(
        auth.refresh(),
        (/** @type {any} */ error) => error.code === 'network' && error.cause instanceof TypeError,
      )
      assert.equal(sent.length, 0)
      given = new Headers({ 'X-Key': 'k' })
      await auth.refresh()
      assert.equal(sent.pop().headers.get('x-key'), 'k')
    }
  })

  it('end a session with the successful statuses, and with the requested token', async () => {
    routes['/logout'] = () => status(500)
    const logout = { url: `${ORIGIN}/logout`, success: [500], send: 'access' }
    const auth = manager({ logout })
    await auth.setTokens({ accessToken: 'one' })
    await auth.logout()
    assert.equal(sent[0].headers.get('authorization'), 'Bearer one')
    const other = manager({
      logout: { ...logout, send: 'refresh', body: { client_id: 'spa' } },
      refreshToken: { form: 'token' },
    })
    await other.setTokens({ accessToken: 'one', refreshToken: 'r1' })
    await other.logout()
    assert.equal(await sent[1].text(), 'client_id=spa&token=r1')
    const strict = manager({ logout: { ...logout, success: [] } })
    await strict.setTokens({ accessToken: 'one' })
    await assert.rejects(strict.logout(), { code: 'bad-status', status: 500 })
  })
})

describe('a token in an answer', () => {
  const adopt = { header: 'x-new-token' }

  it('is taken from any answer to a request with the newest token', async () => {
    answers(status(500, { 'x-new-token': 'two' }), status(200))
    const auth = manager({ adopt, refresh: false })
    await auth.setTokens({ accessToken: 'one', expiresIn: 0.001 })
    const heard = listen(auth)
    assert.equal((await api(auth)).status, 500)
    await api(auth)
    assert.deepEqual(bearer(), ['Bearer one', 'Bearer two'])
    assert.deepEqual(heard, ['refresh'])
  })

  it('is not taken twice, nor from an answer to an older token, nor into the next session', async () => {
    const late = []
    answers(...Array.from({ length: 3 }, () => new Promise((resolve) => late.push(resolve))), status(200), status(200))
    const auth = manager({ adopt })
    await auth.setTokens({ accessToken: 'one' })
    const calls = [api(auth), api(auth), api(auth)]
    late[0](status(200, { 'x-new-token': 'two' }))
    await calls[0]
    late[1](status(200, { 'x-new-token': 'stale' }))
    await calls[1]
    await api(auth)
    assert.equal(bearer().at(-1), 'Bearer two')
    await auth.logout()
    await auth.setTokens({ accessToken: 'bob' })
    late[2](status(200, { 'x-new-token': 'alice' }))
    await calls[2]
    await api(auth)
    assert.equal(bearer().at(-1), 'Bearer bob')
  })

  it('replaces a refresh', async () => {
    answers(status(401, { 'x-new-token': 'two' }), status(200))
    const auth = manager({ adopt })
    await auth.setTokens({ accessToken: 'one' })
    assert.equal((await api(auth)).status, 200)
    assert.deepEqual(bearer(), ['Bearer one', 'Bearer two'])
    assert.equal(refreshes(), 0)
  })
})

describe('a refresh function', () => {
  it('gets the refresh token, and returns the tokens', async () => {
    answers(status(401), status(401), status(200), status(200))
    const asked = []
    const refresh = async ({ refreshToken, signal }) => {
      asked.push([refreshToken, signal.aborted])
      return { accessToken: `token-${asked.length}`, refreshToken: 'r2', expiresIn: 300 }
    }
    const auth = manager({ refresh, apis })
    await auth.setTokens({ accessToken: 'token-0', refreshToken: 'r1' })
    const both = await Promise.all([api(auth), api(auth)])
    assert.deepEqual(both.map((response) => response.status).sort(), [200, 200])
    await auth.refresh()
    assert.deepEqual(asked, [
      ['r1', false],
      ['r2', false],
    ])
    assert.ok(auth.state.expiresAt)
  })

  it('refuses by returning null, and counts as an outage if it throws or returns no token', async () => {
    const fault = new Error('offline')
    let answer
    const auth = manager({ refresh: () => answer() })
    await auth.setTokens({ accessToken: 'one' })
    answer = () => {
      throw fault
    }
    await assert.rejects(
      auth.refresh(),
      (/** @type {any} */ error) => error.code === 'network' && error.retryable && error.cause === fault,
    )
    for (const odd of [undefined, {}, 'token', 5, [], { accessToken: 7 }, { accessToken: '' }]) {
      answer = () => odd
      await assert.rejects(auth.refresh(), { code: 'bad-answer', retryable: true })
    }
    assert.equal(auth.state.status, 'signed-in')
    answer = () => null
    const heard = listen(auth)
    await assert.rejects(
      auth.refresh(),
      (/** @type {any} */ error) => error.code === 'rejected' && error.status === undefined,
    )
    assert.deepEqual(heard, ['rejected'])
  })
})

describe('a wrong option', () => {
  const SECRET = 's3cr3t'
  const wrong = async (options, words) => {
    const auth = createTokenManager({ refresh, ...options })
    for (const call of [auth.ready, auth.fetch(`${ORIGIN}/api`), auth.refresh()]) {
      await assert.rejects(call, (/** @type {any} */ error) => {
        assert.deepEqual([error.code, error.retryable], ['invalid-option', false])
        assert.match(error.message, words)
        assert.match(error.message, /, and got \S/)
        assert.ok(!`${error.stack}`.includes(SECRET))
        return true
      })
    }
    assert.equal(sent.length, 0)
  }

  it('is named in the error, with what it takes', async () => {
    await wrong({ unauthorized: {} }, /`unauthorized` takes rules with at least one member/)
    await wrong({ unauthorized: { networkError: true, status: 401 } }, /`networkError` stands alone/)
    await wrong({ ended: { body: { path: 'a..b' } } }, /`ended.body.path` takes member names/)
    await wrong({ rejected: { body: { path: 'a | b' } } }, /`rejected.body.path` takes member names/)
    await wrong({ response: { accessToken: [] } }, /`response.accessToken` takes/)
    await wrong({ attach: { query: 'a b' } }, /`attach.query` takes/)
    for (const attach of [{ query: 't' }, { cookie: true }]) {
      await wrong({ attach, logout: { url: `${ORIGIN}/out`, send: 'access' } }, /`logout.send` takes/)
    }
    await wrong({ attach: { cookie: true }, exposeToken: true }, /`exposeToken` takes/)
    await wrong({ adopt: { header: 'x y' } }, /`adopt.header` takes/)
    await wrong({ csrf: { cookie: 'a;b', header: 'X' } }, /`csrf.cookie` takes/)
  })

  it('may throw while it is read, and leaks nothing', async () => {
    const thrower = () => {
      throw new Error(SECRET)
    }
    const auth = createTokenManager({
      refresh,
      get ended() {
        return thrower()
      },
    })
    await assert.rejects(auth.ready, { code: 'invalid-option', message: /could not be read/ })
  })

  it('may be huge', async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      body: { path: `a.${i}`, equals: Array(10).fill('x'.repeat(100)) },
    }))
    answers(status(200, {}, { a: [1] }))
    const auth = manager({ ended: many })
    assert.equal((await api(auth)).status, 200)
  })
})

describe('errors', () => {
  it('say what happened, at which endpoint, and what follows; no query and no URL of a login is in them', async () => {
    const auth = manager({ refresh: `${refresh}?client_secret=hush#too` })
    const link = `${ORIGIN}/login/magic-link`
    for (const [
      status,
      body,
      call,
      words,
    ] of /** @type {[number, object, () => Promise<unknown>, string | RegExp][]} */ ([
      [
        404,
        {},
        () => auth.refresh(),
        `Unexpected HTTP status 404 from the refresh endpoint (${refresh}); the session was kept.`,
      ],
      [
        200,
        { odd: true },
        () => auth.refresh(),
        new RegExp(
          `^No usable token from the refresh endpoint \\(${refresh}: .*access_token.*\\); the session was kept\\.$`,
        ),
      ],
      [
        401,
        {},
        () => auth.refresh(),
        `Refused: HTTP status 401 from the refresh endpoint (${refresh}); sign in again.`,
      ],
      [403, {}, () => auth.login(link), 'Refused: HTTP status 403 from the login endpoint.'],
      [500, {}, () => auth.login(link), 'Unexpected HTTP status 500 from the login endpoint.'],
    ])) {
      routes['/refresh'] = routes['/login/magic-link'] = () => json(body, { status })
      await assert.rejects(call, { message: words })
    }
  })
})
