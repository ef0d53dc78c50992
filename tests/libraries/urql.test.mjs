// urql, with its retry exchange.

import assert from 'node:assert/strict'
import { graphqlRoutes } from './support/graphql.mjs'
import { OUTAGE, recipe } from './support/recipe.mjs'

const { it, server, get } = await recipe('urql', {
  driver: `
    import { client } from 'the client'
    const query = 'query Item($id: Int!) { item(id: $id) { id of } }'
    export const item = async (id, signal) => new Promise((resolve, reject) => {
      const { unsubscribe } = client.query(query, { id }).subscribe(({ data, error }) => (error ? reject(error) : resolve({ id: data.item.id, of: data.item.of })))
      signal?.addEventListener('abort', unsubscribe)
    })
  `,
  routes: graphqlRoutes,
  outage: { name: 'CombinedError', codes: [], networkError: OUTAGE },
  unauthorized: { name: 'CombinedError', codes: ['UNAUTHENTICATED'], status: 200 },
  asks: 4,
})

it('an error status is a network error', async (tab) => {
  server.route('/graphql', () => ({ status: 403 }))
  assert.deepEqual(await get(tab, 1), {
    error: { name: 'CombinedError', codes: [], status: 403, networkError: { name: 'Error' } },
  })
})
