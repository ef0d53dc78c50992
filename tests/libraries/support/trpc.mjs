// A tRPC server with a public procedure, and one for signed-in users.

import { initTRPC, TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { refused } from '../../e2e/support/stub.mjs'
import { snippet } from './docs.mjs'

const t = initTRPC.context().create()

const router = t.router({
  hello: t.procedure.query(() => 'hello'),
  item: t.procedure.input(Number).query(({ input, ctx }) => {
    if (!ctx.user) throw new TRPCError({ code: 'UNAUTHORIZED' })
    return { id: input, of: ctx.user.sub }
  }),
  clock: t.procedure.subscription(async function* ({ ctx }) {
    yield ctx.user?.sub ?? 'nobody'
  }),
})

// The page's code parses its tokens like the strict server.
const page = snippet('trpc', 'The server')
  .replace(/^import.*$/m, '')
  .replace('export', 'return')
const contextOf = (verify) => new Function('TRPCError', 'verify', page)(TRPCError, verify)

/**
 * Routes of a strict server, see `recipe`. A bad token is refused under `/trpc` by the procedures that require one, under `/strict` by the
 * page's context, and under `/guarded` before tRPC gets the request.
 */
export const trpcRoutes = (server) => {
  const verify = (token) => server().who({ headers: { authorization: `Bearer ${token}` } })
  const route = (endpoint, createContext) => async (arrived) => {
    const { method, path, query, headers, body } = arrived
    const req = new Request(`${server().origin}${path}?${query}`, {
      method,
      headers,
      ...(method === 'POST' && { body }),
    })
    const answer = await fetchRequestHandler({
      endpoint,
      router,
      req,
      createContext: createContext ?? (() => ({ user: server().who(arrived) })),
    })
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() }
  }
  const guarded = route('/guarded')
  return {
    '/trpc/': route('/trpc'),
    '/strict/': route('/strict', contextOf(verify)),
    '/guarded/': (arrived) => (arrived.headers.authorization && !server().who(arrived) ? refused() : guarded(arrived)),
  }
}
