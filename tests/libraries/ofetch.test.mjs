// ofetch, with retries according to `retryable`.

import assert from 'node:assert/strict'
import { json, refused } from '../e2e/support/stub.mjs'
import { OUTAGE, recipe } from './support/recipe.mjs'

const { it, server, unreached } = await recipe('ofetch', {
  outage: { name: 'FetchError', cause: OUTAGE },
  unauthorized: { name: 'FetchError', status: 401 },
  aborted: { name: 'FetchError', cause: { name: 'AbortError', code: 20 } },
  asks: 4,
  post: () => api('items/1', { method: 'POST', body: { of: 'a name' } }),
})

it('a POST is not repeated', async (tab) => {
  server.route('/api/items/', () => json({}, { status: 500 }))
  await tab.evaluate(() => seen(api('items/1', { method: 'POST', body: { of: 'a name' } })))
  assert.equal(server.at('/api/items/1').length, 1)
  server.revoke()
  server.route('/api/items/', () => refused())
  server.route('/auth/refresh', unreached)
  await tab.evaluate(() => (globalThis.asked = 0))
  assert.deepEqual(await tab.evaluate(() => seen(api('items/1', { method: 'POST', body: { of: 'a name' } }))), {
    error: { name: 'FetchError', cause: OUTAGE },
  })
  assert.equal(await tab.evaluate(() => asked), 1)
})
