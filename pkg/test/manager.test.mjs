// The manager with a test core: the promises that the TypeScript keeps whatever the core does.

import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { load } from './support/bundle.mjs'

/** The core that was made last; the test sets its answers. */
let core
let loads
globalThis.makeCore = (options, base, host, trapped) => (core = new FakeCore(options, base, host, trapped))

class FakeCore {
  /** What it is made with, and what the test looks up. @type {any} */
  options
  base
  /** @type {any} */
  host
  trapped
  tokens
  header = 'Authorization'
  calls = []
  disposed = 0
  way = 7
  settle = true

  constructor(options, base, host, trapped) {
    Object.assign(this, { options, base, host, trapped })
    if (options.refuse) throw host.error('invalid-option', 'option `refuse`', false)
  }
  changed(state = Object.freeze({ status: 'signed-in', claims: null, expiresAt: null })) {
    this.host.state(state)
    this.host.dispatch()
  }
  happened(...event) {
    this.host.emit(...event)
    this.host.dispatch()
  }

  depart(url) {
    this.calls.push(`depart ${url}`)
    return this.way
  }

  authorization(ticket) {
    this.calls.push(`authorization ${ticket}`)
    return ticket === 0 ? undefined : `Bearer ${ticket}`
  }

  settles(status) {
    this.calls.push(`settles ${status}`)
    return this.settle
  }

  signedIn = () => void this.calls.push('signedIn')
  follow = (call, ticket, response) => this.slow('follow', { call, ticket, response })
  fetch = (call) => this.slow('fetch', { call })
  login = (call, carriesToken) => this.slow('login', { call, carriesToken })
  logout = (call) => this.slow('logout', { call })
  refresh = (toKnow) => this.slow('refresh', { toKnow })
  getAccessToken = (...args) => this.slow('getAccessToken', { args })
  peekAccessToken = () => 'now'

  setTokens(tokens) {
    this.calls.push('setTokens')
    this.tokens = tokens
    if (tokens.bad) throw this.host.error('invalid-argument', 'bad', false)
  }

  dispose() {
    this.disposed++
  }

  free() {
    this.freed = true
  }

  /** A promise that the test settles. */
  slow(name, detail) {
    this.calls.push(name)
    return new Promise((resolve, reject) => (this[`${name}ed`] = { ...detail, resolve, reject }))
  }

  trap() {
    throw this.trapped(new WebAssembly.RuntimeError('unreachable'))
  }
}

const { createManager, TokenError, isTokenError } = await load(
  "export { createManager } from './manager.js'; export { TokenError, isTokenError } from './error.js'",
  {
    '#core': `export async function instantiate(module, trapped) {
      module.instances = (module.instances ?? 0) + 1
      return function (options, base, host) { return globalThis.makeCore(options, base, host, trapped) }
    }`,
  },
)

/** A manager whose module arrives when the test says so. */
function manager(options = {}) {
  loads = []
  return createManager(() => new Promise((resolve, reject) => loads.push({ resolve, reject })), options)
}

/** A manager that is ready. */
async function ready(options) {
  const auth = manager(options)
  const { ready } = auth
  loads[0].resolve({})
  await ready
  return auth
}

/** The current state of a promise, without waiting for it. @returns {Promise<any>} */
async function soon(promise) {
  const pending = Symbol('pending')
  for (let turn = 0; turn < 50; turn++) await null
  return Promise.race([promise, Promise.resolve(pending)]).then(
    (value) => (value === pending ? 'pending' : { value }),
    (error) => ({ error }),
  )
}

const code = (expected) => (error) => {
  assert.ok(error instanceof TokenError, String(error))
  assert.equal(error.code, expected)
  return true
}

// A manager works only in a page.
globalThis.location = /** @type {any} */ ({ href: 'https://page.test/', origin: 'https://page.test' })

/** The calls of the platform's fetch; the test sets each answer. @type {{ args: [any, any?], init: any, resolve: Function, reject: Function }[]} */
let sent
beforeEach(() => {
  sent = []
  globalThis.fetch = (/** @type {[any, any?]} */ ...args) =>
    new Promise((resolve, reject) => {
      const { signal } = new Request(...args)
      if (signal.aborted) return reject(signal.reason)
      // Without the internal mark of our own calls.
      sent.push({ args, init: Object.fromEntries(Object.entries(args[1] ?? {})), resolve, reject })
    })
})

const API = 'https://api.test/x'

describe('a call that can leave at once', () => {
  it('leaves in the same turn, with the token', async () => {
    const auth = await ready()
    const answer = auth.fetch(API, { headers: { 'X-Own': '1' } })
    assert.equal(sent[0].args[0], API)
    assert.deepEqual(sent[0].init, { headers: { 'X-Own': '1', Authorization: 'Bearer 7' } })
    const response = new Response()
    sent[0].resolve(response)
    assert.equal(await answer, response)
    assert.deepEqual(core.calls, [`depart ${API}`, 'authorization 7', 'settles 200'])
  })

  it('leaves without a token if there is no session', async () => {
    const auth = await ready()
    core.way = 0
    void auth.fetch(API)
    assert.deepEqual(sent[0].init, { headers: {} })
  })

  it('gets the authorization of a ticket once, until the state changes', async () => {
    const auth = await ready()
    const asked = () => core.calls.filter((call) => call.startsWith('authorization')).length
    void auth.fetch(API)
    void auth.fetch(API)
    assert.equal(asked(), 1)
    core.host.state(Object.freeze({ status: 'signed-in', claims: null, expiresAt: null }))
    void auth.fetch(API)
    assert.equal(asked(), 2)
  })

  it('passes a URL to the core once', async () => {
    const auth = await ready()
    void auth.fetch(API)
    void auth.fetch(API)
    void auth.fetch(new URL(API))
    assert.deepEqual(
      core.calls.filter((call) => call.startsWith('depart')),
      [`depart ${API}`, 'depart undefined', 'depart undefined'],
    )
  })

  it('asks the core once about a path, whatever its query', async () => {
    const auth = await ready()
    for (const query of ['', '?a=1', '?a=2', '?a=2#b']) void auth.fetch(`${API}${query}`)
    assert.deepEqual(
      core.calls.filter((call) => call.startsWith('depart')),
      [`depart ${API}`, 'depart undefined', 'depart undefined', `depart ${API}?a=2`],
    )
    assert.deepEqual(
      sent.map(({ args }) => args[0]),
      [API, `${API}?a=1`, `${API}?a=2`, `${API}?a=2#b`],
    )
  })

  it('asks the core about each query if the token is a URL parameter', async () => {
    const auth = manager()
    const make = globalThis.makeCore
    globalThis.makeCore = (...args) => Object.assign(make(...args), { header: '?token' })
    loads[0].resolve({})
    await auth.ready.finally(() => (globalThis.makeCore = make))
    core.depart = (url) => (core.calls.push(`depart ${url}`), url?.includes('token=') ? -1 : 7)
    void auth.fetch(`${API}?a=1`)
    void auth.fetch(`${API}?token=mine`)
    assert.deepEqual(
      core.calls.filter((call) => call.startsWith('depart')),
      [`depart ${API}?a=1`, `depart ${API}?token=mine`],
    )
    assert.deepEqual(
      sent.map(({ args }) => args[0]),
      [`${API}?a=1&token=Bearer%207`, `${API}?token=mine`],
    )
  })

  it('without init is sent a second time as it was, whatever a wrapper did to the first sending', async () => {
    const auth = await ready()
    core.settle = false
    const plain = []
    const { fetch } = globalThis
    globalThis.fetch = (input, init) => {
      plain.push([init, init.headers].every((one) => Object.getPrototypeOf(one) === Object.prototype))
      const answer = fetch(input, { ...init, headers: { ...init.headers } })
      init.headers['X-Late'] = 'x'
      init.method = 'POST'
      return answer
    }
    const url = new URL(API)
    void auth.fetch(url)
    url.href = 'https://other.test/'
    sent[0].resolve(new Response(null, { status: 401 }))
    await soon()
    const { call } = core.followed
    assert.deepEqual(
      [call.url, call.method, call.exempt, call.repeatable, call.signal],
      [API, undefined, false, true, undefined],
    )
    void call.send('Authorization', 'Bearer 8')
    assert.deepEqual(
      sent.map(({ args, init }) => [args[0], init]),
      [
        [API, { headers: { Authorization: 'Bearer 7' } }],
        [API, { headers: { Authorization: 'Bearer 8' } }],
      ],
    )
    assert.deepEqual(plain, [true, true])
  })

  it('does not ask the core again about a URL that is not covered', async () => {
    const auth = await ready()
    core.way = -1
    void auth.fetch('https://other.test/')
    core.way = 7
    void auth.fetch('https://other.test/')
    assert.deepEqual(core.calls, ['depart https://other.test/'])
    assert.deepEqual(sent[1].args, ['https://other.test/'])
  })

  it('resolves a relative URL against the page at the time of the call', async () => {
    const auth = await ready()
    const document = (globalThis.document = /** @type {any} */ ({ baseURI: 'https://api.test/a/' }))
    try {
      void auth.fetch('x')
      document.baseURI = 'https://other.test/b/'
      void auth.fetch('x')
    } finally {
      delete globalThis.document
    }
    assert.deepEqual(
      sent.map(({ args }) => args[0]),
      ['https://api.test/a/x', 'https://other.test/b/x'],
    )
    assert.deepEqual(
      core.calls.filter((call) => call.startsWith('depart')),
      ['depart https://api.test/a/x', 'depart https://other.test/b/x'],
    )
  })

  it('asks the core once about each status', async () => {
    const auth = await ready()
    for (const status of [200, 200, 403]) {
      const answer = auth.fetch(API)
      sent.at(-1).resolve(new Response(null, { status }))
      await answer
    }
    assert.deepEqual(
      core.calls.filter((call) => call.startsWith('settles')),
      ['settles 200', 'settles 403'],
    )
  })

  it('is followed if its answer does not settle it', async () => {
    const auth = await ready()
    core.settle = false
    const answer = auth.fetch(API)
    const refused = new Response(null, { status: 401 })
    sent[0].resolve(refused)
    assert.equal(await soon(answer), 'pending')
    assert.equal(core.followed.response, refused)
    assert.equal(core.followed.ticket, 7)
    const second = new Response()
    core.followed.resolve(second)
    assert.equal(await answer, second)
  })

  it('goes to the platform with its own arguments if it gets no token', async () => {
    const auth = await ready()
    core.way = -1
    const url = new URL('https://other.test/')
    const init = { method: 'PUT' }
    void auth.fetch(url, init)
    void auth.fetch(url)
    assert.equal(sent[0].args[0], url)
    assert.equal(sent[0].args[1], init)
    assert.equal(sent[1].args.length, 1)
  })

  it('is never touched if it brings its own Authorization', async () => {
    const auth = await ready()
    const answer = auth.fetch(API, { headers: { authorization: 'mine' } })
    assert.deepEqual(sent[0].args[1].headers, { authorization: 'mine' })
    const refused = new Response(null, { status: 401 })
    sent[0].resolve(refused)
    assert.equal(await answer, refused)
    assert.ok(!core.calls.some((call) => call.startsWith('settles')))
  })

  it('goes through the core if it must wait', async () => {
    const auth = await ready()
    core.way = -2
    const answer = auth.fetch(API)
    assert.equal(core.fetched.call.url, API)
    assert.equal(sent.length, 0)
    const response = new Response()
    core.fetched.resolve(response)
    assert.equal(await answer, response)
  })

  it("rejects with the platform's own reason", async () => {
    const auth = await ready()
    const answer = auth.fetch(API)
    sent[0].reject('why')
    await assert.rejects(answer, (error) => error === 'why')
  })

  it('rejects if the platform throws', async () => {
    const auth = await ready()
    globalThis.fetch = () => {
      throw new RangeError('mocked')
    }
    await assert.rejects(auth.fetch(API), RangeError)
  })

  it('rejects at once, and sends nothing, if its signal is already aborted', async () => {
    const auth = await ready()
    core.way = -2
    assert.deepEqual(await soon(auth.fetch(API, { signal: AbortSignal.abort('why') })), { error: 'why' })
    assert.equal(core.fetched, undefined)
  })

  it('does not ask the core about URLs that reach no server', async () => {
    const auth = await ready()
    void auth.fetch('data:,x')
    void auth.fetch('blob:null/x')
    assert.equal(sent.length, 2)
    assert.deepEqual(core.calls, [])
  })

  it('reads its URL object once', async () => {
    const auth = await ready()
    let reads = 0
    void auth.fetch({ toString: () => (reads++, API) })
    core.way = -1
    void auth.fetch({ toString: () => (reads++, API) })
    assert.equal(reads, 2)
  })
})

describe('a patched fetch', () => {
  it('may return a Response or a thenable instead of a promise', async () => {
    const auth = await ready()
    const response = new Response()
    for (const answer of [
      response,
      { then: (resolve) => resolve(response) },
      Object.assign(Promise.resolve(1), { then: (resolve) => resolve(response) }),
    ]) {
      globalThis.fetch = () => /** @type {any} */ (answer)
      assert.equal(await auth.fetch(API), response)
    }
  })

  it('may answer with a plain object, which goes to the caller; a 401 of that kind is followed', async () => {
    const auth = await ready()
    const hostile = {
      get status() {
        throw new RangeError('no')
      },
    }
    for (const answer of [
      {},
      { status: 200, json: async () => 1 },
      () => {},
      { status: '401' },
      hostile,
      Object.create(null),
    ]) {
      globalThis.fetch = async () => answer
      assert.equal(await auth.fetch(API), answer)
    }
    const refused = { status: 401 }
    core.settles = (status) => status !== 401
    globalThis.fetch = async () => /** @type {any} */ (refused)
    void auth.fetch(API)
    await soon()
    assert.equal(core.followed.response, refused)
  })

  it("gets the caller's own init, unless many calls of that URL are in flight", async () => {
    const auth = await ready()
    core.way = -1
    const own = []
    const calls = async (count, fetch) => {
      own.length = 0
      const init = {}
      globalThis.fetch = (_, given) => {
        own.push(given === init)
        return fetch()
      }
      const calls = Array.from({ length: count }, () => auth.fetch('https://api.test/own', init))
      await Promise.allSettled(calls)
    }
    // Those that have failed are in flight no more.
    const failures = [
      () => {
        throw new RangeError('mine')
      },
      async () => Promise.reject(new RangeError('mine')),
    ]
    for (const fail of failures) {
      await calls(30, fail)
      assert.ok(own.slice(0, 5).every(Boolean) && !own.at(-1))
    }
    await calls(5, async () => new Response())
    assert.deepEqual(own, Array(5).fill(true))
  })

  it('that returns no object costs one call a clear error', async () => {
    const auth = await ready()
    for (const answer of [undefined, null, 0, 200, '', 'text', true, Symbol.iterator, 1n]) {
      for (const fetch of /** @type {any[]} */ ([() => answer, async () => answer])) {
        globalThis.fetch = fetch
        await assert.rejects(
          auth.fetch(API),
          (/** @type {any} */ error) => !error.retryable && code('bad-fetch')(error),
        )
      }
    }
  })

  it('that throws or rejects passes its reason to the caller', async () => {
    const auth = await ready()
    for (const reason of [new RangeError('mine'), 'text', undefined, null, { any: 'thing' }]) {
      const promise = {
        then() {
          throw reason
        },
      }
      for (const fetch of /** @type {any[]} */ ([
        () => {
          throw reason
        },
        () => Promise.reject(reason),
        () => promise,
      ])) {
        globalThis.fetch = fetch
        assert.deepEqual(await soon(auth.fetch(API)), { error: reason })
      }
    }
  })
})

describe('a page fetch whose promises are of a class of its own', () => {
  it('sends all calls, also if `then` has thrown for many', async () => {
    class Odd extends Promise {
      /** @returns {PromiseConstructor} */
      static get [Symbol.species]() {
        throw new Error('species')
      }
    }
    const auth = await ready()
    const page = globalThis.fetch
    let calls = 0
    globalThis.fetch = /** @type {any} */ (() => (calls++, Odd.resolve(new Response())))
    for (let i = 0; i < 1100; i++) await auth.fetch(`${API}/odd`).catch(() => {})
    assert.equal(calls, 1100)
    globalThis.fetch = page
  })
})

describe("a page fetch that leads back to the manager's own fetch", () => {
  const BRINGS_BACK = {
    'the fetch itself': (auth) => auth.fetch,
    bound: (auth) => auth.fetch.bind(globalThis),
    'a wrapper':
      (auth) =>
      (...args) =>
        auth.fetch(...args),
    'an async wrapper':
      (auth) =>
      async (...args) =>
        auth.fetch(...args),
    'a wrapper that takes its time':
      (auth) =>
      async (...args) => (await null, auth.fetch(...args)),
    'a wrapper that spreads init and headers': (auth) => (input, init) =>
      auth.fetch(input, { ...init, headers: { ...init?.headers, 'X-Id': '1' } }),
    'one that does so late': (auth) => async (input, init) => (
      await null,
      auth.fetch(input, { ...init, headers: { ...init?.headers, 'X-Id': '1' } })
    ),
    'one that makes a Request': (auth) => (input, init) => auth.fetch(new Request(input, init)),
    'one that makes a Request late': (auth) => async (input, init) => (
      await null,
      auth.fetch(new Request(input, init))
    ),
    'one that forgets init': (auth) => async (input) => (await null, auth.fetch(input)),
    'a wrapper of a wrapper': (auth) => (input, init) =>
      ((input, init) => auth.fetch(input, { ...init }))(input, { ...init }),
    'a Proxy': (auth) => new Proxy(auth.fetch, {}),
  }

  for (const [name, make] of Object.entries(BRINGS_BACK)) {
    for (const kind of ['covered', 'not covered', 'without a session']) {
      it(`does not call itself for ever: ${name}, ${kind}`, async () => {
        const auth = await ready()
        core.way = { covered: 7, 'not covered': -1, 'without a session': 0 }[kind]
        const url = `https://api.test/${encodeURIComponent(name + kind)}`
        let calls = 0
        const beneath = globalThis.fetch
        globalThis.fetch = (...args) => (calls++, beneath(...args))
        void auth.fetch(`${url}/before`)
        const page = globalThis.fetch
        globalThis.fetch = make(auth)
        calls = sent.length = 0
        for (const send of [globalThis.fetch, auth.fetch, globalThis.fetch]) {
          const answer = send(url)
          // A wrapper that loses every mark is detected after a thousand rounds.
          for (let turn = 0; turn < 40_000 && !sent.length; turn++) await null
          assert.equal(sent.length, 1)
          assert.equal(sent[0].args[0].url ?? sent[0].args[0], url)
          if (kind === 'covered') assert.equal(new Request(...sent[0].args).headers.get('authorization'), 'Bearer 7')
          const response = new Response()
          sent[0].resolve(response)
          assert.equal(await answer, response)
          assert.equal(calls, 1)
          calls = sent.length = 0
        }
        globalThis.fetch = page
      })
    }
  }

  it('calls itself a few times at most if only the platform can judge the arguments', async () => {
    const auth = await ready()
    const page = globalThis.fetch
    // The page's fetch is known from an earlier call.
    void auth.fetch(`${API}/before`)
    sent.length = 0
    let calls = 0
    globalThis.fetch = async (input, init) => (calls++, await null, auth.fetch(input, init))
    await assert.rejects(auth.fetch(`${API}/bad`, /** @type {any} */ ({ headers: 5 })), TypeError)
    assert.ok(calls < 20, `${calls} calls`)
    globalThis.fetch = page
  })

  it('receives the calls of fetches patched on top of it', async () => {
    const auth = await ready()
    const traced = []
    globalThis.fetch = auth.fetch
    const before = globalThis.fetch
    globalThis.fetch = (input, init) => (traced.push(input), before(input, init))
    for (const url of [`${API}/1`, `${API}/2`]) {
      const answer = fetch(url)
      assert.equal(sent.length, 1)
      assert.equal(new Request(...sent[0].args).headers.get('authorization'), 'Bearer 7')
      sent.pop().resolve(new Response())
      await answer
    }
    assert.deepEqual([...new Set(traced)], [`${API}/1`, `${API}/2`])
  })

  it('cannot be distinguished from outside', async () => {
    const auth = await ready()
    assert.deepEqual(Object.keys(auth.fetch), [])
    assert.deepEqual(Object.getOwnPropertyNames(auth.fetch).sort(), ['length', 'name'])
    void auth.fetch(API, { method: 'POST', body: 'x' })
    assert.deepEqual(Object.keys(sent[0].args[1]).sort(), ['body', 'headers', 'method'])
  })
})

describe('the methods', () => {
  it("have the same shape as the platform's", async () => {
    const { fetch } = manager()
    assert.equal(fetch.length, 1)
    assert.equal(fetch.name, 'fetch')
    assert.throws(() => new fetch(API), TypeError)
    await assert.rejects(fetch(), TypeError)
  })

  it('work detached', async () => {
    const { fetch, refresh, subscribe, addEventListener, dispose } = await ready()
    void fetch(API)
    assert.equal(sent.length, 1)
    const refreshed = refresh()
    assert.equal(core.refreshed.toKnow, false)
    core.refreshed.resolve()
    await refreshed
    subscribe(() => {})()
    addEventListener('change', () => {})
    dispose()
  })

  it('pass their arguments to the core', async () => {
    const auth = await ready()
    const login = auth.login('https://auth.test/login', { body: 'x' })
    assert.equal(core.logined.call.url, 'https://auth.test/login')
    assert.equal(core.logined.carriesToken, false)
    core.logined.resolve({ user: 'x' })
    assert.deepEqual(await login, { user: 'x' })

    void auth.exchange('https://auth.test/switch')
    assert.equal(core.logined.call.url, 'https://auth.test/switch')
    assert.equal(core.logined.carriesToken, true)

    const logout = auth.logout('https://auth.test/logout')
    assert.equal(core.logouted.call.method, 'POST')
    core.logouted.resolve()
    assert.equal(await logout, undefined)

    void auth.logout()
    assert.equal(core.logouted.call, undefined)

    const token = auth.getAccessToken()
    assert.deepEqual(core.getAccessTokened.args, [undefined, undefined])
    core.getAccessTokened.resolve('token')
    assert.equal(await token, 'token')
    void auth.getAccessToken({ refused: 'token', by: new URL('https://api.test/up?n=1#x') })
    assert.deepEqual(core.getAccessTokened.args, ['token', 'https://api.test/up?n=1'])
    void auth.getAccessToken({ refused: 'token', by: '/up' })
    assert.deepEqual(core.getAccessTokened.args, ['token', 'https://page.test/up'])
    assert.equal(auth.peekAccessToken(), 'now')

    const known = auth.known()
    assert.equal(core.refreshed.toKnow, true)
    core.refreshed.resolve()
    assert.equal(await known, auth.state)

    await auth.setTokens({ accessToken: 'a', expiresIn: 5 })
    assert.deepEqual({ ...core.tokens }, { accessToken: 'a', expiresIn: 5 })
    await assert.rejects(auth.setTokens({ bad: true }), code('invalid-argument'))
  })

  it('never throw', async () => {
    const auth = manager()
    for (const bad of [
      7,
      'token',
      null,
      { refused: 7 },
      { refused: 'token', by: 7 },
      {
        get by() {
          throw new RangeError('mine')
        },
      },
    ]) {
      await assert.rejects(auth.getAccessToken(bad), code('invalid-argument'))
    }
    assert.equal(auth.peekAccessToken(), undefined, 'not loaded yet')
    const hostile = {
      get accessToken() {
        throw new RangeError('mine')
      },
    }
    await assert.rejects(auth.setTokens(hostile), code('invalid-argument'))
    await assert.rejects(
      auth.login(API, {
        get method() {
          throw new RangeError('mine')
        },
      }),
      RangeError,
    )
    await assert.rejects(
      auth.logout(API, {
        get method() {
          throw new RangeError('mine')
        },
      }),
      RangeError,
    )
    await assert.rejects(
      auth.fetch(API, {
        get method() {
          throw new RangeError('mine')
        },
      }),
      RangeError,
    )
    await assert.rejects(auth.login(), code('invalid-argument'))
    await assert.rejects(auth.login('http://'), TypeError)
    await assert.rejects(auth.login(API, { method: 'A B' }), TypeError)
  })
})

describe('a wrong argument', () => {
  const events = [
    new Event('click'),
    { type: 'click', nativeEvent: new Event('click'), preventDefault() {}, target: null },
  ]

  it('is ignored if it is an event and the method takes none: a button passes one', async () => {
    const auth = await ready()
    for (const event of events) {
      void auth.logout(event)
      assert.equal(core.logouted.call, undefined)
      for (const name of ['refresh', 'getAccessToken']) {
        void auth[name](event)
        assert.equal(core.calls.at(-1), name)
      }
      await auth.signedIn(event)
    }
  })

  it('is refused where a URL is expected, and nothing has happened', async () => {
    const auth = await ready()
    for (const name of ['login', 'logout', 'exchange']) {
      for (const bad of [
        null,
        5,
        {},
        [],
        true,
        () => {},
        Symbol('x'),
        new String('/x'),
        { href: '/x' },
        { toString: () => '/x' },
        ...(name === 'logout' ? [] : [undefined, ...events]),
      ]) {
        await assert.rejects(auth[name](bad), code('invalid-argument'))
      }
      for (const [input, init] of [
        ['http://'],
        ['https://a:b@c.test/'],
        [API, { method: 'A B' }],
        [API, 5],
        [API, { headers: 5 }],
        [API, { signal: {} }],
      ]) {
        await assert.rejects(auth[name](input, init), TypeError)
      }
    }
    assert.deepEqual(core.calls, [])
    assert.equal(sent.length, 0)
  })

  it('is refused where a token is expected', async () => {
    const auth = await ready()
    core.setTokens = (tokens) => {
      if (typeof tokens?.accessToken !== 'string') throw core.host.error('invalid-argument', 'no token', false)
    }
    for (const bad of [undefined, null, 'token', ...events])
      await assert.rejects(auth.setTokens(bad), code('invalid-argument'))
  })
})

describe('without a page', () => {
  it('every call is refused, nothing is loaded and nothing kept', async () => {
    const { location } = globalThis
    delete globalThis.location
    try {
      const auth = manager()
      globalThis.location = location
      for (const call of [
        () => auth.fetch(API),
        () => auth.login(API),
        () => auth.logout(),
        () => auth.refresh(),
        () => auth.getAccessToken(),
        () => auth.ready,
        () => auth.setTokens({ accessToken: 'a' }),
        () => auth.signedIn(),
        () => auth.exchange(API),
      ])
        await assert.rejects(call(), code('server'))
      assert.equal(auth.state.status, 'unknown')
      assert.equal(loads.length, 0)
      assert.equal(sent.length, 0)
      auth.dispose()
    } finally {
      globalThis.location = location
    }
  })
})

describe('a page with injected markup or prototypes', () => {
  it('sets no option and no token through Object.prototype', async () => {
    /** @type {any} */
    const { prototype } = Object
    prototype.exposeToken = true
    prototype.accessToken = 'planted'
    try {
      const auth = await ready({ refresh: { url: '/r' } })
      assert.equal(core.options.exposeToken, undefined)
      assert.equal(core.options.refresh.exposeToken, undefined)
      await auth.setTokens({ expiresIn: 5 })
      assert.equal(core.tokens.accessToken, undefined)
    } finally {
      delete prototype.exposeToken
      delete prototype.accessToken
    }
  })

  it('moves no login to another origin through <base>', async () => {
    const document = (globalThis.document = /** @type {any} */ ({ baseURI: 'https://evil.test/' }))
    try {
      const auth = await ready()
      assert.equal(core.base, 'https://page.test/')
      void auth.login('/auth/login')
      assert.equal(core.logined.call.url, 'https://page.test/auth/login')
      document.baseURI = 'https://page.test/app/'
      void auth.login('login')
      assert.equal(core.logined.call.url, 'https://page.test/app/login')
      assert.equal(core.logined.call.request().url, 'https://page.test/app/login')
    } finally {
      delete globalThis.document
    }
  })
})

describe('a call before the core is loaded', () => {
  it('waits for the core, and is sent as it was made', async () => {
    const auth = manager()
    const headers = { 'X-Own': 'before' }
    void auth.fetch(API, { headers })
    headers['X-Own'] = 'after'
    assert.equal(sent.length, 0)
    loads[0].resolve({})
    await auth.ready
    await soon()
    assert.deepEqual(sent[0].args[1].headers, { 'X-Own': 'before', Authorization: 'Bearer 7' })
  })

  it('keeps its place', async () => {
    const auth = manager()
    void auth.fetch(`${API}/1`)
    void auth.logout()
    void auth.fetch(`${API}/2`)
    void auth.setTokens({ accessToken: 'a' })
    void auth.refresh()
    loads[0].resolve({})
    await auth.ready
    await soon()
    assert.deepEqual(
      core.calls.filter((call) => !call.startsWith('auth')),
      [`depart ${API}/1`, 'logout', `depart ${API}/2`, 'setTokens', 'refresh'],
    )
    assert.equal(loads.length, 1)
  })

  it('is settled by its signal at once, and leaves no listener on it', async () => {
    const auth = manager()
    const controller = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = EventTarget.prototype
    controller.signal.addEventListener = function (...args) {
      listeners++
      return addEventListener.apply(this, args)
    }
    controller.signal.removeEventListener = function (...args) {
      listeners--
      return removeEventListener.apply(this, args)
    }
    const aborted = auth.fetch(API, { signal: controller.signal })
    const other = new AbortController()
    void auth.fetch(API, { signal: other.signal })
    controller.abort('why')
    assert.deepEqual(await soon(aborted), { error: 'why' })
    loads[0].resolve({})
    await auth.ready
    await soon()
    assert.equal(sent.length, 1)
    assert.equal(listeners, 0)
  })

  it('is refused by a signal that is already aborted', async () => {
    const auth = manager()
    assert.deepEqual(await soon(auth.fetch(API, { signal: AbortSignal.abort('why') })), { error: 'why' })
  })

  it('is refused by the platform at once if its arguments are invalid', async () => {
    const auth = manager()
    assert.ok((await soon(auth.fetch('http://'))).error instanceof TypeError)
    assert.ok((await soon(auth.fetch(API, 5))).error instanceof TypeError)
  })
})

describe('the options', () => {
  it('are read at the call', async () => {
    const options = {
      refresh: { url: new URL('https://a.test/x'), headers: { a: 'b' } },
      apis: ['/a', new URL('https://b.test/')],
    }
    const auth = manager(options)
    options.refresh.url.pathname = '/y'
    options.refresh.headers.a = 'c'
    options.apis.push('/late')
    const { ready } = auth
    loads[0].resolve({})
    await ready
    // Compared as JSON: nothing in it has a prototype.
    assert.equal(
      JSON.stringify(core.options),
      '{"refresh":{"url":"https://a.test/x","headers":{"a":"b"}},"apis":["/a","https://b.test/"]}',
    )
  })

  it('are validated by the core, whatever they are', async () => {
    const date = new Date()
    await ready({ a: date, b: () => {}, c: null, d: Symbol.iterator })
    assert.equal(core.options.a, date)
    const circular = {}
    circular.self = circular
    await ready(circular)
  })

  it('that throw when read make every call reject the same way', async () => {
    const auth = manager({
      get refresh() {
        throw new RangeError('mine')
      },
    })
    for (const call of [() => auth.ready, () => auth.fetch(API), () => auth.refresh(), () => auth.login(API)]) {
      await assert.rejects(
        call(),
        (/** @type {any} */ error) => code('invalid-option')(error) && error.cause instanceof RangeError,
      )
    }
    assert.equal(loads.length, 0)
  })

  it("that the core refuses make every call reject with the core's error", async () => {
    const auth = manager({ refuse: true })
    const early = auth.fetch(API)
    loads[0].resolve({})
    await assert.rejects(early, code('invalid-option'))
    await assert.rejects(auth.ready, code('invalid-option'))
    await assert.rejects(auth.fetch(API), code('invalid-option'))
    assert.equal(sent.length, 0)
  })
})

describe('a core that cannot be loaded', () => {
  it('makes every call reject with one clear error, and nothing is sent', async () => {
    const auth = manager()
    const early = [auth.fetch(API), auth.refresh(), auth.ready]
    const cause = new WebAssembly.CompileError('refused')
    loads[0].reject(cause)
    for (const call of [
      ...early,
      auth.fetch(API),
      auth.logout(),
      auth.setTokens({}),
      auth.getAccessToken(),
      auth.ready,
    ]) {
      await assert.rejects(call, (/** @type {any} */ error) => {
        assert.equal(error.cause, cause)
        assert.match(error.message, /not its bytes.*refused/)
        return code('not-loaded')(error)
      })
    }
    assert.equal(loads.length, 1)
    assert.equal(sent.length, 0)
  })

  it('is reported with what blocked it', async () => {
    for (const [cause, words] of /** @type {[unknown, RegExp][]} */ ([
      [
        new WebAssembly.CompileError(
          "Refused to compile or instantiate WebAssembly module because 'unsafe-eval' is not allowed",
        ),
        /Content-Security-Policy.*wasm-unsafe-eval/,
      ],
      [new WebAssembly.CompileError('call to WebAssembly.compile() blocked by CSP'), /wasm-unsafe-eval/],
      [new TypeError('The operation failed'), /The operation failed/],
      ['why', /unknown reason/],
    ])) {
      const auth = manager()
      loads[0].reject(cause)
      await assert.rejects(
        auth.ready,
        (/** @type {any} */ error) => words.test(error.message) && code('not-loaded')(error),
      )
    }
    const { DecompressionStream, WebAssembly: wasm } = globalThis
    for (const [name, cause, words] of /** @type {[string, Error, RegExp][]} */ ([
      ['DecompressionStream', new ReferenceError('DecompressionStream is not defined'), /no DecompressionStream/],
      ['WebAssembly', new ReferenceError('WebAssembly is not defined'), /no WebAssembly/],
    ])) {
      delete globalThis[name]
      try {
        const auth = manager()
        loads[0].reject(cause)
        await assert.rejects(
          auth.ready,
          (/** @type {any} */ error) => words.test(error.message) && code('not-loaded')(error),
        )
      } finally {
        Object.assign(globalThis, { DecompressionStream, WebAssembly: wasm })
      }
    }
  })

  it('is loaded again by the next call if a retry may help', async () => {
    const auth = manager()
    const first = auth.fetch(API)
    loads[0].reject(new TokenError('not-loaded', 'no network', { retryable: true }))
    await assert.rejects(first, code('not-loaded'))
    const second = auth.fetch(API)
    assert.equal(loads.length, 2)
    loads[1].resolve({})
    await auth.ready
    await soon()
    sent[0].resolve(new Response())
    await second
  })

  it('leaves no rejection unhandled', async () => {
    const unhandled = []
    const note = (reason) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      manager()
      loads[0].reject(new Error('no'))
      manager({
        get refresh() {
          throw new RangeError('mine')
        },
      })
      manager().dispose()
      // Node reports them when the microtasks are done.
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(unhandled, [])
    } finally {
      process.off('unhandledRejection', note)
    }
  })
})

describe('a core that dies', () => {
  it('rejects every waiting and later call', async () => {
    const auth = await ready()
    core.way = -2
    const waiting = [auth.fetch(API), auth.refresh(), auth.login(API), auth.logout(), auth.getAccessToken()]
    core.settles = () => core.trap()
    core.way = 7
    const asked = auth.fetch(API)
    sent.at(-1).resolve(new Response())
    for (const call of [asked, ...waiting]) {
      await assert.rejects(
        call,
        (/** @type {any} */ error) => code('crashed')(error) && error.cause instanceof WebAssembly.RuntimeError,
      )
    }
    const calls = core.calls.length
    for (const call of [() => auth.fetch(API), () => auth.refresh(), () => auth.setTokens({})]) {
      await assert.rejects(call(), code('crashed'))
    }
    assert.equal(core.calls.length, calls)
    auth.dispose()
  })

  it('rejects the call that crashed it, too', async () => {
    const auth = await ready()
    core.depart = () => core.trap()
    await assert.rejects(auth.fetch(API), code('crashed'))
    assert.equal(sent.length, 0)
  })

  it('leaves an answer that has arrived to the caller', async () => {
    const auth = await ready()
    const answer = auth.fetch(API)
    assert.throws(() => core.trap(), code('crashed'))
    const response = new Response()
    sent[0].resolve(response)
    assert.equal(await answer, response)
  })
})

describe('an instance of the WebAssembly', () => {
  /** Several managers with one module. */
  async function managers(count, module = {}) {
    const cores = []
    const made = []
    for (let i = 0; i < count; i++) {
      const auth = createManager(async () => module, {})
      await auth.ready
      made.push(auth)
      cores.push(core)
    }
    return { module, made, cores }
  }

  it('is shared by the managers', async () => {
    const { module } = await managers(3)
    assert.equal(module.instances, 1)
  })

  it('that crashes ends all its managers, and the next manager gets a new one', async () => {
    const { module, made, cores } = await managers(2)
    const waiting = made.map((auth) => auth.refresh())
    assert.throws(() => cores[0].trap(), code('crashed'))
    for (const call of waiting) await assert.rejects(call, code('crashed'))
    const later = await managers(2, module)
    assert.equal(module.instances, 2)
    // A crash of the old one does not affect the new ones.
    assert.throws(() => cores[1].trap(), code('crashed'))
    for (const auth of made) auth.dispose()
    void later.made[0].fetch(API)
    assert.equal(sent.length, 1)
    await managers(1, module)
    assert.equal(module.instances, 2)
  })

  it('is freed with the last of its managers', async () => {
    const { module, made } = await managers(2)
    made[0].dispose()
    await managers(1, module).then(({ made: [auth] }) => auth.dispose())
    assert.equal(module.instances, 1)
    made[1].dispose()
    await managers(1, module)
    assert.equal(module.instances, 2)
  })
})

describe('dispose', () => {
  it('settles waiting calls, and refuses later ones', async () => {
    const auth = await ready()
    const waiting = auth.refresh()
    auth.dispose()
    auth.dispose()
    assert.equal(core.disposed, 1)
    await assert.rejects(waiting, code('disposed'))
    await assert.rejects(auth.fetch(API), code('disposed'))
    await assert.rejects(auth.setTokens({}), code('disposed'))
  })

  it('may come before the core, which is then not created', async () => {
    const auth = manager()
    const waiting = auth.fetch(API)
    const made = core
    auth.dispose()
    await assert.rejects(waiting, code('disposed'))
    loads[0].resolve({})
    await soon()
    assert.equal(core, made)
  })

  it('may be called from a listener while the core is created', async () => {
    const auth = manager()
    auth.addEventListener('change', () => auth.dispose())
    const { makeCore } = /** @type {any} */ (globalThis)
    globalThis.makeCore = (...args) => {
      const made = makeCore(...args)
      made.changed()
      return made
    }
    try {
      const { ready } = auth
      loads[0].resolve({})
      await assert.rejects(ready, code('disposed'))
      await assert.rejects(auth.refresh(), code('disposed'))
      await soon()
      assert.equal(core.disposed, 1)
    } finally {
      globalThis.makeCore = makeCore
    }
  })

  it('is called by `using`, if the platform supports it', async () => {
    const auth = await ready()
    if (Symbol.dispose) auth[Symbol.dispose]()
    assert.equal(core.disposed, Symbol.dispose ? 1 : 0)
  })
})

describe('the state', () => {
  const signedIn = Object.freeze({ status: 'signed-in', claims: null, expiresAt: 1 })

  it('is one frozen object until the core has another', async () => {
    const auth = manager()
    const { state } = auth
    assert.deepEqual(state, { status: 'unknown', claims: null, expiresAt: null, sessionExpiresAt: null })
    assert.ok(Object.isFrozen(state))
    const { ready } = auth
    loads[0].resolve({})
    await ready
    assert.equal(auth.state, state)
    core.host.state(signedIn)
    assert.equal(auth.state, signedIn)
  })

  it('is current when a subscriber is called', async () => {
    const auth = await ready()
    const seen = []
    const end = auth.subscribe(() => seen.push(auth.state.status))
    const change = () => {
      core.changed(signedIn)
    }
    change()
    end()
    end()
    change()
    assert.deepEqual(seen, ['signed-in'])
  })

  it('may be subscribed to twice by the same function', async () => {
    const auth = await ready()
    let calls = 0
    const listener = () => calls++
    const end = auth.subscribe(listener)
    auth.subscribe(listener)
    core.changed()
    end()
    core.changed()
    assert.equal(calls, 3)
  })
})

describe('the events', () => {
  it('carry their reason or error', async () => {
    const auth = await ready()
    const seen = []
    auth.addEventListener('signout', (event) => seen.push(event.reason))
    auth.addEventListener('refresherror', { handleEvent: (event) => seen.push(event.error.code) })
    auth.addEventListener('refresh', (event) => seen.push(event.type), { once: true })
    core.happened('signout', 'rejected')
    core.happened('refresherror', undefined, core.host.error('network', 'm', true))
    core.happened('refresh')
    core.happened('refresh')
    assert.deepEqual(seen, ['rejected', 'network', 'refresh'])
  })

  it('can be unsubscribed from', async () => {
    const auth = await ready()
    const listener = () => assert.fail()
    auth.addEventListener('change', listener)
    auth.removeEventListener('change', listener)
    core.changed()
  })
})

describe('an event that the manager has not dispatched', () => {
  it('reaches no listener', async () => {
    const auth = await ready()
    const seen = []
    let target
    let last
    auth.addEventListener('signout', (event) => {
      seen.push(event.reason)
      target = event.target
      last = event
      // A forged event, during a real one.
      target.dispatchEvent(Object.assign(new Event('signout'), { reason: 'forged' }))
    })
    auth.addEventListener('signout', { handleEvent: (event) => seen.push(event.reason) })
    auth.subscribe(() => seen.push('change'))
    core.happened('signout', 'ended')
    target.dispatchEvent(last)
    target.dispatchEvent(new Event('change'))
    assert.deepEqual(seen, ['ended', 'ended'])
  })

  it('does not change how the platform calls listeners', async () => {
    const auth = await ready()
    const seen = []
    const listener = () => seen.push('function')
    const object = {
      handleEvent() {
        seen.push(this === object ? 'object' : 'other')
      },
    }
    const controller = new AbortController()
    auth.addEventListener('refresh', listener)
    auth.addEventListener('refresh', listener)
    auth.addEventListener('refresh', object)
    auth.addEventListener('refresh', () => seen.push('once'), { once: true })
    auth.addEventListener('refresh', () => seen.push('signal'), { signal: controller.signal })
    auth.addEventListener('refresh', null)
    // Another event, because of the event.
    auth.addEventListener('refresh', () => core.changed(), { once: true })
    auth.addEventListener('change', () => seen.push('change'))
    auth.addEventListener('refresh', () => seen.push('last'))
    core.happened('refresh')
    assert.deepEqual(seen.splice(0), ['function', 'object', 'once', 'signal', 'last', 'change'])
    controller.abort()
    auth.removeEventListener('refresh', listener)
    core.happened('refresh')
    assert.deepEqual(seen, ['object', 'last'])
    assert.throws(() => auth.addEventListener('refresh', 'text'), TypeError)
  })
})

describe('a TokenError', () => {
  it('has only what the core gave it', async () => {
    const cause = new Error('why')
    await ready()
    const error = core.host.error('bad-status', 'refresh: status 503', true, 503, cause)
    assert.ok(error instanceof Error && isTokenError(error))
    assert.equal(String(error), 'TokenError: refresh: status 503')
    assert.equal(error.cause, cause)
    assert.deepEqual(JSON.parse(JSON.stringify(error)), { code: 'bad-status', retryable: true, status: 503 })
    const bare = core.host.error('signed-out', 'm', false)
    assert.ok(!('status' in bare) && !('cause' in bare))
  })

  it('is recognised by another copy of the package', async () => {
    const other = await load("export { isTokenError } from './error.js'; export const copy = 2")
    assert.ok(other.isTokenError(new TokenError('network', 'm')))
    const copied = Object.assign(new Error('m'), { name: 'TokenError', code: 'network', retryable: true })
    for (const no of [copied, new Error('x'), null, undefined, 'TokenError', { name: 'TokenError', code: 'network' }])
      assert.ok(!isTokenError(no))
  })
})
