// A Connect server. Under `/rpc` its procedures check the token themselves, as an interceptor does; under `/guarded` the token is checked
// before Connect gets the request.

import { Code, ConnectError } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { Items } from './items_pb.mjs'

/** Routes of a strict server, see `recipe`. */
export const connectRoutes = (server) => {
  const whoIs = (header) => server().who({ headers: { authorization: header ?? undefined } })
  const item = ({ id }, { requestHeader }) => {
    const who = whoIs(requestHeader.get('authorization'))
    if (!who) throw new ConnectError('who are you?', Code.Unauthenticated)
    return { id, of: who.sub }
  }
  const routes = (router) =>
    router.service(Items, {
      get: item,
      async *watch(request, context) {
        yield item(request, context)
      },
    })
  const open = connectNodeAdapter({ requestPathPrefix: '/rpc', routes })
  const guarded = connectNodeAdapter({ requestPathPrefix: '/guarded', routes })
  return {
    '/rpc/': { handle: open },
    '/guarded/': {
      handle(request, response) {
        if (whoIs(request.headers.authorization)) return guarded(request, response)
        response.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"unauthenticated"}')
      },
    },
  }
}
