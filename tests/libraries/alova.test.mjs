// alova, whose cache belongs to the user.

import assert from 'node:assert/strict'
import { recipe } from './support/recipe.mjs'

const { it, server } = await recipe('alova', {
  driver: `
    import { item as method } from 'the client'
    export const item = (id, signal) => {
      const asked = method(id)
      signal?.addEventListener('abort', () => asked.abort())
      return asked.send()
    }
  `,
  unauthorized: { name: 'Error', status: 401 },
  aborted: { name: 'AbortError', code: 20 },
  post: () => api.Post('/items/1', { of: 'a name' }).send(),
})

it('stale cache entries are requested again, and equal calls are merged', async (tab) => {
  await tab.evaluate(() => Promise.all([seen(item(1)), seen(item(1))]))
  await tab.evaluate(() => seen(item(1)))
  assert.equal(server.at('/api/items/1').length, 1)
})
