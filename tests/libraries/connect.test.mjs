// Connect for the web.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { connectRoutes } from './support/connect.mjs'
import { OUTAGE, recipe } from './support/recipe.mjs'

// The generated file.
const generated = {
  name: 'generated',
  setup: (build) =>
    build.onResolve({ filter: /gen\/items_pb/ }, () => ({
      path: fileURLToPath(new URL('support/items_pb.mjs', import.meta.url)),
    })),
}

const { it, server } = await recipe('connect', {
  driver: `
    import { items } from 'the client'
    import { createClient } from '@connectrpc/connect'
    import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web'
    import { auth } from 'the client'
    import { Items } from './gen/items_pb.js'
    const client = (create, baseUrl) => createClient(Items, create({ baseUrl, fetch: auth.fetch }))
    export const clients = {
      open: client(createConnectTransport, '/rpc'),
      guarded: client(createConnectTransport, '/guarded'),
      openWeb: client(createGrpcWebTransport, '/rpc'),
      guardedWeb: client(createGrpcWebTransport, '/guarded'),
    }
    export const get = (name) => clients[name].get({ id: 1 }).then(({ of }) => of)
    export const watch = async (name) => {
      for await (const { of } of clients[name].watch({ id: 1 })) return of
    }
    export const item = (id, signal) => items.get({ id }, { signal }).then(({ id, of }) => ({ id, of }))
  `,
  routes: connectRoutes,
  esbuild: { plugins: [generated] },
  // `Code.Unknown`
  outage: { name: 'ConnectError', code: 2, cause: OUTAGE },
  // `Code.Unauthenticated`, `Code.Canceled`
  unauthorized: { name: 'ConnectError', code: 16 },
  aborted: { name: 'ConnectError', code: 1 },
  asks: 4,
})

// For a stream, and for gRPC-Web, the error is in a body with the status 200.
for (const [name, call] of [
  ['open', 'watch'],
  ['openWeb', 'get'],
  ['openWeb', 'watch'],
]) {
  it(`${call} by ${name}: a refusal by the procedure itself is final`, async (tab) => {
    server.revoke()
    assert.deepEqual(await tab.evaluate(([name, call]) => seen(globalThis[call](name)), [name, call]), {
      error: { name: 'ConnectError', code: 16 },
    })
    assert.equal(server.at('/auth/refresh').length, 0)
  })
}

for (const [name, call] of [
  ['guarded', 'get'],
  ['guarded', 'watch'],
  ['guardedWeb', 'get'],
  ['guardedWeb', 'watch'],
]) {
  it(`${call} by ${name}: a call refused before Connect sees it is sent again`, async (tab) => {
    server.revoke()
    assert.deepEqual(await tab.evaluate(([name, call]) => seen(globalThis[call](name)), [name, call]), {
      value: 'alice',
    })
    assert.equal(server.at('/auth/refresh').length, 1)
  })
}
