// RTK Query, which handles errors as plain data.

import assert from 'node:assert/strict'
import { recipe } from './support/recipe.mjs'

/** The message of the refresh's error during an outage. */
const words = (origin) =>
  `Unexpected HTTP status 503 from the refresh endpoint (${origin}/auth/refresh); the session was kept.`

const { it, server, unreached } = await recipe('rtk-query', {
  driver: `
    import { fetchBaseQuery } from '@reduxjs/toolkit/query'
    import { Provider } from 'react-redux'
    import { api, auth, store, useItemQuery } from 'the client'
    import { show } from './pages/react.tsx'
    const Wrapper = ({ children }) => <Provider store={store}>{children}</Provider>
    export const stay = (id) => (globalThis.now = show(() => useItemQuery(id), Wrapper))
    export const plain = fetchBaseQuery({ baseUrl: '/api', fetchFn: auth.fetch })
    export const item = (id, signal) => {
      const asked = store.dispatch(api.endpoints.item.initiate(id))
      signal?.addEventListener('abort', () => asked.abort())
      return asked.unwrap()
    }
  `,
  outage: (origin) => ({ status: 'CUSTOM_ERROR', error: words(origin), data: { code: 'bad-status', retryable: true } }),
  unauthorized: { status: 401, data: { error: "the API's own" } },
  // The end of the session removes the state, with pending queries.
  ended: { name: 'AbortError' },
  aborted: { name: 'AbortError' },
  asks: 4,
  post: () => store.dispatch(api.endpoints.saveItem.initiate({ id: 1, of: 'a name' })),
  shows: true,
})

it('without our code, it turns every error into a text', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', unreached)
  const { error } = await tab.evaluate(() => plain('items/1', { signal: new AbortController().signal }, {}))
  const origin = await tab.evaluate(() => location.origin)
  assert.deepEqual(error, { status: 'FETCH_ERROR', error: `TokenError: ${words(origin)}` })
})
