// graphql-request.

import assert from 'node:assert/strict'
import { graphqlRoutes } from './support/graphql.mjs'
import { recipe } from './support/recipe.mjs'

const { it, server } = await recipe('graphql-request', {
  driver: `
    import { GraphQLClient } from 'graphql-request'
    import { auth, client } from 'the client'
    const query = 'query Item($id: Int!) { item(id: $id) { of } }'
    export const batched = (...ids) => client.batchRequests(ids.map((id) => ({ document: query, variables: { id } })))
    export const relative = () => new GraphQLClient('/graphql', { fetch: auth.fetch }).request('{ item(id: 1) { of } }')
  `,
  routes: graphqlRoutes,
  unauthorized: { name: 'Error', codes: ['UNAUTHENTICATED'], status: 200 },
  aborted: { name: 'AbortError', code: 20 },
})

it('a batch is sent again completely', async (tab) => {
  server.revoke()
  const answers = await tab.evaluate(() => batched(1, 2))
  assert.deepEqual(
    answers.map(({ data }) => data.item.of),
    ['alice', 'alice'],
  )
  assert.equal(server.at('/graphql').length, 2)
})

it('it accepts no relative URL', async (tab) => {
  const { error } = await tab.evaluate(() => seen(relative()))
  assert.equal(error.name, 'TypeError')
  assert.equal(server.at('/graphql').length, 0)
})
