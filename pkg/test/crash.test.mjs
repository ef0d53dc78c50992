// What a patched platform throws, with the real core in a simulated page: a crash of the core ends every call, and the app gets the reasons that
// its own `fetch` and signals give.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { load } from './support/bundle.mjs'
import './support/page.mjs'
import { createTokenManager } from '../dist/index.js'

const tokens = () => Response.json({ access_token: 'a-token', expires_in: 300 })
const isRefresh = (input) => `${input?.url ?? input}`.includes('/auth/')

const managers = []
after(() => managers.forEach((manager) => manager.dispose()))

/** A manager with its core. */
async function made() {
  globalThis.fetch = async (input) => (isRefresh(input) ? tokens() : new Response())
  const auth = createTokenManager({ refresh: '/auth/refresh', logout: '/auth/logout', tabs: 'off', exposeToken: true })
  managers.push(auth)
  await auth.ready
  return auth
}

describe('a clock that throws, which crashes the core,', () => {
  for (const method of ['fetch', 'refresh', 'login', 'logout', 'known', 'getAccessToken']) {
    it(`rejects ${method}`, async () => {
      const auth = await made()
      const { now } = performance
      let call
      try {
        performance.now = () => {
          throw new RangeError('patched')
        }
        call = auth[method](...(method === 'fetch' ? ['/api/x'] : method === 'login' ? ['/auth/login'] : []))
      } finally {
        performance.now = now
      }
      await assert.rejects(call, ({ code, cause }) => code === 'crashed' && cause.message === 'patched')
    })
  }
})

const thrower = function () {
  throw new RangeError('patched')
}

/** Replaces members until `work` is done, which takes no longer than the session and its events. */
async function patched(members, work) {
  const before = members.map(([object, name]) => [object, name, Object.getOwnPropertyDescriptor(object, name)])
  const { defineProperty } = Object
  for (const [object, name, descriptor] of before) defineProperty(object, name, { ...descriptor, value: thrower })
  try {
    return await work()
  } finally {
    for (const [object, name, descriptor] of before) defineProperty(object, name, descriptor)
  }
}

describe('a page whose patched functions throw', () => {
  /** What the app's monitoring hears, in place of the test runner, which would fail the test. */
  const monitored = []
  const runners = process.listeners('unhandledRejection')
  const listen = (...listeners) => {
    process.removeAllListeners('unhandledRejection')
    for (const listener of listeners) process.on('unhandledRejection', listener)
  }
  before(() => listen((/** @type {any} */ reason) => monitored.push(reason.message)))
  after(() => listen(...runners))

  for (const [name, ...members] of [
    ['dispatchEvent', [EventTarget.prototype, 'dispatchEvent']],
    ['Event', [globalThis, 'Event']],
    ['Object.defineProperty', [Object, 'defineProperty']],
  ])
    it(`loses events, but no call and no session: ${name}`, async () => {
      const auth = await made()
      const heard = []
      for (const type of /** @type {const} */ (['change', 'refresh', 'signout']))
        auth.addEventListener(type, () => heard.push(type))
      monitored.length = 0
      const state = await patched(members, async () => {
        await auth.refresh()
        await auth.fetch('/api/x')
        await new Promise(setImmediate)
        return auth.state.status
      })
      assert.equal(state, 'signed-in')
      assert.ok(monitored.length && monitored.every((message) => /patched/.test(message)), `${monitored}`)
      assert.ok(!heard.includes('refresh'))
      await auth.logout()
      assert.deepEqual(heard.slice(-2), ['change', 'signout'])
      assert.equal(auth.state.status, 'signed-out')
    })

  it('gets a state that is not frozen: Object.freeze, Object.values', async () => {
    for (const name of ['freeze', 'values']) {
      const auth = await made()
      const heard = []
      for (const type of /** @type {const} */ (['change', 'refresh']))
        auth.addEventListener(type, () => heard.push(type))
      await patched([[Object, name]], () => auth.refresh())
      assert.deepEqual([auth.state.status, heard], ['signed-in', ['change', 'refresh']], name)
    }
  })

  it('gets the claims: JSON.parse', async () => {
    const auth = createTokenManager({ refresh: '/auth/refresh', tabs: 'off' })
    managers.push(auth)
    await auth.ready
    const payload = Buffer.from(JSON.stringify({ sub: 'alice' })).toString('base64url')
    const token = `e30.${payload}.x`
    await patched([[JSON, 'parse']], () => auth.setTokens({ accessToken: token }))
    assert.deepEqual({ ...auth.state.claims }, { sub: 'alice' })
  })

  it('gets errors whose code says what happened: Object.defineProperty', async () => {
    const auth = await made()
    await patched([[Object, 'defineProperty']], () =>
      assert.rejects(auth.login('/auth/login', /** @type {any} */ ({ signal: 1 })), TypeError),
    )
    globalThis.fetch = async () => new Response(null, { status: 401 })
    await patched([[Object, 'defineProperty']], () =>
      assert.rejects(auth.refresh(), { name: 'TokenError', code: 'rejected', status: 401 }),
    )
  })

  it('waits for nothing: clearTimeout, removeEventListener', async () => {
    const members = [
      [globalThis, 'clearTimeout'],
      [EventTarget.prototype, 'removeEventListener'],
    ]
    const { signal } = new AbortController()
    // A timer that is never cleared keeps Node running.
    const timers = []
    const { setTimeout } = globalThis
    globalThis.setTimeout = /** @type {any} */ ((work, ms) => timers[timers.push(setTimeout(work, ms)) - 1])
    try {
      const auth = await made()
      const status = await patched(members, async () => {
        await auth.login('/auth/login', { method: 'POST', body: 'a=b', signal })
        await auth.refresh()
        return (await auth.fetch('/api/x', { signal })).status
      })
      assert.equal(status, 200)
      assert.ok(timers.length)
    } finally {
      globalThis.setTimeout = setTimeout
      timers.forEach((timer) => clearTimeout(timer))
    }
  })

  it('gets no warning: console.warn, as in some test environments', async () => {
    const { alone } = await load("export { alone } from '../../src/browser/notice.js'")
    await patched([[console, 'warn']], () => alone())
  })
})

describe('the reason null', () => {
  it('of a patched fetch is what the caller gets, at once and after a refresh', async () => {
    const auth = await made()
    globalThis.fetch = (input) => (isRefresh(input) ? Promise.resolve(tokens()) : Promise.reject(null))
    const caught = () => auth.fetch('/api/x').catch((reason) => ({ reason }))
    assert.deepEqual([await caught(), await caught()], [{ reason: null }, { reason: null }])
  })

  it('of a signal is what the caller of a waiting call gets', async () => {
    const auth = await made()
    globalThis.fetch = () => new Promise(() => {})
    const abort = new AbortController()
    const calls = [
      auth.fetch('/api/x', { signal: abort.signal }),
      auth.login('/auth/login', { signal: abort.signal }),
    ].map((call) => call.catch((reason) => ({ reason })))
    abort.abort(null)
    assert.deepEqual(await Promise.all(calls), [{ reason: null }, { reason: null }])
  })
})
