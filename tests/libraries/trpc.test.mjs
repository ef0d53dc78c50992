// tRPC, whose client sends calls in batches.

import assert from 'node:assert/strict'
import { OUTAGE, recipe } from './support/recipe.mjs'
import { trpcRoutes } from './support/trpc.mjs'

const { it, server } = await recipe('trpc', {
  driver: `
    import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpSubscriptionLink } from '@trpc/client'
    import { createEventSource } from 'tokenkeep/event-source'
    import { auth, trpc } from 'the client'
    const client = (link, url) => createTRPCClient({ links: [link({ url, fetch: auth.fetch })] })
    const clients = {
      trpc,
      strict: client(httpBatchLink, '/strict'),
      streamed: client(httpBatchStreamLink, '/strict'),
      guarded: client(httpBatchStreamLink, '/guarded'),
    }
    const live = createTRPCClient({ links: [httpSubscriptionLink({ url: '/guarded', EventSource: createEventSource(auth) })] })
    /** The first message of a subscription. */
    export const subscribed = () => new Promise((onData, onError) => {
      const { unsubscribe } = live.clock.subscribe(undefined, { onData: (data) => (onData(data), unsubscribe()), onError })
    })
    /** A batch of a public procedure and one that requires a user. */
    export const mixed = (name) => Promise.all([clients[name].hello.query(), clients[name].item.query(1)])
  `,
  routes: trpcRoutes,
  outage: { name: 'TRPCClientError', cause: OUTAGE },
  unauthorized: { name: 'TRPCClientError' },
  aborted: { name: 'TRPCClientError', cause: { name: 'AbortError', code: 20 } },
  asks: 4,
})

it('a batch with different outcomes has the status 207, which is no refusal', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => seen(mixed('trpc'))), { error: { name: 'TRPCClientError' } })
  assert.equal(server.at('/auth/refresh').length, 0)
})

it('a context that refuses a bad token refuses the whole batch', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => seen(mixed('strict'))), { value: ['hello', { id: 1, of: 'alice' }] })
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('a streamed batch has the status 200 before its outcome is known', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => seen(mixed('streamed'))), { error: { name: 'TRPCClientError' } })
  assert.equal(server.at('/auth/refresh').length, 0)
})

it('a call refused before tRPC sees it is sent again, even if it is streamed', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => seen(mixed('guarded'))), { value: ['hello', { id: 1, of: 'alice' }] })
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('a call in a batch is not cancelled alone', async (tab) => {
  server.revoke()
  const held = server.hold('/auth/refresh')
  await tab.evaluate(() => {
    globalThis.controller = new AbortController()
    globalThis.both = Promise.all([seen(item(1, controller.signal)), seen(item(2))])
  })
  await held.arrived()
  await tab.evaluate(() => controller.abort())
  held.release()
  assert.deepEqual(
    await tab.evaluate(() => both),
    [1, 2].map((id) => ({ value: { id, of: 'alice' } })),
  )
})

it('a refused subscription by our EventSource continues with the new token', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => seen(subscribed())), { value: 'alice' })
  assert.equal(server.at('/auth/refresh').length, 1)
})
