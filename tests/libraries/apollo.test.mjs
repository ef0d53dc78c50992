// Apollo Client, with its retry link.

import assert from 'node:assert/strict'
import { json } from '../e2e/support/stub.mjs'
import { graphqlRoutes } from './support/graphql.mjs'
import { recipe } from './support/recipe.mjs'

const { it, server, get } = await recipe('apollo', {
  driver: `
    import { ApolloClient, gql, InMemoryCache } from '@apollo/client'
    import { BatchHttpLink } from '@apollo/client/link/batch-http'
    import { auth, client } from 'the client'
    const batches = new ApolloClient({ cache: new InMemoryCache(), link: new BatchHttpLink({ uri: '/graphql', fetch: auth.fetch }) })
    const query = gql('query Item($id: Int!) { item(id: $id) { id of } }')
    export const batched = (id) => batches.query({ query, variables: { id } }).then(({ data }) => data.item.of)
    export const item = async (id, signal) => {
      const { id: found, of } = (await client.query({ query, variables: { id }, context: { fetchOptions: { signal } } })).data.item
      return { id: found, of }
    }
  `,
  routes: graphqlRoutes,
  unauthorized: { name: 'CombinedGraphQLErrors', codes: ['UNAUTHENTICATED'] },
  // The end of the session empties the store, and pending queries are rejected.
  ended: { name: 'Invariant Violation' },
  aborted: { name: 'AbortError', code: 20 },
  asks: 4,
})

it('a batch is sent again completely', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => Promise.all([batched(1), batched(2), batched(3)])), [
    'alice',
    'alice',
    'alice',
  ])
  assert.equal(server.at('/graphql').length, 2)
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('an error status is a ServerError', async (tab) => {
  server.route('/graphql', () => json({}, { status: 403 }))
  assert.deepEqual(await get(tab, 1), { error: { name: 'ServerError', status: 403 } })
})
