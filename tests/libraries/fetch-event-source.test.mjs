// @microsoft/fetch-event-source, which has its own retries.

import assert from 'node:assert/strict'
import { json, refused } from '../e2e/support/stub.mjs'
import { hurry, recipe } from './support/recipe.mjs'

const { it, server } = await recipe('fetch-event-source', {
  driver: `
    import { fetchEventSource } from '@microsoft/fetch-event-source'
    import { auth, listen } from 'the client'
    export { fetchEventSource }
    export const item = (id, signal) => new Promise((resolve, reject) => {
      const end = new AbortController()
      signal?.addEventListener('abort', () => end.abort())
      const heard = ({ data }) => {
        resolve(JSON.parse(data))
        end.abort()
      }
      listen('/api/items/' + id, heard, end.signal).catch(reject)
    })
  `,
  routes: (server) => ({
    '/api/items/': (arrived) => {
      const who = server().who(arrived)
      if (!who) return refused()
      const data = JSON.stringify({ id: Number(arrived.path.split('/').at(-1)), of: who.sub })
      return { type: 'text/event-stream', body: `data: ${data}\n\n`, goesOn: true }
    },
  }),
  unauthorized: { name: 'Error', status: 401 },
  // It keeps trying.
  outage: null,
  recovers: true,
})

it('a stream that breaks off continues where it was, with a new token', async (tab) => {
  server.route('/api/log', (arrived) => {
    if (!server.who(arrived)) return refused()
    const from = Number(arrived.headers['last-event-id'] ?? 0)
    if (from === 0) server.revoke()
    return { type: 'text/event-stream', body: `id: ${from + 1}\ndata: ${from + 1}\n\n`, goesOn: from === 1 }
  })
  await tab.evaluate(() => {
    globalThis.received = []
    globalThis.over = new AbortController()
    listen('/api/log', ({ data }) => received.push(data), over.signal)
  })
  await tab.waitForFunction(() => received.length === 2)
  assert.deepEqual(await tab.evaluate(() => received), ['1', '2'])
  assert.equal(server.at('/auth/refresh').length, 1)
  await tab.evaluate(() => over.abort())
})

it('without our code, it retries for ever if the API answers 401', async (tab) => {
  // Left unanswered, so that no call runs into the next test.
  const third = new Promise((arrived) =>
    server.route('/api/log', ({ nth }) => (nth === 3 ? (arrived(), new Promise(() => {})) : refused())),
  )
  server.route('/auth/refresh', () => refused())
  await hurry(tab)
  await tab.evaluate(() => {
    globalThis.over = new AbortController()
    fetchEventSource('/api/log', { fetch: auth.fetch, signal: over.signal })
  })
  await third
  await tab.evaluate(() => over.abort())
})

it('without our code, a page hidden during the retry pause has two streams afterwards', async (tab) => {
  server.route('/api/log', ({ nth }) =>
    nth === 1 ? json({}, { status: 503 }) : { type: 'text/event-stream', body: 'data: 1\n\n', goesOn: true },
  )
  await tab.evaluate(() => {
    globalThis.received = []
    globalThis.waits = new Promise((resolve) => {
      globalThis.over = new AbortController()
      fetchEventSource('/api/log', {
        fetch: auth.fetch,
        signal: over.signal,
        onmessage: ({ data }) => received.push(data),
        onerror: () => void resolve(),
      })
    })
  })
  await tab.evaluate(async () => {
    await waits
    for (const hidden of [true, false]) {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }
  })
  await tab.waitForFunction(() => received.length === 2)
  assert.equal(server.at('/api/log').length, 3)
})
