// The caller's signal settles the caller's promise at once, with the signal's own reason, wherever the call waits; nothing more of the call
// is sent, and anything it shares with others continues (rule 7).

import assert from 'node:assert/strict'
import { nothing } from './pages/deeds.js'
import { User } from './support/browser.mjs'
import { engine, home } from './support/engine.mjs'
import { inHome } from './support/home.mjs'
import { check } from './support/lack.mjs'
import { granted, refused, startStub } from './support/stub.mjs'
import { world } from './support/world.mjs'

const { server, browser, it } = await world()
const stub = await startStub({
  '/auth/refresh': () => granted('new'),
  '/api/endless': ({ headers }) =>
    headers.authorization === 'Bearer old' ? refused() : { type: 'application/json', body: '[', goesOn: true },
})

// The ways in which a signal can abort a call. Each makes `signal`, and `stop`, which resolves when it has fired. They run in the page.
const SIGNALS = {
  "a reason of one's own": () => {
    const controller = new AbortController()
    globalThis.signal = controller.signal
    globalThis.stop = () => controller.abort({ my: 'reason' })
  },
  'AbortSignal.timeout': () => {
    globalThis.signal = AbortSignal.timeout(3000)
    globalThis.stop = () => signal.aborted || new Promise((resolve) => signal.addEventListener('abort', resolve))
  },
  'AbortSignal.any': () => {
    const controller = new AbortController()
    globalThis.signal = AbortSignal.any([new AbortController().signal, controller.signal])
    globalThis.stop = () => controller.abort(new RangeError('mine'))
  },
}

/** Begins a call with `signal`, in `mine`; it must settle in the turn in which the signal fires. */
const begin = (page, path, init = {}) =>
  page.evaluate(
    ([path, init]) => {
      globalThis.mine = auth.fetch(path, { ...init, signal })
      mine.catch(() => {})
    },
    [path, init],
  )

/** Fires the signal. Returns whether the call was settled with the signal's reason before anything else could happen. */
const ends = async (page) => {
  const end = await page.evaluate(async () => {
    await stop()
    const none = {}
    // A task: all microtasks have run.
    const turn = new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port2.onmessage = () => resolve(none)
      port1.postMessage(0)
    })
    const reason = await Promise.race([
      mine.then(
        () => 'it was answered',
        (error) => error,
      ),
      turn,
    ])
    return reason === signal.reason || String(reason === none ? 'it is not settled' : reason)
  })
  // Its home has heard of it, before the test goes on.
  await inHome(page, nothing)
  return end
}

// On the wire the platform ends the call; WebKit gives its own error instead of the reason.
const BY_PLATFORM = engine === 'webkit' && !home ? 'AbortError: Fetch is aborted' : true

for (const [kind, make] of Object.entries(SIGNALS)) {
  it(`${kind}: during the wait for the first token: nothing is sent, and the token is kept`, async (user) => {
    const page = await user.signedIn()
    await page.evaluate(() => {
      auth.dispose()
      // A shared worker has the token still.
      globalThis.later = crypto.randomUUID()
      return start()
    })
    await server.faults({ refresh: 'hold' })
    await page.evaluate(make)
    await begin(page, '/api/items/1')
    await server.held('refresh')
    assert.equal(await ends(page), true)
    await server.release('refresh')
    await page.evaluate(() => until(({ status }) => status === 'signed-in'))
    assert.equal((await page.evaluate(() => call('/api/items/2'))).status, 200)
    assert.deepEqual(await server.lines('/api'), ['GET /api/items/2 200'])
    assert.equal(await server.refreshes(), 1)
  })

  it(`${kind}: during the first try: it is not sent again, and causes no refresh`, async (user) => {
    const page = await user.signedIn()
    await server.revoke()
    await server.faults({ api: 'hold' })
    await page.evaluate(make)
    await begin(page, '/api/items/1')
    await server.held('api')
    assert.equal(await ends(page), BY_PLATFORM)
    await server.faults()
    await server.release('api')
    await page.evaluate(() => fetch('/healthz').then(() => {}))
    assert.equal((await server.log('/api/items/1')).length, 1)
    assert.equal(await server.refreshes(), 0)
  })

  it(`${kind}: while the refresh is on the wire: it is not sent again, the others are, and the token is kept`, async (user) => {
    const page = await user.signedIn()
    await server.revoke()
    await server.faults({ refresh: 'hold' })
    await page.evaluate(make)
    await begin(page, '/api/items/1', { method: 'GET' })
    await page.evaluate(() => void (globalThis.other = call('/api/items/2')))
    await server.held('refresh')
    assert.equal(await ends(page), true)
    await server.release('refresh')
    assert.equal((await page.evaluate(() => other)).status, 200)
    assert.equal((await server.log('/api/items/1')).length, 1)
    assert.equal((await page.evaluate(() => call('/api/items/3'))).status, 200)
    assert.equal(await server.refreshes(), 1)
  })

  it(`${kind}: with no caller left, the refresh is finished and its token kept`, async (user) => {
    const page = await user.signedIn()
    await server.revoke()
    await server.faults({ refresh: 'hold' })
    await page.evaluate(make)
    await begin(page, '/api/items/1')
    await server.held('refresh')
    assert.equal(await ends(page), true)
    await server.release('refresh')
    await page.evaluate(() => heard('refresh'))
    assert.equal((await page.evaluate(() => call('/api/items/2'))).status, 200)
    assert.deepEqual(await server.lines('/api/items/2'), ['GET /api/items/2 200'], 'with the new token')
    assert.equal((await server.log('/api/items/1')).length, 1)
    assert.equal(await server.refreshes(), 1)
  })

  it(`${kind}: while another tab holds the lock: nothing more is sent`, async (user) => {
    const page = await user.signedIn()
    await server.faults({ refresh: 'hold' })
    await page.evaluate(() => void auth.refresh())
    await server.held('refresh')
    // Besides it there is a lock whose name says how long the hold may last; their order is not defined.
    const lock = await page.evaluate(
      async () => (await navigator.locks.query()).held.find(({ mode }) => mode === 'exclusive').name,
    )
    await server.faults()
    await server.release('refresh')
    // The other tab has it for a minute, and says so: otherwise the lock would be taken away.
    await page.evaluate(
      (lock) =>
        new Promise((granted) => {
          const holds = new Promise((resolve) => (globalThis.letGo = resolve))
          const says = () =>
            navigator.locks.request(
              `${lock} until ${Date.now() + 60_000}`,
              { mode: 'shared' },
              () => (granted(), holds),
            )
          navigator.locks.request(lock, says)
        }),
      lock,
    )
    await server.revoke()
    await page.evaluate(make)
    await begin(page, '/api/items/1')
    await page.evaluate(async () => {
      while (!(await navigator.locks.query()).pending.length);
    })
    assert.equal(await ends(page), true)
    assert.equal(await server.refreshes(), 1)
    await page.evaluate(() => letGo())
    assert.equal((await page.evaluate(() => call('/api/items/2'))).status, 200)
    assert.equal((await server.log('/api/items/1')).length, 1)
    assert.equal(await server.refreshes(), 2)
  })

  it(`${kind}: during the second try: it ends there`, async (user) => {
    const page = await user.signedIn()
    await server.revoke()
    await server.faults({ refresh: 'hold' })
    await page.evaluate(make)
    if (kind === 'AbortSignal.timeout') await page.evaluate(() => (globalThis.signal = AbortSignal.timeout(6000)))
    await begin(page, '/api/items/1')
    await server.held('refresh')
    await server.faults({ api: 'hold' })
    await server.release('refresh')
    await server.held('api')
    assert.equal(await ends(page), BY_PLATFORM)
    await server.release('api')
    await page.evaluate(() => fetch('/healthz').then(() => {}))
    assert.equal((await server.log('/api/items/1')).length, 2)
    assert.equal(await server.refreshes(), 1)
  })
}

check("a signal that fires while the answer streams ends the reading with its reason, as the platform's", async (t) => {
  const user = await User.visits(t, browser, stub.origin)
  const page = await user.tab()
  const [ours, platform] = await page.evaluate(async () => {
    await auth.setTokens({ accessToken: 'old', expiresIn: 300 })
    const read = async (fetch) => {
      const controller = new AbortController()
      const response = await fetch('/api/endless', { signal: controller.signal })
      const reading = response.text()
      const reason = { my: 'reason' }
      controller.abort(reason)
      return reading.then(
        () => 'read',
        (error) => (error === reason ? 'the reason' : String(error)),
      )
    }
    return [await read(auth.fetch), await read(fetch)]
  })
  // Some engines forget the reason. A body that comes from a worker does not.
  assert.equal(ours, home ? 'the reason' : platform)
  assert.notEqual(ours, 'read')
})

it('a call that is aborted before it could wait is never sent', async (user) => {
  const page = await user.signedIn()
  const isOwn = await page.evaluate(async () => {
    auth.dispose()
    start()
    const controller = new AbortController()
    const reason = { my: 'reason' }
    const early = auth.fetch('/api/items/1', { signal: controller.signal })
    controller.abort(reason)
    return (await early.catch((error) => error)) === reason
  })
  assert.ok(isOwn)
  await page.evaluate(() => auth.ready)
  await page.evaluate(() => call('/api/items/2'))
  assert.deepEqual(await server.lines('/api/items/1'), [])
})
