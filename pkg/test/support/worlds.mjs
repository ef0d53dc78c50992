// The package with a test server, and its double: both have the same controls, so that one list of promises is checked against both.
// `server` is what the test does to the world; the app's side is the manager alone.

import './page.mjs'

const { createTokenManager } = await import('tokenkeep')
const { createTestTokenManager } = await import('tokenkeep/testing')

const CLAIMS = { alice: { sub: 'alice', roles: ['editor'] }, bob: { sub: 'bob', roles: [] } }
/** What the server's answer contains besides the tokens. */
export const REST = { token_type: 'Bearer', user: { name: 'alice' } }

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
let tokens = 0
/** A JWT, a different one each time. */
export const jwt = (user) => `${part({ alg: 'none' })}.${part({ ...CLAIMS[user], jti: ++tokens })}.x`

const gate = () => {
  let open
  const opened = new Promise((resolve) => (open = resolve))
  return { open, opened }
}

/** The package. Every token is good until the test says otherwise; each session has one user, identified by a cookie. */
export function real(options) {
  let cookie
  let isDown = false
  let refusesLogin = false
  let current
  const gates = {}
  const seen = []
  const json = (value, status = 200, headers) => Response.json(value, { status, headers })
  const grant = (user) => json({ access_token: (current = jwt(user)), ...REST })
  const routes = {
    '/auth/refresh': () => (cookie ? grant(cookie) : json({ error: 'no_session' }, 401)),
    '/auth/login': () => (refusesLogin ? json({ error: 'wrong_password' }, 401) : grant((cookie = 'alice'))),
    '/auth/exchange': () => grant((cookie = 'bob')),
    '/auth/logout': () => ((cookie = undefined), new Response(null, { status: 204 })),
    '/api/ended': () => json({ error: 'session_revoked' }, 440),
    '/api/step-up': () =>
      json({}, 401, { 'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="2"' }),
  }
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { pathname } = new URL(request.url)
    const authorization = request.headers.get('authorization')
    seen.push({ url: request.url, method: request.method, authorization })
    await gates[pathname]?.opened
    if (isDown && pathname.startsWith('/auth/')) throw new TypeError('fetch failed')
    if (routes[pathname]) return routes[pathname]()
    request.signal.throwIfAborted()
    return authorization?.startsWith('Bearer ') && authorization !== `Bearer ${current}`
      ? json({ error: 'invalid_token' }, 401)
      : json({ authorization })
  }
  const auth = createTokenManager({
    refresh: '/auth/refresh',
    logout: '/auth/logout',
    ended: { status: 440 },
    tabs: 'off',
    ...options,
  })
  return {
    auth,
    server: {
      knows: (user) => void (cookie = user),
      isDown: (is) => void (isDown = is),
      refusesLogin: () => void (refusesLogin = true),
      ends: () => void (cookie = undefined),
      hold: (name) => {
        const { open, opened } = gate()
        gates[`/auth/${name}`] = { opened }
        return open
      },
      /** The API no longer accepts the token. */
      expires: () => void (current = undefined),
      requests: () => seen.filter(({ url }) => !url.includes('/auth/')),
      // The package does not verify tokens.
      named: (token) => typeof token === 'string' && token.split('.').length === 3,
    },
  }
}

/** The double. @param {{ exposeToken?: boolean }} [options] */
export function double({ exposeToken } = {}) {
  const seen = []
  const auth = createTestTokenManager({
    exposeToken,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const authorization = request.headers.get('authorization')
      seen.push({ url: request.url, method: request.method, authorization })
      request.signal.throwIfAborted()
      return Response.json({ authorization })
    },
  })
  const { test } = auth
  const session = (user) => ({ claims: { ...CLAIMS[user], jti: ++tokens } })
  test.fail('refresh', 'rejected')
  test.answer('login', { json: REST, session: session('alice') })
  test.answer('exchange', { json: REST, session: session('bob') })
  // The test decides what these answers mean to the package.
  test.respond('/api/ended', () => {
    test.signOut('ended')
    return Response.json({ error: 'session_revoked' }, { status: 440 })
  })
  test.respond('/api/step-up', () => {
    test.stepUp([{ scheme: 'bearer', parameters: { error: 'insufficient_user_authentication', acr_values: '2' } }])
    return Response.json({}, { status: 401 })
  })
  const knows = (user) => {
    test.recover('refresh')
    test.answer('refresh', { json: REST, session: session(user) })
  }
  return {
    auth,
    server: {
      knows,
      isDown(is) {
        if (is)
          for (const method of /** @type {const} */ (['refresh', 'login', 'logout', 'exchange']))
            test.fail(method, 'network', { cause: new TypeError('fetch failed') })
        else test.recover()
      },
      refusesLogin: () =>
        test.fail('login', 'rejected', { cause: Response.json({ error: 'wrong_password' }, { status: 401 }) }),
      ends: () => test.fail('refresh', 'rejected', { cause: Response.json({ error: 'no_session' }, { status: 401 }) }),
      hold: (name) => test.hold(name),
      expires: () => test.expire(),
      requests: () => seen,
      named: (token) => /^test-token-\d+$/.test(token),
    },
  }
}
