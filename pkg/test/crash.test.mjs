// What a patched platform throws, with the real core in a simulated page: a crash of the core ends every call, and the app gets the reasons that
// its own `fetch` and signals give.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
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
