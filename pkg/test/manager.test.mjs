// The manager over a core of the test's own: what the face promises whatever the core does.

import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { load } from './support/bundle.mjs'

/** The last core that was made; its answers are the test's. */
let core
let loads
globalThis.makeCore = (options, base, host, trapped) => (core = new FakeCore(options, base, host, trapped))

class FakeCore {
  header = 'Authorization'
  calls = []
  disposed = 0
  way = 7
  settle = true

  constructor(options, base, host, trapped) {
    Object.assign(this, { options, base, host, trapped })
    if (options.refuse) throw host.error('invalid-option', 'option `refuse`', false)
  }

  depart(url) {
    this.calls.push(`depart ${url}`)
    return this.way
  }

  authorization(ticket) {
    this.calls.push(`authorization ${ticket}`)
    return ticket === 0 ? undefined : `Bearer ${ticket}`
  }

  settles(ticket, status) {
    this.calls.push(`settles ${ticket} ${status}`)
    return this.settle
  }

  follow = (call, ticket, response) => this.slow('follow', { call, ticket, response })
  fetch = (call) => this.slow('fetch', { call })
  login = (call) => this.slow('login', { call })
  logout = (call) => this.slow('logout', { call })
  refresh = () => this.slow('refresh', {})
  getAccessToken = () => this.slow('getAccessToken', {})

  setTokens(tokens) {
    this.calls.push('setTokens')
    this.tokens = tokens
    if (tokens.bad) throw this.host.error('invalid-argument', 'bad', false)
  }

  dispose() {
    this.disposed++
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

/** What became of a promise by now, without waiting for it. */
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

/** What the platform's fetch was called with; each answer is the test's. */
let sent
beforeEach(() => {
  sent = []
  globalThis.fetch = (...args) =>
    new Promise((resolve, reject) => {
      const { signal } = new Request(...args)
      if (signal.aborted) return reject(signal.reason)
      sent.push({ args, resolve, reject })
    })
})

const API = 'https://api.test/x'

describe('a call that can leave at once', () => {
  it('leaves in the same turn, with the token', async () => {
    const auth = await ready()
    const answer = auth.fetch(API, { headers: { 'X-Own': '1' } })
    assert.deepEqual(sent[0].args, [API, { headers: [['X-Own', '1'], ['Authorization', 'Bearer 7']] }])
    const response = new Response()
    sent[0].resolve(response)
    assert.equal(await answer, response)
    assert.deepEqual(core.calls, [`depart ${API}`, 'authorization 7', 'settles 7 200'])
  })

  it('leaves without a token where there is no session', async () => {
    const auth = await ready()
    core.way = 0
    void auth.fetch(API)
    assert.deepEqual(sent[0].args, [API, { headers: [] }])
  })

  it('asks for the authorization of a ticket once, until the state changes', async () => {
    const auth = await ready()
    const asked = () => core.calls.filter((call) => call.startsWith('authorization')).length
    void auth.fetch(API)
    void auth.fetch(API)
    assert.equal(asked(), 1)
    core.host.state(Object.freeze({ status: 'signed-in', claims: null, expiresAt: null }))
    void auth.fetch(API)
    assert.equal(asked(), 2)
  })

  it('gives the core a URL once', async () => {
    const auth = await ready()
    void auth.fetch(API)
    void auth.fetch(API)
    void auth.fetch(new URL(API))
    assert.deepEqual(core.calls.filter((call) => call.startsWith('depart')), [`depart ${API}`, 'depart undefined', 'depart undefined'])
  })

  it('asks nothing of a core that had no business with its URL', async () => {
    const auth = await ready()
    core.way = -1
    void auth.fetch('https://other.test/')
    core.way = 7
    void auth.fetch('https://other.test/')
    assert.deepEqual(core.calls, ['depart https://other.test/'])
    assert.deepEqual(sent[1].args, ['https://other.test/'])
  })

  it('has a relative URL of the page as it is at the call', async () => {
    const auth = await ready()
    globalThis.document = { baseURI: 'https://api.test/a/' }
    try {
      void auth.fetch('x')
      globalThis.document.baseURI = 'https://other.test/b/'
      void auth.fetch('x')
    } finally {
      delete globalThis.document
    }
    assert.deepEqual(sent.map(({ args }) => args[0]), ['https://api.test/a/x', 'https://other.test/b/x'])
    assert.deepEqual(core.calls.filter((call) => call.startsWith('depart')), ['depart https://api.test/a/x', 'depart https://other.test/b/x'])
  })

  it('has the judgement of a status asked once', async () => {
    const auth = await ready()
    for (const status of [200, 200, 403]) {
      const answer = auth.fetch(API)
      sent.at(-1).resolve(new Response(null, { status }))
      await answer
    }
    assert.deepEqual(core.calls.filter((call) => call.startsWith('settles')), ['settles 7 200', 'settles 7 403'])
  })

  it('is followed where its answer does not settle it', async () => {
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

  it('goes to the platform with its own arguments where the token has no business', async () => {
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
    assert.deepEqual(sent[0].args[1].headers, [['authorization', 'mine']])
    const refused = new Response(null, { status: 401 })
    sent[0].resolve(refused)
    assert.equal(await answer, refused)
    assert.ok(!core.calls.some((call) => call.startsWith('settles')))
  })

  it('goes the whole way through the core where it must wait', async () => {
    const auth = await ready()
    core.way = -2
    const answer = auth.fetch(API)
    assert.equal(core.fetched.call.url, API)
    assert.equal(sent.length, 0)
    const response = new Response()
    core.fetched.resolve(response)
    assert.equal(await answer, response)
  })

  it('rejects with what the platform rejects with', async () => {
    const auth = await ready()
    const answer = auth.fetch(API)
    sent[0].reject('why')
    await assert.rejects(answer, (error) => error === 'why')
  })

  it('rejects where the platform throws', async () => {
    const auth = await ready()
    globalThis.fetch = () => {
      throw new RangeError('mocked')
    }
    await assert.rejects(auth.fetch(API), RangeError)
  })

  it('rejects at once, and sends nothing, with a signal that is aborted', async () => {
    const auth = await ready()
    core.way = -2
    assert.deepEqual(await soon(auth.fetch(API, { signal: AbortSignal.abort('why') })), { error: 'why' })
    assert.equal(core.fetched, undefined)
  })

  it('asks no core about URLs that reach no server', async () => {
    const auth = await ready()
    void auth.fetch('data:,x')
    void auth.fetch('blob:null/x')
    assert.equal(sent.length, 2)
    assert.deepEqual(core.calls, [])
  })

  it('has its URL object read once', async () => {
    const auth = await ready()
    let reads = 0
    void auth.fetch({ toString: () => (reads++, API) })
    core.way = -1
    void auth.fetch({ toString: () => (reads++, API) })
    assert.equal(reads, 2)
  })
})

describe('the methods', () => {
  it('have the shape of the platform', async () => {
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
    core.refreshed.resolve()
    await refreshed
    subscribe(() => {})()
    addEventListener('change', () => {})
    dispose()
  })

  it('hand the core what it needs', async () => {
    const auth = await ready()
    const login = auth.login('https://auth.test/login', { body: 'x' })
    assert.equal(core.logined.call.url, 'https://auth.test/login')
    core.logined.resolve({ user: 'x' })
    assert.deepEqual(await login, { user: 'x' })

    const logout = auth.logout('https://auth.test/logout')
    assert.equal(core.logouted.call.method, 'POST')
    core.logouted.resolve()
    assert.equal(await logout, undefined)

    void auth.logout()
    assert.equal(core.logouted.call, undefined)

    const token = auth.getAccessToken()
    core.getAccessTokened.resolve('token')
    assert.equal(await token, 'token')

    await auth.setTokens({ accessToken: 'a', expiresIn: 5 })
    assert.deepEqual(core.tokens, { accessToken: 'a', expiresIn: 5 })
    await assert.rejects(auth.setTokens({ bad: true }), code('invalid-argument'))
  })

  it('never throw', async () => {
    const auth = manager()
    const hostile = { get accessToken() { throw new RangeError('mine') } }
    await assert.rejects(auth.setTokens(hostile), code('invalid-argument'))
    await assert.rejects(auth.login(API, { get method() { throw new RangeError('mine') } }), RangeError)
    await assert.rejects(auth.logout(API, { get method() { throw new RangeError('mine') } }), RangeError)
    await assert.rejects(auth.fetch(API, { get method() { throw new RangeError('mine') } }), RangeError)
    await assert.rejects(auth.login(), TypeError)
    await assert.rejects(auth.login('http://'), TypeError)
    await assert.rejects(auth.login(API, { method: 'A B' }), TypeError)
  })
})

describe('a call that comes before the core', () => {
  it('waits for it, and goes as it was made', async () => {
    const auth = manager()
    const headers = { 'X-Own': 'before' }
    void auth.fetch(API, { headers })
    headers['X-Own'] = 'after'
    assert.equal(sent.length, 0)
    loads[0].resolve({})
    await auth.ready
    await soon()
    assert.deepEqual(sent[0].args[1].headers, [['X-Own', 'before'], ['Authorization', 'Bearer 7']])
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
    assert.deepEqual(core.calls.filter((call) => !call.startsWith('auth')), [
      `depart ${API}/1`, 'logout', `depart ${API}/2`, 'setTokens', 'refresh',
    ])
    assert.equal(loads.length, 1)
  })

  it('is settled by its signal at once, and leaves nothing on it', async () => {
    const auth = manager()
    const controller = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = EventTarget.prototype
    controller.signal.addEventListener = function (...args) { listeners++; return addEventListener.apply(this, args) }
    controller.signal.removeEventListener = function (...args) { listeners--; return removeEventListener.apply(this, args) }
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

  it('is refused by a signal that is aborted already', async () => {
    const auth = manager()
    assert.deepEqual(await soon(auth.fetch(API, { signal: AbortSignal.abort('why') })), { error: 'why' })
  })

  it('is refused by the platform at once if it is no call at all', async () => {
    const auth = manager()
    assert.ok((await soon(auth.fetch('http://'))).error instanceof TypeError)
    assert.ok((await soon(auth.fetch(API, 5))).error instanceof TypeError)
  })
})

describe('the options', () => {
  it('are read at the call', async () => {
    const options = { refresh: { url: new URL('https://a.test/x'), headers: { a: 'b' } }, apis: ['/a', new URL('https://b.test/')] }
    const auth = manager(options)
    options.refresh.url.pathname = '/y'
    options.refresh.headers.a = 'c'
    options.apis.push('/late')
    const { ready } = auth
    loads[0].resolve({})
    await ready
    assert.deepEqual(core.options, { refresh: { url: 'https://a.test/x', headers: { a: 'b' } }, apis: ['/a', 'https://b.test/'] })
  })

  it('are left to the core to judge, whatever they are', async () => {
    const date = new Date()
    await ready({ a: date, b: () => {}, c: null, d: Symbol.iterator })
    assert.equal(core.options.a, date)
    const circular = {}
    circular.self = circular
    await ready(circular)
  })

  it('that throw when they are read make every call reject, the same way', async () => {
    const auth = manager({ get refresh() { throw new RangeError('mine') } })
    for (const call of [() => auth.ready, () => auth.fetch(API), () => auth.refresh(), () => auth.login(API)]) {
      await assert.rejects(call(), (error) => code('invalid-option')(error) && error.cause instanceof RangeError)
    }
    assert.equal(loads.length, 0)
  })

  it('that the core refuses make every call reject with what it says', async () => {
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
    for (const call of [...early, auth.fetch(API), auth.logout(), auth.setTokens({}), auth.getAccessToken(), auth.ready]) {
      await assert.rejects(call, (error) => {
        assert.equal(error.cause, cause)
        assert.match(error.message, /refused.*wasm-unsafe-eval/)
        return code('not-loaded')(error)
      })
    }
    assert.equal(loads.length, 1)
    assert.equal(sent.length, 0)
  })

  it('is loaded again by the next call if another try may help', async () => {
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
    globalThis.location = { href: 'https://page.test/' }
    try {
      manager()
      loads[0].reject(new Error('no'))
      manager({ get refresh() { throw new RangeError('mine') } })
      manager().dispose()
      // Node tells of them when the microtasks are done.
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(unhandled, [])
    } finally {
      delete globalThis.location
      process.off('unhandledRejection', note)
    }
  })
})

describe('a core that dies', () => {
  it('takes every waiting and later call with it', async () => {
    const auth = await ready()
    core.way = -2
    const waiting = [auth.fetch(API), auth.refresh(), auth.login(API), auth.logout(), auth.getAccessToken()]
    core.settles = () => core.trap()
    core.way = 7
    const asked = auth.fetch(API)
    sent.at(-1).resolve(new Response())
    for (const call of [asked, ...waiting]) {
      await assert.rejects(call, (error) => code('crashed')(error) && error.cause instanceof WebAssembly.RuntimeError)
    }
    const calls = core.calls.length
    for (const call of [() => auth.fetch(API), () => auth.refresh(), () => auth.setTokens({})]) {
      await assert.rejects(call(), code('crashed'))
    }
    assert.equal(core.calls.length, calls)
    auth.dispose()
  })

  it('takes the call that killed it, too', async () => {
    const auth = await ready()
    core.depart = () => core.trap()
    await assert.rejects(auth.fetch(API), code('crashed'))
    assert.equal(sent.length, 0)
  })

  it('leaves an answer that is here to the caller', async () => {
    const auth = await ready()
    const answer = auth.fetch(API)
    assert.throws(() => core.trap(), code('crashed'))
    const response = new Response()
    sent[0].resolve(response)
    assert.equal(await answer, response)
  })
})

describe('an instance of the WebAssembly', () => {
  /** Managers over one module. */
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

  it('that dies takes all its managers with it, and the next manager gets a new one', async () => {
    const { module, made, cores } = await managers(2)
    const waiting = made.map((auth) => auth.refresh())
    assert.throws(() => cores[0].trap(), code('crashed'))
    for (const call of waiting) await assert.rejects(call, code('crashed'))
    const later = await managers(2, module)
    assert.equal(module.instances, 2)
    // The old one is of no concern to the new ones.
    assert.throws(() => cores[1].trap(), code('crashed'))
    for (const auth of made) auth.dispose()
    void later.made[0].fetch(API)
    assert.equal(sent.length, 1)
    await managers(1, module)
    assert.equal(module.instances, 2)
  })

  it('is let go with the last of its managers', async () => {
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
  it('settles what waits, and refuses what comes', async () => {
    const auth = await ready()
    const waiting = auth.refresh()
    auth.dispose()
    auth.dispose()
    assert.equal(core.disposed, 1)
    await assert.rejects(waiting, code('disposed'))
    await assert.rejects(auth.fetch(API), code('disposed'))
    await assert.rejects(auth.setTokens({}), code('disposed'))
  })

  it('may come before the core, which is not made then', async () => {
    const auth = manager()
    const waiting = auth.fetch(API)
    const made = core
    auth.dispose()
    await assert.rejects(waiting, code('disposed'))
    loads[0].resolve({})
    await soon()
    assert.equal(core, made)
  })

  it('may come from a listener while the core is made', async () => {
    const auth = manager()
    auth.addEventListener('change', () => auth.dispose())
    const { makeCore } = globalThis
    globalThis.makeCore = (...args) => {
      const made = makeCore(...args)
      made.host.emit('change')
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

  it('is what `using` calls, where the platform knows it', async () => {
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
    assert.deepEqual(state, { status: 'unknown', claims: null, expiresAt: null })
    assert.ok(Object.isFrozen(state))
    const { ready } = auth
    loads[0].resolve({})
    await ready
    assert.equal(auth.state, state)
    core.host.state(signedIn)
    assert.equal(auth.state, signedIn)
  })

  it('is there when a subscriber is told', async () => {
    const auth = await ready()
    const seen = []
    const end = auth.subscribe(() => seen.push(auth.state.status))
    const change = () => {
      core.host.state(signedIn)
      core.host.emit('change')
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
    core.host.emit('change')
    end()
    core.host.emit('change')
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
    core.host.emit('signout', 'rejected')
    core.host.emit('refresherror', undefined, core.host.error('network', 'm', true))
    core.host.emit('refresh')
    core.host.emit('refresh')
    assert.deepEqual(seen, ['rejected', 'network', 'refresh'])
  })

  it('can be listened to no longer', async () => {
    const auth = await ready()
    const listener = () => assert.fail()
    auth.addEventListener('change', listener)
    auth.removeEventListener('change', listener)
    core.host.emit('change')
  })
})

describe('a TokenError', () => {
  it('has what the core gave it, and nothing else', async () => {
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

  it('is known to another copy of the package', async () => {
    const other = await load("export { isTokenError } from './error.js'; export const copy = 2")
    assert.ok(other.isTokenError(new TokenError('network', 'm')))
    for (const no of [new Error('x'), null, undefined, 'TokenError', { name: 'TokenError', code: 'network' }]) assert.ok(!isTokenError(no))
  })
})
