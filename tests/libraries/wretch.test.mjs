// wretch, with its retry middleware.

import assert from 'node:assert/strict'
import { OUTAGE, recipe } from './support/recipe.mjs'

const { it, server, unreached } = await recipe('wretch', {
  driver: `
    import wretch from 'wretch'
    import { retry } from 'wretch/middlewares'
    import { auth } from 'the client'
    export const plain = wretch('/api').fetchPolyfill(auth.fetch).middlewares([retry({ delayTimer: 1 })])
  `,
  unauthorized: { name: 'Error', status: 401, cause: { name: 'Error' } },
  aborted: { name: 'AbortError', code: 20 },
  asks: 4,
  post: () => api.url('/items/1').post({ of: 'a name' }).res(),
})

it('by default it repeats none of our errors', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', unreached)
  const { error, calls } = await tab.evaluate(async () => {
    globalThis.asked = 0
    return { ...(await seen(plain.get('/items/1').json())), calls: asked }
  })
  assert.deepEqual([error, calls], [OUTAGE, 1])
})
