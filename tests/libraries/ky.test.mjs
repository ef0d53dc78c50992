// ky, by its own option `fetch`.

import assert from 'node:assert/strict'
import { recipe } from './support/recipe.mjs'

const { it, server } = await recipe('ky', {
  unauthorized: { name: 'HTTPError', status: 401 },
  aborted: { name: 'AbortError', code: 20 },
  asks: 4,
  post: () => api.post('items/1', { json: { of: 'a name' } }),
})

it('a timeout of its own counts the wait for the refresh', async (tab) => {
  server.revoke()
  const held = server.hold('/auth/refresh')
  const call = tab.evaluate(() => seen(api.get('items/1', { timeout: 100 })))
  await held.arrived()
  assert.equal((await call).error.name, 'TimeoutError')
  held.release()
})
