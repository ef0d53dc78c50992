// One-shot streams, over HTTP/2: sent once, complete, and never a second time (rule 6).

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { startBrowser, User } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { startSecure } from './support/secure.mjs'

const CHUNKS = 20
const CHUNK = 50_000
const SHA256 = createHash('sha256')
  .update(Buffer.concat(Array.from({ length: CHUNKS }, (_, n) => Buffer.alloc(CHUNK, n))))
  .digest('hex')

const server = await startSecure()
// Playwright's `ignoreHTTPSErrors` does not apply to the script of a service worker.
const browser = await startBrowser({ args: ['--ignore-certificate-errors'] })

/** A page whose token, good for five minutes, the server knows as `token`. */
async function open(t, token) {
  server.reset()
  const user = await User.visits(t, browser, server.origin, { ignoreHTTPSErrors: true })
  const blank = await user.context.newPage()
  if (!(await blank.evaluate(() => 'duplex' in Request.prototype))) throw new Lack('half-duplex request streams')
  const page = await user.tab({}, (page) => page.clock.install())
  await page.evaluate((accessToken) => auth.setTokens({ accessToken, expiresIn: 300 }), token)
  return page
}

const send = (page) =>
  page.evaluate(
    ([chunks, size]) => {
      let n = 0
      const body = new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(size).fill(n))
          if (++n === chunks) controller.close()
        },
      })
      return call('/api/stream', { method: 'POST', body, duplex: 'half' })
    },
    [CHUNKS, CHUNK],
  )

/** The facts of a stream that arrived complete. */
const whole = (token) => ({
  path: '/api/stream',
  token: `Bearer ${token}`,
  version: '2.0',
  bytes: CHUNKS * CHUNK,
  whole: true,
  sha256: SHA256,
})

check('a stream arrives complete, with the token', async (t) => {
  const page = await open(t, 'good')
  assert.equal((await send(page)).status, 200)
  assert.deepEqual(server.at('/api/stream'), [whole('good')])
})

check(
  'a refused stream is not sent again: its caller gets the first 401, and the refresh happens all the same',
  async (t) => {
    const page = await open(t, 'old')
    assert.deepEqual(await send(page), { status: 401, body: { the: "API's own" } })
    await page.evaluate(() => heard('refresh'))
    assert.equal(server.at('/auth/refresh').length, 1)
    assert.deepEqual(server.at('/api/stream'), [whole('old')])
    assert.equal((await send(page)).status, 200)
    assert.deepEqual(server.at('/api/stream').slice(1), [whole('new')])
  },
)

check('a token known to be stale is renewed before a stream is sent', async (t) => {
  const page = await open(t, 'old')
  await page.clock.fastForward('04:55')
  assert.equal((await send(page)).status, 200)
  assert.deepEqual(server.at('/api/stream'), [whole('new')])
})

check('a stream is cut off when its caller aborts it, as on the platform', async (t) => {
  const page = await open(t, 'good')
  const [ours, platform] = await page.evaluate(() =>
    Promise.all(
      [auth.fetch, fetch].map(async (fetch) => {
        const abort = new AbortController()
        const cancelled = Promise.withResolvers()
        const pulled = Promise.withResolvers()
        let pulls = 0
        const body = new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(1000))
            // The first chunk is on its way when the second is requested; the third never comes.
            if (++pulls === 2) {
              pulled.resolve()
              return new Promise(() => {})
            }
          },
          cancel: (reason) => cancelled.resolve(reason),
        })
        const sent = fetch('/api/stream', { method: 'POST', body, duplex: 'half', signal: abort.signal })
        await pulled.promise
        abort.abort(new RangeError('enough'))
        const ended = await sent.then(() => 'answered', String)
        return [ended, String(await cancelled.promise)]
      }),
    ),
  )
  assert.deepEqual(platform, Array(2).fill('RangeError: enough'))
  assert.equal(ours[0], platform[0])
  // The reason stays in the page: the source, which is read in the worker, hears of an abort.
  assert.match(ours[1], home ? /^AbortError/ : /^RangeError: enough$/)
  assert.equal(server.at('/auth/refresh').length, 0)
})
