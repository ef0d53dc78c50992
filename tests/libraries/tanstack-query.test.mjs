// TanStack Query, in React.

import assert from 'node:assert/strict'
import { json } from '../e2e/support/stub.mjs'
import { recipe } from './support/recipe.mjs'

const { it, server, renewed, unreached } = await recipe('tanstack-query', {
  driver: `
    import { QueryClientProvider } from '@tanstack/react-query'
    import { call, queries, useItem } from 'the client'
    import { show, shown } from './pages/react.tsx'
    const Wrapper = ({ children }) => <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    export const item = (id, signal) => shown(() => useItem(id), Wrapper, signal)
    /** Saves item 1, as a mutation does. */
    export const save = () => queries.getMutationCache().build(queries, {
      mutationFn: () => call('/api/items/1', { method: 'PUT', body: '{}' }),
    }).execute()
    export const stay = (id) => (globalThis.now = show(() => useItem(id), Wrapper))
  `,
  unauthorized: { name: 'Error', status: 401 },
  // The shown component asks once more, without a token.
  asksAtEnd: 2,
  asks: 4,
  shows: true,
})

it('a mutation is repeated after an outage only', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', (arrived) => (arrived.nth === 1 ? unreached() : renewed(arrived)))
  assert.deepEqual(await tab.evaluate(() => seen(save())), { value: { id: 1, of: 'alice' } })
  assert.deepEqual(
    server.at('/api/items/1').map(({ method }) => method),
    ['PUT', 'PUT'],
  )
  server.route('/api/items/', () => json({}, { status: 500 }))
  assert.deepEqual(await tab.evaluate(() => seen(save())), { error: { name: 'Error', status: 500 } })
  assert.equal(server.at('/api/items/1').length, 3)
})
