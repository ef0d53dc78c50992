// ky, with its own option `fetch`.

import assert from 'node:assert/strict'
import { recipe } from './support/recipe.mjs'

const { it, server } = await recipe('ky', {
  unauthorized: { name: 'HTTPError', status: 401 },
  aborted: { name: 'AbortError', code: 20 },
  asks: 4,
  post: () => api.post('items/1', { json: { of: 'a name' } }),
})

it('its own timeout includes the wait for the refresh', async (tab) => {
  server.revoke()
  const held = server.hold('/auth/refresh')
  // The test decides when the time is over.
  await tab.evaluate(() => {
    const { setTimeout } = globalThis
    const set = (work, delay, ...more) =>
      delay === 54_321 ? (globalThis.expire = work) : setTimeout(work, delay, ...more)
    globalThis.setTimeout = /** @type {any} */ (set)
    globalThis.pending = seen(api.get('items/1', { timeout: 54_321 }))
  })
  await held.arrived()
  await tab.evaluate(() => expire())
  assert.equal((await tab.evaluate(() => pending)).error.name, 'TimeoutError')
  held.release()
})
