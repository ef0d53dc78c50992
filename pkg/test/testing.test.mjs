// The double of tokenkeep/testing keeps the promises of the package: one list, checked against both.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { turns } from './support/turns.mjs'
import { double, jwt, real, REST } from './support/worlds.mjs'

const { isTokenError } = await import('tokenkeep')

/** Everything that a manager reports, in order: what happened, its details, and the state at that time. */
function watch(auth) {
  const told = []
  let before = auth.state
  for (const type of ['change', 'refresh', 'signout', 'refresherror', 'stepup']) {
    auth.addEventListener(type, (event) => {
      const { status, claims } = auth.state
      const fact = { type, status, sub: claims?.sub ?? null }
      for (const name of ['reason', 'answer', 'challenges']) if (name in event) fact[name] = event[name]
      if (event.error) fact.error = [event.error.code, event.error.retryable]
      if (type === 'change') {
        fact.isAnother = auth.state !== before
        before = auth.state
      }
      told.push(fact)
    })
  }
  return told
}

/** The outcome of a promise. */
const outcome = (promise) =>
  promise.then(
    (value) => ({ value }),
    (error) => (isTokenError(error) ? { code: error.code, retryable: error.retryable } : { thrown: error }),
  )

const change = (status, sub = null) => ({ type: 'change', status, sub, isAnother: true })
const refresh = (answer = REST) => ({ type: 'refresh', status: 'signed-in', sub: 'alice', answer })
const NO_ANSWER = { ...refresh(), answer: undefined }
const signout = (reason, error) => ({
  type: 'signout',
  status: 'signed-out',
  sub: null,
  reason,
  ...(error && { error }),
})
const OUTAGE = { code: 'network', retryable: true }
const REFUSED = { code: 'rejected', retryable: false }
const refreshError = (status, sub = null) => ({ type: 'refresherror', status, sub, error: ['network', true] })

const API = 'https://page.test/api/me'
const credentials = { body: new URLSearchParams({ password: 'wonderland' }) }
const signedIn = async (world, options) => {
  const made = world(options)
  await made.auth.ready
  await made.auth.login('/auth/login', credentials)
  return { ...made, told: watch(made.auth) }
}

/** The list of promises: what an app can see. */
const PROMISES = {
  async 'has the members of a manager, with their types'({ auth }) {
    const members = Object.getOwnPropertyNames(auth)
      .filter((name) => name !== 'test')
      .map((name) => [name, typeof auth[name], Object.keys(auth).includes(name)])
    assert.deepEqual(Object.fromEntries(members.map(([name, ...rest]) => [name, rest])), {
      ready: ['object', true],
      state: ['object', true],
      known: ['function', true],
      fetch: ['function', true],
      login: ['function', true],
      exchange: ['function', true],
      signedIn: ['function', true],
      setTokens: ['function', true],
      refresh: ['function', true],
      logout: ['function', true],
      getAccessToken: ['function', true],
      peekAccessToken: ['function', true],
      subscribe: ['function', true],
      addEventListener: ['function', true],
      removeEventListener: ['function', true],
      dispose: ['function', true],
    })
  },

  async 'starts unknown, with a frozen state that stays the same object'({ auth }) {
    await auth.ready
    assert.deepEqual({ ...auth.state }, { status: 'unknown', claims: null, expiresAt: null, sessionExpiresAt: null })
    assert.ok(Object.isFrozen(auth.state))
    assert.equal(auth.state, auth.state)
  },

  async 'ready resolves to nothing'({ auth }) {
    assert.equal(await auth.ready, undefined)
  },

  async 'login resolves to the rest of the JSON, which belongs to the caller, after the change was reported'({ auth }) {
    const told = watch(auth)
    const order = []
    auth.subscribe(() => order.push('change'))
    const rest = await auth.login('/auth/login', credentials).finally(() => order.push('login'))
    assert.deepEqual(rest, REST)
    rest.mine = true
    assert.deepEqual(told, [change('signed-in', 'alice')])
    assert.deepEqual(order, ['change', 'login'])
    assert.ok(Object.isFrozen(auth.state.claims.roles))
  },

  async 'a refused login rejects, leaves the answer unread, and changes nothing'({ auth, server }) {
    server.refusesLogin()
    const told = watch(auth)
    const { state } = auth
    for (const time of [1, 2]) {
      const error = await auth.login('/auth/login', credentials).catch((error) => error)
      assert.ok(isTokenError(error) && error instanceof Error, `time ${time}`)
      assert.deepEqual([error.name, error.code, error.retryable, error.status], ['TokenError', 'rejected', false, 401])
      const { cause } = /** @type {{ cause?: any }} */ (error)
      assert.deepEqual(await cause.json(), { error: 'wrong_password' })
      assert.deepEqual(Object.keys(error).sort(), ['code', 'retryable', 'status'])
    }
    assert.deepEqual(told, [])
    assert.equal(auth.state, state)
  },

  async 'a login during an outage is retryable'({ auth, server }) {
    server.isDown(true)
    assert.deepEqual(await outcome(auth.login('/auth/login', credentials)), OUTAGE)
    assert.equal(auth.state.status, 'unknown')
    server.isDown(false)
    assert.deepEqual(await auth.login('/auth/login', credentials), REST)
  },

  async 'a value that is no URL is an invalid argument'({ auth }) {
    for (const name of ['login', 'exchange']) assert.equal((await outcome(auth[name]())).code, 'invalid-argument', name)
    assert.equal((await outcome(auth.setTokens({ accessToken: 5 }))).code, 'invalid-argument')
    assert.equal((await outcome(auth.setTokens())).code, 'invalid-argument')
    assert.equal((await outcome(auth.logout({}))).code, 'invalid-argument')
  },

  async 'a logout ends the session in its turn, whatever follows'(_, world) {
    const { auth, server, told } = await signedIn(world)
    server.isDown(true)
    const over = outcome(auth.logout('/auth/logout'))
    assert.equal(auth.state.status, 'signed-out')
    assert.deepEqual(told, [change('signed-out'), signout('logout')])
    assert.deepEqual(await over, OUTAGE)
    assert.equal(told.length, 2)
  },

  async 'a logout takes no argument, or an event'(_, world) {
    for (const args of [[], [new Event('click')]]) {
      const { auth } = await signedIn(world)
      assert.equal(await auth.logout(...args), undefined)
      assert.equal(auth.state.status, 'signed-out')
    }
  },

  async 'logging out when signed out reports nothing'(_, world) {
    const { auth, told } = await signedIn(world)
    await auth.logout()
    told.length = 0
    const { state } = auth
    await auth.logout()
    assert.deepEqual(told, [])
    assert.equal(auth.state, state)
  },

  async 'a login that was overtaken by a logout begins no session'({ auth, server }) {
    await auth.ready
    const release = server.hold('login')
    const login = outcome(auth.login('/auth/login', credentials))
    await turns()
    const logout = auth.logout()
    release()
    assert.equal((await login).code, 'session-changed')
    await logout
    assert.equal(auth.state.status, 'signed-out')
  },

  async "known waits for the server's answer, and asks once"({ auth, server }) {
    server.knows('alice')
    const told = watch(auth)
    const [one, other] = await Promise.all([auth.known(), auth.known()])
    assert.equal(one, auth.state)
    assert.equal(other, one)
    assert.deepEqual(told, [change('signed-in', 'alice'), refresh()])
    assert.equal(await auth.known(), one)
    assert.equal(told.length, 2)
  },

  async 'known resolves when signed out'({ auth }) {
    const told = watch(auth)
    assert.equal((await auth.known()).status, 'signed-out')
    assert.deepEqual(told, [change('signed-out')])
  },

  async 'known rejects during an outage, and asks again next time'({ auth, server }) {
    server.isDown(true)
    const told = watch(auth)
    assert.deepEqual(await outcome(auth.known()), OUTAGE)
    assert.equal(auth.state.status, 'unknown')
    assert.deepEqual(told, [refreshError('unknown')])
  },

  async 'known resolves if a logout decides it'({ auth, server }) {
    await auth.ready
    const release = server.hold('refresh')
    const known = auth.known()
    await turns()
    const logout = auth.logout()
    assert.equal((await known).status, 'signed-out')
    release()
    await logout
  },

  async "a call sends the token to the page's own origin only"(_, world) {
    const { auth, server } = await signedIn(world)
    const mine = await (await auth.fetch('/api/me')).json()
    assert.ok(server.named(mine.authorization.replace('Bearer ', '')))
    await auth.fetch(new URL(API), { headers: [['x-own', '1']] })
    await auth.fetch(new Request(API, { method: 'PUT', body: 'x' }))
    assert.deepEqual(
      server.requests().map(({ url, method }) => [url, method]),
      [
        [API, 'GET'],
        [API, 'GET'],
        [API, 'PUT'],
      ],
    )
    assert.deepEqual(
      new Set(server.requests().map(({ authorization }) => authorization)),
      new Set([mine.authorization]),
    )
    assert.equal((await (await auth.fetch('https://elsewhere.test/')).json()).authorization, null)
    await auth.fetch(new Request('https://elsewhere.test/', { method: 'PUT', body: 'x' }))
    assert.equal(server.requests().at(-1).method, 'PUT')
    assert.equal(
      (await (await auth.fetch(API, { headers: { authorization: 'Basic x' } })).json()).authorization,
      'Basic x',
    )
    assert.equal((await (await auth.fetch(API, { mode: 'no-cors' })).json()).authorization, null)
  },

  async 'fetch works detached, and resolves to a Response'(_, world) {
    const { auth } = await signedIn(world)
    const { fetch } = auth
    assert.ok((await fetch('/api/me')) instanceof Response)
  },

  async 'a call in an unknown state waits until it is known'({ auth, server }) {
    server.knows('alice')
    const release = server.hold('refresh')
    const call = auth.fetch('/api/me')
    await turns()
    assert.deepEqual(server.requests(), [])
    release()
    assert.match((await (await call).json()).authorization, /^Bearer ./)
    assert.equal(auth.state.status, 'signed-in')
  },

  async 'a call is sent without a token when signed out'({ auth }) {
    assert.deepEqual(await (await auth.fetch('/api/me')).json(), { authorization: null })
    assert.equal(auth.state.status, 'signed-out')
  },

  async 'during an outage a call is not sent, and its error is retryable'({ auth, server }) {
    server.isDown(true)
    assert.deepEqual(await outcome(auth.fetch('/api/me', { method: 'POST' })), OUTAGE)
    assert.deepEqual(server.requests(), [])
    assert.equal(auth.state.status, 'unknown')
  },

  async 'a call that waited while the user signed out is not sent'({ auth, server }) {
    await auth.ready
    const release = server.hold('refresh')
    const call = outcome(auth.fetch('/api/me'))
    const token = outcome(auth.refresh())
    await turns()
    const logout = auth.logout()
    release()
    assert.equal((await call).code, 'session-changed')
    assert.equal((await token).code, 'session-changed')
    await logout
    assert.deepEqual(server.requests(), [])
  },

  async "the caller's signal ends the wait with its reason"({ auth, server }) {
    await auth.ready
    const release = server.hold('refresh')
    const controller = new AbortController()
    const reason = new Error('enough')
    const call = outcome(auth.fetch('/api/me', { signal: controller.signal }))
    await turns()
    controller.abort(reason)
    assert.deepEqual(await call, { thrown: reason })
    assert.deepEqual(await outcome(auth.fetch('/api/me', { signal: controller.signal })), { thrown: reason })
    assert.deepEqual(await outcome(auth.login('/auth/login', { signal: controller.signal })), { thrown: reason })
    release()
  },

  async 'a token past its end is renewed first, once for all calls'(_, world) {
    const { auth, server, told } = await signedIn(world)
    const [before] = [await (await auth.fetch('/api/me')).json()]
    server.knows('alice')
    server.expires()
    const answers = await Promise.all([1, 2, 3].map(async () => (await auth.fetch('/api/me')).json()))
    assert.deepEqual(told, [change('signed-in', 'alice'), refresh()])
    assert.equal(new Set(answers.map(({ authorization }) => authorization)).size, 1)
    assert.notEqual(answers[0].authorization, before.authorization)
  },

  async 'a refresh brings a new state, and then the answer, frozen'(_, world) {
    const { auth, server, told } = await signedIn(world)
    server.knows('alice')
    let answer
    auth.addEventListener('refresh', (event) => (answer = event.answer))
    assert.equal(await auth.refresh(), undefined)
    assert.deepEqual(told, [change('signed-in', 'alice'), refresh()])
    assert.ok(Object.isFrozen(answer) && Object.isFrozen(answer.user))
  },

  async 'a refresh during an outage keeps the session'(_, world) {
    const { auth, server, told } = await signedIn(world)
    server.isDown(true)
    const { state } = auth
    assert.deepEqual(await outcome(auth.refresh()), OUTAGE)
    assert.deepEqual(told, [refreshError('signed-in', 'alice')])
    assert.equal(auth.state, state)
  },

  async 'a refused refresh ends the session, once'(_, world) {
    const { auth, server, told } = await signedIn(world)
    server.ends()
    const all = await Promise.all([outcome(auth.refresh()), outcome(auth.refresh())])
    assert.deepEqual(all, [REFUSED, REFUSED])
    assert.deepEqual(told, [change('signed-out'), signout('rejected', ['rejected', false])])
    assert.deepEqual(await outcome(auth.refresh()), REFUSED)
    assert.equal(told.length, 2)
  },

  async 'a step-up is reported with its challenges, and the answer goes to the caller'(_, world) {
    const { auth, told } = await signedIn(world)
    assert.equal((await auth.fetch('/api/step-up')).status, 401)
    assert.deepEqual(JSON.parse(JSON.stringify(told)), [
      {
        type: 'stepup',
        status: 'signed-in',
        sub: 'alice',
        challenges: [{ scheme: 'bearer', parameters: { error: 'insufficient_user_authentication', acr_values: '2' } }],
      },
    ])
  },

  async 'an answer that ends the session goes to the caller, and the reason says so'(_, world) {
    const { auth, told } = await signedIn(world)
    assert.equal((await auth.fetch('/api/ended')).status, 440)
    assert.deepEqual(told, [change('signed-out'), signout('ended')])
  },

  async 'arguments that the platform refuses cause its own TypeError'({ auth }) {
    await auth.ready
    for (const args of [[], ['http://'], ['/x', { method: 'a b' }], ['/x', { body: 'b' }]])
      await assert.rejects(auth.fetch(...args), TypeError, String(args[0]))
  },

  async 'setTokens begins a session; a newer token of the same user renews it'({ auth }) {
    const told = watch(auth)
    assert.equal(await auth.setTokens({ accessToken: jwt('alice'), expiresIn: 300 }), undefined)
    assert.ok(Math.abs(auth.state.expiresAt - Date.now() - 300_000) < 5_000)
    await auth.setTokens({ accessToken: jwt('alice') })
    await auth.setTokens({ accessToken: jwt('bob') })
    await auth.setTokens({ accessToken: 'opaque' })
    await auth.setTokens({ accessToken: 'another' })
    assert.deepEqual(told, [
      change('signed-in', 'alice'),
      change('signed-in', 'alice'),
      NO_ANSWER,
      change('signed-in', 'bob'),
      change('signed-in'),
      change('signed-in'),
    ])
    assert.equal(auth.state.claims, null)
    await auth.setTokens({ accessToken: `${jwt('bob')}.encrypted.too` })
    assert.equal(auth.state.claims, null)
  },

  async 'setTokens with the current token renews it'({ auth }) {
    const accessToken = jwt('alice')
    await auth.setTokens({ accessToken })
    const told = watch(auth)
    await auth.setTokens({ accessToken })
    assert.deepEqual(told, [change('signed-in', 'alice'), NO_ANSWER])
  },

  async 'an exchange needs a session, and begins another'({ auth }, world) {
    assert.equal((await outcome(auth.exchange('/auth/exchange'))).code, 'signed-out')
    const { auth: mine, told } = await signedIn(world)
    assert.deepEqual(await mine.exchange('/auth/exchange'), REST)
    assert.deepEqual(told, [change('signed-in', 'bob')])
  },

  async 'signedIn makes the state unknown'(_, world) {
    const { auth, server, told } = await signedIn(world)
    assert.equal(await auth.signedIn(), undefined)
    assert.deepEqual(told, [change('unknown')])
    server.knows('bob')
    assert.equal((await auth.known()).claims.sub, 'bob')
  },

  async 'signedIn changes nothing if the state was unknown'({ auth }) {
    await auth.ready
    const told = watch(auth)
    await auth.signedIn()
    assert.deepEqual(told, [])
  },

  async 'the token is handed out only if the app has allowed it'(_, world) {
    const { auth } = await signedIn(world)
    assert.equal((await outcome(auth.getAccessToken())).code, 'not-exposed')
    assert.throws(
      () => auth.peekAccessToken(),
      (error) => isTokenError(error) && error.code === 'not-exposed',
    )
  },

  async 'getAccessToken returns the token, and peekAccessToken the current one'(_, world) {
    const { auth, server } = world({ exposeToken: true })
    await auth.ready
    assert.equal(auth.peekAccessToken(), undefined)
    server.knows('alice')
    const token = await auth.getAccessToken()
    assert.ok(server.named(token))
    assert.equal(auth.peekAccessToken(), token)
    const logout = auth.logout()
    assert.equal(auth.peekAccessToken(), undefined)
    await logout
    assert.equal((await outcome(auth.getAccessToken())).code, 'signed-out')
  },

  async 'a refused token is never handed out again, and costs one refresh'(_, world) {
    const { auth, server, told } = await signedIn(world, { exposeToken: true })
    const refused = await auth.getAccessToken()
    server.knows('alice')
    const renewed = await Promise.all([auth.getAccessToken({ refused }), auth.getAccessToken({ refused })])
    assert.notEqual(renewed[0], refused)
    assert.equal(renewed[0], renewed[1])
    assert.equal(await auth.getAccessToken({ refused }), renewed[0])
    assert.deepEqual(told, [change('signed-in', 'alice'), refresh()])
  },

  async 'refusing the next token, too, rejects with forbidden'(_, world) {
    const { auth, server } = await signedIn(world, { exposeToken: true })
    server.knows('alice')
    const by = '/api/upload'
    const renewed = await auth.getAccessToken({ refused: await auth.getAccessToken(), by })
    assert.equal((await outcome(auth.getAccessToken({ refused: renewed, by }))).code, 'forbidden')
    assert.equal(await auth.getAccessToken(), renewed)
  },

  async 'reporting a token of another session gets no token of this one'(_, world) {
    const { auth, server } = await signedIn(world, { exposeToken: true })
    const theirs = await auth.getAccessToken()
    await auth.setTokens({ accessToken: jwt('bob') })
    const { state } = auth
    assert.deepEqual(await outcome(auth.getAccessToken({ refused: theirs })), {
      code: 'session-changed',
      retryable: false,
    })
    assert.equal(auth.state, state)
    await auth.logout()
    assert.equal((await outcome(auth.getAccessToken({ refused: theirs }))).code, 'signed-out')
    await auth.login('/auth/login', credentials)
    assert.equal((await outcome(auth.getAccessToken({ refused: theirs, by: API }))).code, 'session-changed')
    await auth.signedIn()
    server.knows('alice')
    assert.equal((await outcome(auth.getAccessToken({ refused: theirs }))).code, 'session-changed')
  },

  async 'a subscriber is called for each change until it unsubscribes'(_, world) {
    const { auth } = await signedIn(world)
    let calls = 0
    const listener = () => calls++
    const ends = [auth.subscribe(listener), auth.subscribe(listener)]
    await auth.setTokens({ accessToken: jwt('bob') })
    assert.equal(calls, 2)
    ends[0]()
    ends[0]()
    await auth.logout()
    assert.equal(calls, 3)
    ends[1]()
    await auth.login('/auth/login', credentials)
    assert.equal(calls, 3)
  },

  async 'listeners work as on an EventTarget: objects, once, signals, duplicates'({ auth }) {
    await auth.ready
    const heard = []
    const object = { handleEvent: ({ type }) => heard.push(type) }
    auth.addEventListener('change', object)
    auth.addEventListener('change', object)
    auth.addEventListener('change', () => heard.push('once'), { once: true })
    auth.addEventListener('change', () => heard.push('never'), { signal: AbortSignal.abort() })
    await auth.setTokens({ accessToken: 'a' })
    auth.removeEventListener('change', object)
    await auth.setTokens({ accessToken: 'b' })
    assert.deepEqual(heard, ['change', 'once'])
  },

  async 'a listener that calls the manager hears one event after the other'(_, world) {
    const { auth } = await signedIn(world)
    const heard = []
    auth.addEventListener('signout', () => {
      heard.push('signout begins')
      void auth.setTokens({ accessToken: jwt('bob') })
      assert.equal(auth.state.status, 'signed-in')
      heard.push('signout ends')
    })
    auth.addEventListener('change', () => heard.push(`change ${auth.state.status}`))
    assert.equal((await outcome(auth.logout())).code, 'session-changed')
    assert.deepEqual(heard, ['change signed-out', 'signout begins', 'signout ends', 'change signed-in'])
  },

  async 'a disposed manager reports nothing, and rejects every call and waiter'(_, world) {
    const { auth, server } = world({ exposeToken: true })
    await auth.ready
    const told = watch(auth)
    const release = server.hold('refresh')
    const waits = [auth.fetch('/api/me'), auth.known(), auth.refresh(), auth.getAccessToken()].map(outcome)
    await turns()
    auth.dispose()
    auth.dispose()
    const calls = [
      auth.fetch('/api/me'),
      auth.known(),
      auth.refresh(),
      auth.getAccessToken(),
      auth.login('/auth/login'),
      auth.exchange('/auth/exchange'),
      auth.logout(),
      auth.signedIn(),
      auth.setTokens({ accessToken: 'a' }),
    ].map(outcome)
    for (const { code } of await Promise.all([...waits, ...calls])) assert.equal(code, 'disposed')
    assert.equal(auth.peekAccessToken(), undefined)
    release()
    await turns()
    assert.deepEqual(told, [])
  },
}

for (const world of [real, double]) {
  describe(world === real ? 'the package' : 'its double', () => {
    for (const [name, body] of Object.entries(/** @type {Record<string, Function>} */ (PROMISES))) {
      it(name, { timeout: 10_000 }, async (t) => {
        const made = []
        const make = (options) => (made.push(world(options)), made.at(-1))
        t.after(() => made.forEach(({ auth }) => auth.dispose()))
        await body(make(), make)
      })
    }
  })
}
