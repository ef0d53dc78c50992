// An odd page fetch, odd answers or odd arguments cost that one call at most: never the core, another manager or the session. Uses the real
// core, in a simulated page.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import './support/page.mjs'
import { createTokenManager, isTokenError } from '../dist/index.js'

const BASE = 'https://page.test'
const tokens = (n) => Response.json({ access_token: `token-${n}`, expires_in: 300 })

/** A page's fetch that works. */
let count = 0
const good = async (input, init) => {
  const request = new Request(input, init)
  if (request.url.includes('/auth/')) return tokens(++count)
  return Response.json({ authorization: request.headers.get('authorization') })
}

const thrower = (message) => ({
  configurable: true,
  get() {
    throw new RangeError(message)
  },
})
const throwing = (...names) =>
  Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, thrower(name)])))
const hostile = () =>
  new Proxy(function () {}, {
    get() {
      throw new RangeError('get')
    },
    has() {
      throw new RangeError('has')
    },
    getPrototypeOf() {
      throw new RangeError('prototype')
    },
    ownKeys() {
      throw new RangeError('keys')
    },
    apply() {
      throw new RangeError('apply')
    },
  })
/** A platform Response with a member that throws or is odd. */
const bent = (status, name, value) =>
  Object.defineProperty(new Response('{}', { status, headers: { 'content-type': 'application/json' } }), name, value)

const MEMBERS = [
  'status',
  'ok',
  'headers',
  'redirected',
  'type',
  'url',
  'body',
  'bodyUsed',
  'clone',
  'text',
  'json',
  'arrayBuffer',
  'then',
]
const ODD_VALUES = [undefined, null, 0, -1, NaN, Infinity, 1e99, '401', 401n, true, {}, [], () => {}, hostile()]

/** Answers, each created anew. */
const ANSWERS = [
  ...[undefined, null, 0, 401, '', 'text', true, Symbol.iterator, 1n].map((value) => () => value),
  () => ({}),
  () => [],
  () => () => {},
  hostile,
  () => Object.create(null),
  () => Object.create(Response.prototype),
  () => Response.error(),
  () => new Response(null, { status: 401 }),
  () => new Response(null, { status: 500 }),
  ...[200, 401].flatMap((status) => [
    () => ({ status }),
    () => ({ status, headers: {} }),
    () => ({ status, headers: { get: () => 5 } }),
    () => ({
      status,
      headers: {
        get() {
          throw 1
        },
      },
    }),
    () => ({
      status,
      headers: new Headers(),
      clone() {
        throw new RangeError('clone')
      },
    }),
    () => ({
      status,
      headers: new Headers({ 'content-type': 'application/json' }),
      clone: () => ({ text: () => ({}) }),
    }),
    () => ({
      status,
      headers: new Headers({ 'content-type': 'application/json' }),
      clone: () => ({ text: async () => 5 }),
    }),
    () => ({
      status,
      body: {
        cancel() {
          throw 1
        },
      },
      json: async () => ({ access_token: 'mock' }),
      text: async () => '{}',
    }),
    () => ({ status, body: { cancel: () => 5 } }),
    ...MEMBERS.flatMap((name) => [
      () => ({
        status,
        get [name]() {
          throw new RangeError(name)
        },
      }),
      () => bent(status, name, thrower(name)),
    ]),
    // A `then` that is called and does nothing is an answer that never comes.
    ...MEMBERS.flatMap((name) =>
      ODD_VALUES.filter((value) => name !== 'then' || typeof value !== 'function').map(
        (value) => () => bent(status, name, { value }),
      ),
    ),
  ]),
  ...ODD_VALUES.map((status) => () => ({ status })),
]

/** What a fetch does with an answer. */
const GIVES = {
  'a promise': async (make) => make(),
  'no promise': (make) => make(),
  'a thenable': (make) => ({ then: (resolve) => resolve(make()) }),
}

const REASONS = [
  new TypeError('Failed to fetch'),
  new DOMException('x', 'AbortError'),
  'text',
  undefined,
  null,
  5,
  Symbol('x'),
  {},
  hostile(),
]

/** Fetches that give no answer. */
const FAILING = [
  ...REASONS.flatMap((reason) => [
    () => {
      throw reason
    },
    () => Promise.reject(reason),
    () => ({ then: (_, reject) => reject(reason) }),
    () => ({
      then() {
        throw reason
      },
    }),
  ]),
  () => throwing('then'),
  () =>
    Object.assign(Promise.resolve(), {
      then() {
        throw new RangeError('then')
      },
    }),
  () => Object.create(Promise.prototype),
  () => hostile(),
]

/** Arguments of a call. */
const INITS = [
  5,
  'text',
  Symbol('x'),
  hostile(),
  throwing('headers'),
  throwing('signal'),
  { headers: hostile() },
  { headers: [hostile()] },
  { headers: [['a']] },
  { headers: { a: Symbol('x') } },
  { headers: { [Symbol('x')]: 'a' } },
  { headers: 'text' },
  { headers: new Map([['a', 'b']]) },
  { signal: {} },
  { signal: Object.create(AbortSignal.prototype) },
  { signal: Object.defineProperty(new AbortController().signal, 'aborted', thrower('aborted')) },
  {
    signal: Object.defineProperty(new AbortController().signal, 'addEventListener', {
      value() {
        throw new RangeError('listen')
      },
    }),
  },
  { method: 'POST', body: hostile() },
  { method: 'POST', body: throwing('buffer') },
  { method: 'POST', body: { buffer: {}, byteLength: 1e9 } },
  { method: {} },
  { method: hostile() },
  { body: 'x' },
  { mode: 'navigate' },
  { credentials: 'all' },
  { redirect: 'error' },
  { duplex: 5 },
  Object.create({ method: 'A B' }),
]
const INPUTS = [
  undefined,
  null,
  5,
  Symbol('x'),
  {},
  hostile(),
  throwing('toString'),
  { toString: () => ({}) },
  'http://',
  '//',
  '',
  '#x',
  'https://a:b@page.test/',
  'javascript:1',
  'blob:x',
  'data:,x',
  Object.create(Request.prototype),
  Object.create(URL.prototype),
  new Event('click'),
  new URL('/x', BASE),
  Object.defineProperty(new Request(`${BASE}/x`), 'headers', thrower('headers')),
  Object.defineProperty(new Request(`${BASE}/x`), 'clone', {
    value() {
      throw new RangeError('clone')
    },
  }),
  Object.defineProperty(new Request(`${BASE}/x`), 'url', thrower('url')),
]

/** @type {import('tokenkeep').TokenManagerOptions} */
const options = { refresh: '/auth/refresh', logout: '/auth/logout', tabs: 'off', exposeToken: true }

let auth
let other
before(async () => {
  auth = createTokenManager({
    ...options,
    unauthorized: [{ status: 401 }, { status: 200, body: { path: 'code', equals: 401 } }, { networkError: true }],
    adopt: { header: 'x-token' },
  })
  other = createTokenManager({ ...options, refresh: '/auth/other' })
  globalThis.fetch = good
  await auth.login('/auth/login')
  await other.login('/auth/login')
})

after(() => {
  auth.dispose()
  other.dispose()
})

/** Waits for a call, whatever its outcome. Only the core must not fail. */
async function survives(what, call) {
  const promise = call()
  assert.ok(promise instanceof Promise, what)
  const outcome = await Promise.race([
    promise.then(
      () => 'answered',
      (error) => {
        let code
        try {
          code = error?.code
        } catch {
          code = undefined
        }
        assert.notEqual(code, 'crashed', what)
      },
    ),
    new Promise((resolve) => setTimeout(resolve, 5000, 'hangs').unref()),
  ])
  assert.notEqual(outcome, 'hangs', what)
}

/** The managers still work. */
async function isWhole(what) {
  globalThis.fetch = good
  for (const manager of [auth, other]) {
    const answer = await manager.fetch(`${BASE}/api/check`).catch(async (error) => {
      // A refresh that did not reach the server causes a back-off; a login ends it.
      assert.ok(isTokenError(error) && error.code !== 'crashed', `${what}: ${error}`)
      await manager.login('/auth/login')
      return manager.fetch(`${BASE}/api/check`)
    })
    let { authorization } = await answer.json()
    if (!authorization) {
      await manager.login('/auth/login')
      authorization = (await (await manager.fetch(`${BASE}/api/check`)).json()).authorization
    }
    assert.match(authorization, /^Bearer /, what)
  }
}

const METHODS = {
  fetch: () => auth.fetch('/api/x'),
  'fetch with a Request': () => auth.fetch(new Request(`${BASE}/api/x`, { method: 'POST', body: 'x' })),
  login: () => auth.login('/auth/login'),
  refresh: () => auth.refresh(),
  logout: () => auth.logout(),
}

describe('the core and the session survive', { timeout: 300_000 }, () => {
  for (const [method, call] of Object.entries(METHODS)) {
    it(`${method}: answers`, async () => {
      for (const [at, make] of ANSWERS.entries()) {
        for (const [how, give] of Object.entries(GIVES)) {
          globalThis.fetch = () => give(make)
          await survives(`${method}, answer ${at} as ${how}: ${make}`, call)
        }
        if (at % 40 === 0 || method === 'logout') await isWhole(`${method}, answer ${at}: ${make}`)
      }
      await isWhole(method)
    })

    it(`${method}: no answers`, async () => {
      for (const [at, fail] of FAILING.entries()) {
        globalThis.fetch = fail
        await survives(`${method}, failure ${at}: ${fail}`, call)
        await isWhole(`${method}, failure ${at}: ${fail}`)
      }
    })
  }

  it('fetch: odd answers to the second sending', async () => {
    for (const [at, make] of [...ANSWERS, ...FAILING].entries()) {
      let calls = 0
      globalThis.fetch = (input, init) => {
        if (`${input?.url ?? input}`.includes('/auth/')) return good(input, init)
        return calls++ ? make() : new Response(null, { status: 401 })
      }
      await survives(`second answer ${at}: ${make}`, () => auth.fetch('/api/x'))
    }
    await isWhole('second answers')
  })

  it('arguments', async () => {
    globalThis.fetch = good
    for (const name of ['fetch', 'login', 'exchange', 'logout']) {
      for (const [at, input] of INPUTS.entries()) {
        await survives(`${name}, input ${at}`, () => auth[name](input))
        await survives(`${name}, input ${at}`, () => auth[name](input, {}))
      }
      for (const [at, init] of INITS.entries()) {
        await survives(`${name}, init ${at}`, () => auth[name]('/api/x', init))
        // A call that waits.
        globalThis.fetch = (input, more) =>
          `${input?.url ?? input}`.includes('/auth/')
            ? good(input, more)
            : Promise.resolve(new Response(null, { status: 401 }))
        await survives(`${name}, init ${at}, refused`, () => auth[name]('/api/x', init))
        globalThis.fetch = good
      }
      await isWhole(name)
    }
    for (const value of [...INPUTS, ...INITS]) {
      await survives('setTokens', () => auth.setTokens(value))
      await survives('setTokens', () => auth.setTokens({ accessToken: value }))
      await survives('refresh', () => auth.refresh(value))
    }
    await isWhole('arguments')
  })

  it('no fetch at all', async () => {
    for (const fetch of /** @type {any[]} */ ([undefined, null, 5, {}, hostile()])) {
      globalThis.fetch = fetch
      for (const [method, call] of Object.entries(METHODS)) await survives(`${method}: ${typeof fetch}`, call)
      await isWhole(`fetch of type ${typeof fetch}`)
    }
  })
})

describe('a mock', () => {
  it('may answer with plain objects, and its 401s cause a refresh', async () => {
    const answers = []
    globalThis.fetch = async (input) => {
      if (`${input?.url ?? input}`.includes('/auth/')) return tokens(++count)
      return answers.length
        ? { status: 200, ok: true, json: async () => 'data' }
        : answers[answers.push({ status: 401, ok: false }) - 1]
    }
    const answer = await auth.fetch('/api/x')
    assert.equal(await answer.json(), 'data')
    await isWhole('mock')
  })
})
