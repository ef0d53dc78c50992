// The inspector reports every decision of a manager, and no secret.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import './support/page.mjs'
import { load } from './support/bundle.mjs'
import { createTokenManager } from '../dist/index.js'
import { inspect } from '../dist/session/inspector.js'

const ORIGIN = 'https://app.test'
const platform = globalThis.fetch
const SECRET = 's3cr3t'

let routes
let auth
let inspector

beforeEach(() => {
  routes = {
    '/refresh': () => Response.json({ access_token: `${SECRET}-token`, expires_in: 300 }),
    '/login': () => Response.json({ access_token: `${SECRET}-token`, expires_in: 300, sub: SECRET }),
  }
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    request.signal.throwIfAborted()
    return routes[new URL(request.url).pathname](request)
  }
})

afterEach(() => {
  inspector?.dispose()
  auth?.dispose()
  globalThis.fetch = platform
})

function start(options) {
  auth = createTokenManager({ refresh: `${ORIGIN}/refresh`, apis: [`${ORIGIN}/api`], ...options })
  inspector = inspect(auth, { console: false, limit: 500 })
}

/** @param {Function} first @param {Function} [then] */
const once = (first, then = () => Response.json({})) => {
  let isFirst = true
  return (request) => {
    if (!isFirst) return then(request)
    isFirst = false
    return first(request)
  }
}
const refused = () => Response.json({}, { status: 401 })
/** The inspector hears of the end after the caller. */
const call = (path, init) => auth.fetch(`${ORIGIN}${path}`, init).finally(() => new Promise(setImmediate))
/** The calls, without times. */
const calls = () => inspector.entries.filter(({ kind }) => kind === 'call')
const told = () =>
  calls().map(({ method, url, decision, sendings, status, error }) => [
    method,
    url.replace(ORIGIN, ''),
    decision,
    sendings.map(({ token, status, error }) => `${token ? 'token' : 'bare'} ${status ?? error}`).join(', '),
    status ?? error,
  ])
const texts = () => inspector.entries.map(({ text }) => text)

describe('a call', () => {
  it('that leaves at once is reported with its answer', async () => {
    start()
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/api/me'] = () => Response.json({})
    await call('/api/me', { method: 'delete' })
    assert.deepEqual(told(), [['DELETE', '/api/me', 'sent', 'token 200', 200]])
    assert.equal(calls()[0].text, 'Sent with the token.')
    assert.equal(typeof calls()[0].took, 'number')
  })

  it('that waits for the first token says why', async () => {
    start()
    routes['/api/me'] = () => Response.json({})
    await call('/api/me')
    assert.deepEqual(told(), [['GET', '/api/me', 'waited', 'token 200', 200]])
    assert.match(
      calls()[0].text,
      /^Waited: it was not known yet whether the user is signed in\. Sent with the token\.$/,
    )
  })

  it('that waits is listed before it ends', async () => {
    start()
    await auth.ready
    let answer
    routes['/refresh'] = () => new Promise((resolve) => (answer = resolve))
    routes['/api/me'] = () => Response.json({})
    const waiting = call('/api/me')
    assert.deepEqual(told(), [['GET', '/api/me', 'waited', '', undefined]])
    while (!answer) await new Promise(setImmediate)
    answer(Response.json({ access_token: 'x', expires_in: 300 }))
    await waiting
    assert.deepEqual(told(), [['GET', '/api/me', 'waited', 'token 200', 200]])
  })

  it('with an ended token, or one near its end, says so', async (t) => {
    let passed = 0
    for (const clock of [Date, performance]) {
      const began = clock.now()
      t.mock.method(clock, 'now', () => began + passed)
    }
    start()
    routes['/api/me'] = () => Response.json({})
    await auth.setTokens({ accessToken: SECRET, expiresIn: 60 })
    passed = 61_000
    await call('/api/me')
    assert.match(calls()[0].text, /^Waited: the token had expired\./)
    const { callText } = await load("export { callText } from './session/inspector-words.js'")
    const waited = { decision: 'waited', sendings: [], url: `${ORIGIN}/api/me` }
    assert.equal(
      callText(waited, { status: 'signed-in', left: 19_001 }, [], 'signed-in'),
      'Waited: the token was about to expire, in 20 s.',
    )
    assert.equal(
      callText(waited, { status: 'signed-in', left: 200_000 }, [], 'signed-in'),
      'Waited: an API had refused the token, or the session was changing.',
    )
  })

  it('that is refused and sent again shows both', async () => {
    start()
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/api/me'] = once(refused)
    await call('/api/me')
    assert.deepEqual(told(), [['GET', '/api/me', 'sent', 'token 401, token 200', 200]])
    assert.equal(calls()[0].text, 'Sent with the token. Refused (401), and sent again with a newer token.')
  })

  it('that is refused twice goes to the caller', async () => {
    start()
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/api/me'] = refused
    await call('/api/me')
    assert.deepEqual(told()[0].slice(3), ['token 401, token 401', 401])
    assert.match(calls()[0].text, /Refused again: the caller got this 401\.$/)
  })

  it('that is refused and not sent again says why', async () => {
    start()
    routes['/api/me'] = refused
    const why = async (prepare) => {
      await prepare()
      await call('/api/me')
      return calls().at(-1).text
    }
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    const stepUp = { 'WWW-Authenticate': 'Bearer error="insufficient_user_authentication"' }
    routes['/api/me'] = () => Response.json({}, { status: 401, headers: stepUp })
    assert.match(await why(() => {}), /not sent again: the answer asks for a new login\.$/)
    routes['/api/me'] = refused
    routes['/refresh'] = () => Response.json({ error: 'invalid_grant' }, { status: 400 })
    assert.match(await why(() => {}), /not sent again: the session has ended\.$/)
    assert.match(
      await why(() => {}),
      /^Sent without a token: nobody is signed in\. Refused \(401\), and not sent again: nobody is signed in\.$/,
    )
    await auth.setTokens({ accessToken: `${SECRET}3`, expiresIn: 300 })
    routes['/api/me'] = () =>
      Response.json({}, { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } })
    assert.match(await why(() => {}), /not sent again: a new token would not help \(the user may not do this\)/)
  })

  it('outside `apis` is reported without a token, and says what to do once it is refused', async () => {
    start()
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/other'] = refused
    await call('/other')
    assert.deepEqual(told(), [[undefined, '/other', 'passed', '', 401]])
    assert.match(
      calls()[0].text,
      /^Sent without the token: https:\/\/app\.test is not in `apis`, or this is the refresh or logout endpoint\. The server refused it\. If this is your API, add it to `apis`\.$/,
    )
  })

  it('that brings its own Authorization, or is no-cors, is reported as such', async () => {
    start()
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/api/me'] = () => Response.json({})
    await call('/api/me', { headers: { authorization: `Basic ${SECRET}` } })
    await call('/api/me', { mode: 'no-cors' })
    assert.deepEqual(
      told().map(([, , decision, sendings, status]) => [decision, sendings, status]),
      Array(2).fill(['own', 'bare 200', 200]),
    )
  })

  it('that fails is reported with the code of its error, or its name', async () => {
    start()
    await auth.ready
    routes['/refresh'] = () => new Response('', { status: 503 })
    await assert.rejects(call('/api/me'), { code: 'bad-status' })
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/api/me'] = refused
    await assert.rejects(call('/api/me'), { code: 'bad-status' })
    assert.equal(
      calls()[1].text,
      'Sent with the token. Refused (401), and not sent again: it got no new token. Failed with bad-status.',
    )
    await auth.setTokens({ accessToken: `${SECRET}2`, expiresIn: 300 })
    routes['/api/me'] = () => Promise.reject(new TypeError(SECRET))
    await assert.rejects(call('/api/me'), TypeError)
    await assert.rejects(
      call('/api/me', { signal: AbortSignal.abort({ name: `${SECRET} in words`, code: SECRET.repeat(20) }) }),
    )
    await assert.rejects(call('/api/me', { signal: AbortSignal.abort() }), { name: 'AbortError' })
    assert.deepEqual(
      told().map(([, , , , end]) => end),
      ['bad-status', 'bad-status', 'TypeError', 'error', 'AbortError'],
    )
    assert.match(calls()[0].text, /Failed with bad-status\.$/)
  })

  it('that was made before the package was loaded is reported when it is decided', async () => {
    start()
    routes['/api/me'] = () => Response.json({})
    const early = call('/api/me')
    assert.deepEqual(told(), [])
    await early
    assert.deepEqual(told().length, 1)
  })

  it('to a URL without a server is not reported', async () => {
    start()
    globalThis.fetch = platform
    await auth.ready
    await auth.fetch(`data:text/plain,${SECRET}`)
    await assert.rejects(auth.fetch('https://'))
    assert.deepEqual(told(), [])
  })
})

describe('events', () => {
  it('are described in sentences', async () => {
    start({ logout: `${ORIGIN}/logout` })
    routes['/logout'] = () => new Response(null, { status: 204 })
    await auth.login(`${ORIGIN}/login`, { body: SECRET })
    await auth.refresh()
    routes['/refresh'] = () => new Response('', { status: 503 })
    await assert.rejects(auth.refresh())
    await auth.logout()
    const events = inspector.entries.map(({ type, text }) => `${type}: ${text}`)
    assert.ok(events.includes('change: Signed in, with a token that expires in 300 s.'), events.join('\n'))
    assert.ok(events.includes('refresh: The server sent a new token.'))
    assert.ok(
      events.includes(
        'refresherror: A refresh failed: bad-status (503). The session was kept; the next refresh starts after a pause.',
      ),
    )
    assert.ok(events.includes('signout: The session ended: logout() was called in this tab.'))
  })

  it('say why a session ended', async () => {
    start({ ended: { status: 419 } })
    routes['/refresh'] = () => Response.json({}, { status: 401 })
    await auth.setTokens({ accessToken: SECRET })
    await assert.rejects(auth.refresh())
    await auth.setTokens({ accessToken: SECRET })
    routes['/api/me'] = () => new Response('', { status: 419 })
    await call('/api/me')
    const ends = inspector.entries.filter(({ type }) => type === 'signout').map(({ text }) => text)
    assert.deepEqual(ends, [
      'The session ended: the server refused the refresh (401).',
      'The session ended: an answer matched the option `ended`.',
    ])
  })

  it('show only the scheme and the error of a challenge', async () => {
    start()
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    const challenge = `Bearer realm="${SECRET}", error="insufficient_claims", claims="${SECRET}"`
    routes['/api/me'] = () => Response.json({}, { status: 401, headers: { 'WWW-Authenticate': challenge } })
    await call('/api/me')
    assert.ok(texts().includes('An answer asks for a new login: bearer insufficient_claims.'), texts().join('\n'))
  })

  it('say why a manager cannot work', async () => {
    start({ refreshBefore: 'soon' })
    await auth.ready.catch(() => {})
    await null
    assert.match(texts()[0], /^The manager did not start: .*`refreshBefore`/)
  })
})

describe('no secret', () => {
  it('is in any report: no header, body, query, claim or token', async () => {
    start({ attach: { query: 'access_token' } })
    const claims = Buffer.from(JSON.stringify({ sub: SECRET })).toString('base64url')
    routes['/login'] = () =>
      Response.json({ access_token: `e30.${claims}.${SECRET}`, expires_in: 300, refresh_token: SECRET })
    await auth.login(`${ORIGIN}/login?otp=${SECRET}`, { method: 'POST', body: SECRET, headers: { 'X-Key': SECRET } })
    routes['/api/me'] = once(refused, () => Response.json({ [SECRET]: SECRET }, { headers: { 'X-Key': SECRET } }))
    await call(`/api/me?key=${SECRET}#${SECRET}`, { method: 'POST', body: SECRET, headers: { 'X-Key': SECRET } })
    routes['/other'] = () => Response.json({})
    await call(`/other?key=${SECRET}#${SECRET}`)
    assert.equal(calls().length, 2)
    assert.ok(!JSON.stringify(inspector.entries).includes(SECRET), JSON.stringify(inspector.entries))
  })

  it('passes through the hook: it receives an address, a number, a method, a status, or a name', async () => {
    start()
    inspector.dispose()
    const heard = []
    const keep = (...words) => (heard.push(...words), keep)
    auth[Symbol.for('tokenkeep.watch')](keep)
    await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
    routes['/api/me'] = once(refused)
    await call(`/api/me?key=${SECRET}`, { method: 'POST', body: SECRET, headers: { 'X-Key': SECRET } })
    routes['/api/me'] = () => Promise.reject(new TypeError(SECRET, { cause: SECRET }))
    await assert.rejects(call('/api/me'))
    assert.ok(heard.includes(401) && heard.includes('TypeError'))
    assert.ok(heard.every((word) => ['string', 'number', 'boolean', 'undefined'].includes(typeof word)))
    assert.ok(!JSON.stringify(heard).includes(SECRET))
  })
})

describe('inspecting', () => {
  it('changes nothing: not what is sent, the answer, or the error', async () => {
    const seen = []
    const run = async () => {
      const sent = []
      globalThis.fetch = async (input, init) => {
        const request = new Request(input, init)
        sent.push([request.method, request.url, [...request.headers], await request.text()])
        return routes[new URL(request.url).pathname](request)
      }
      routes['/api/me'] = once(refused)
      await auth.setTokens({ accessToken: 'same', expiresIn: 300 })
      const response = await call('/api/me', { method: 'PUT', body: 'x' })
      const failure = await call('/api/none').catch((error) => `${error}`)
      const other = await call('/other').catch((error) => `${error}`)
      seen.push({ sent, is: response instanceof Response, status: response.status, failure, other })
    }
    start()
    await run()
    inspector.dispose()
    auth.dispose()
    start()
    inspector.dispose()
    await run()
    assert.deepEqual(seen[0], seen[1])
  })

  it('sees calls by functions that were taken off the manager before', async () => {
    auth = createTokenManager({ refresh: `${ORIGIN}/refresh`, apis: [`${ORIGIN}/api`] })
    const { fetch } = auth
    await auth.ready
    inspector = inspect(auth, { console: false })
    routes['/api/me'] = () => Response.json({})
    await fetch(`${ORIGIN}/api/me`)
    assert.equal(calls().length, 1)
  })

  it('ends with the last subscriber', async () => {
    start()
    const second = inspect(auth, { console: false })
    routes['/api/me'] = () => Response.json({})
    inspector.dispose()
    inspector.dispose()
    await call('/api/me')
    assert.equal(second.entries.filter(({ kind }) => kind === 'call').length, 1)
    second.dispose()
    await call('/api/me')
    assert.equal(second.entries.filter(({ kind }) => kind === 'call').length, 1)
  })

  it('keeps the newest entries, makes a new list for each change, and changes no entry', async () => {
    auth = createTokenManager({ refresh: `${ORIGIN}/refresh`, apis: [`${ORIGIN}/api`] })
    inspector = inspect(auth, { console: false, limit: 3 })
    routes['/api/me'] = () => Response.json({})
    const lists = new Set()
    inspector.subscribe(() => lists.add(inspector.entries))
    for (let n = 0; n < 5; n++) await call('/api/me')
    assert.equal(inspector.entries.length, 3)
    assert.ok(lists.size > 10)
    for (const list of lists) assert.ok(Object.isFrozen(list) && list.every((entry) => Object.isFrozen(entry)))
    inspector.clear()
    assert.deepEqual(inspector.entries, [])
  })

  it('survives a listener that throws: no call fails because of it', async () => {
    const reported = []
    globalThis.reportError = (error) => reported.push(error.message)
    start()
    inspector.subscribe(() => {
      throw new Error('of the app')
    })
    routes['/api/me'] = () => Response.json({})
    assert.equal((await call('/api/me')).status, 200)
    delete globalThis.reportError
    assert.ok(reported.length > 1)
  })

  it('logs a line to the console for each finished call and each event', async () => {
    const lines = []
    const { info, warn } = console
    console.info = (line) => lines.push(`info ${line}`)
    console.warn = (line) => lines.push(`warn ${line}`)
    try {
      auth = createTokenManager({ refresh: `${ORIGIN}/refresh`, apis: [`${ORIGIN}/api`] })
      inspector = inspect(auth)
      routes['/api/me'] = once(refused)
      await auth.setTokens({ accessToken: SECRET, expiresIn: 300 })
      await call('/api/me')
      routes['/api/me'] = refused
      await call('/api/me')
    } finally {
      Object.assign(console, { info, warn })
    }
    const of = lines.filter((line) => line.includes('/api/me'))
    assert.equal(of.length, 2)
    assert.match(
      of[0],
      /^info tokenkeep: GET https:\/\/app\.test\/api\/me 200 \(\d+ ms\): Sent with the token\. Refused \(401\), and sent again with a newer token\.$/,
    )
    assert.match(of[1], /^warn tokenkeep: GET .* 401 /)
    assert.ok(lines.includes('info tokenkeep: refresh: The server sent a new token.'))
    assert.ok(!lines.join().includes(SECRET))
  })

  it('a manager that does not report its calls says so, and reports its events', () => {
    const target = new EventTarget()
    const double = {
      state: { status: /** @type {const} */ ('signed-out'), claims: null, expiresAt: null, sessionExpiresAt: null },
      ready: Promise.resolve(),
      addEventListener: target.addEventListener.bind(target),
      removeEventListener: target.removeEventListener.bind(target),
    }
    inspector = inspect(double, { console: false })
    target.dispatchEvent(new Event('change'))
    assert.match(texts()[0], /reports only its events/)
    assert.equal(texts()[1], 'Signed out.')
  })

  it('nothing is a clear error', () => {
    for (const wrong of /** @type {any[]} */ ([undefined, null, {}, 5]))
      assert.throws(() => inspect(wrong), { code: 'invalid-argument', message: /inspect: takes a token manager/ })
  })
})
