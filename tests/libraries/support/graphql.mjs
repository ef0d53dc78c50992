// A typical GraphQL server: it answers 200, and says in the body that the token is refused.

import { buildSchema, graphql, GraphQLError } from 'graphql'
import { json } from '../../e2e/support/stub.mjs'

const schema = buildSchema(`
  type Item { id: Int!, of: String! }
  type Query { item(id: Int!): Item }
`)

const item = ({ id }, { who }) => {
  if (!who) throw new GraphQLError('who are you?', { extensions: { code: 'UNAUTHENTICATED' } })
  return { id, of: who.sub }
}

/** Routes of a strict server, see `recipe`. Also accepts a list of queries. */
export const graphqlRoutes = (server) => ({
  '/graphql': async (arrived) => {
    const asked = arrived.method === 'GET' ? Object.fromEntries(arrived.query) : JSON.parse(arrived.body)
    const answer = ({ query: source, variables }) =>
      graphql({
        schema,
        source,
        rootValue: { item },
        contextValue: { who: server().who(arrived) },
        variableValues: typeof variables === 'string' ? JSON.parse(variables) : variables,
      })
    return json(await (Array.isArray(asked) ? Promise.all(asked.map(answer)) : answer(asked)))
  },
})
