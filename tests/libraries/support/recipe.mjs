// The tests that every library that calls the API must pass. Manager and client are the code of its page in docs/libraries.

import assert from 'node:assert/strict'
import { json, refused } from '../../e2e/support/stub.mjs'
import { snippet } from './docs.mjs'
import { library } from './library.mjs'

/** The error of `auth.fetch` when the refresh does not reach the server. */
export const OUTAGE = { token: 'bad-status', retryable: true }

/** From now on a library waits a fifth of its retry delay; and so do we, without losing patience with a slow machine. */
export const hurry = (tab) =>
  tab.evaluate(() => {
    const { setTimeout } = globalThis
    const set = (work, delay = 0, ...more) => setTimeout(work, delay / 5, ...more)
    globalThis.setTimeout = /** @type {any} */ (set)
  })

/** The package with counters: `asked` for its calls, `aborted` for those that were aborted. */
const COUNTED = `
  import { createTokenManager as create } from 'tokenkeep'
  export * from 'tokenkeep'
  Object.assign(globalThis, { asked: 0, aborted: 0 })
  export function createTokenManager(options) {
    const manager = create(options)
    const { fetch } = manager
    return Object.assign(manager, {
      fetch(...call) {
        asked++
        const answer = fetch(...call)
        const signal = call[1]?.signal ?? call[0].signal
        answer.catch(() => signal?.aborted && aborted++)
        return answer
      },
    })
  }
`

/**
 * `page`: a page of docs/libraries. The exports of its code become globals of the tab. `item(id, signal)` requests an item, `{ id, of }`;
 * if the page's code has no such function, `driver` exports it: a module that imports the page's code from 'the client'. `routes(server)`
 * and `esbuild`: see `library`. `origin`: is replaced by the server's origin in the page's code.
 *
 * How errors arrive, as `seen` shows them: `outage` (`null`: not at all; a function receives the page's origin), `unauthorized`, `ended` if
 * the session ends meanwhile, and `aborted`, if an abort settles the call; `cancels`: whether it can be aborted. `asks`: how often the
 * library calls in an outage, `asksAtEnd`: when the session ends. `recovers`: whether it calls again by itself when the outage is over.
 * `stubborn`: it calls again whatever the error says. `shows`: whether `stay(id)` puts a component on the page that shows the item, as
 * `now()` tells. `post`: run in the tab, it sends `{ of: 'a name' }` to item 1.
 */
export async function recipe(
  page,
  /** @type {any} */ {
    driver = '',
    routes,
    esbuild,
    origin,
    outage = OUTAGE,
    unauthorized,
    ended = unauthorized,
    aborted,
    ...how
  },
) {
  const { asks = 1, asksAtEnd = 1, recovers = asks > 1, stubborn = false, cancels = true, shows = false, post } = how
  const client = snippet(page).replaceAll("from 'tokenkeep'", "from 'counted'")
  const { server, it } = await library({
    code: `export * from 'the client'\n${driver}`,
    modules: { counted: COUNTED, 'the client': origin ? client.replace(`'${origin}'`, 'location.origin') : client },
    routes: {
      '/api/items/': (arrived) => {
        const who = server.who(arrived)
        return who ? json({ id: Number(arrived.path.split('/').at(-1)), of: who.sub }) : refused()
      },
      ...routes?.(() => server),
    },
    esbuild: { jsx: 'automatic', ...esbuild },
  })
  const refreshes = () => server.at('/auth/refresh').length
  const says = (name, body) => it(`${page}: ${name}`, body)
  const get = (tab, id) => tab.evaluate((id) => seen(item(id)), id)
  const unreached = () => json({}, { status: 503 })
  const renewed = (arrived) => {
    const of = server.rotate(arrived)
    return of ? server.grant(of, server.session(arrived, of)) : refused()
  }

  says('three calls with an expired token cost one refresh', async (tab) => {
    assert.deepEqual(await get(tab, 0), { value: { id: 0, of: 'alice' } })
    server.revoke()
    const answers = await tab.evaluate(() => Promise.all([1, 2, 3].map((id) => seen(item(id)))))
    assert.deepEqual(
      answers,
      [1, 2, 3].map((id) => ({ value: { id, of: 'alice' } })),
    )
    assert.equal(refreshes(), 1)
    assert.deepEqual(await tab.evaluate(() => events), ['refresh'])
  })

  if (outage)
    says('an outage of the refresh is reported as the page says, and ends no session', async (tab) => {
      server.revoke()
      server.route('/auth/refresh', unreached)
      await hurry(tab)
      await tab.evaluate(() => (globalThis.asked = 0))
      const error = typeof outage === 'function' ? outage(await tab.evaluate(() => location.origin)) : outage
      assert.deepEqual(await get(tab, 1), { error })
      assert.equal(await tab.evaluate(() => asked), asks)
      assert.equal(await tab.evaluate(() => auth.state.status), 'signed-in')
    })

  if (recovers)
    says("a passing outage ends with the library's own retry", async (tab) => {
      server.revoke()
      server.route('/auth/refresh', (arrived) => (arrived.nth === 1 ? unreached() : renewed(arrived)))
      // The back-off after the outage is as short as possible; the library's own jitter is unchanged.
      await tab.evaluate(() => {
        const { random } = Math
        Math.random = () => 0
        auth.addEventListener('refresherror', () => (Math.random = random))
      })
      assert.deepEqual(await get(tab, 1), { value: { id: 1, of: 'alice' } })
      assert.equal(refreshes(), 2)
    })

  says('a permanent error is not retried', async (tab) => {
    await hurry(tab)
    await tab.evaluate(() => {
      auth.dispose()
      asked = 0
    })
    const { error } = await get(tab, 1)
    assert.match(JSON.stringify(error), /"disposed"/)
    assert.equal(await tab.evaluate(() => asked), stubborn ? asks : 1)
  })

  says("after the server has ended the session, the call gets the API's own 401, once", async (tab) => {
    server.revoke()
    server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 401 }))
    await tab.evaluate(() => (globalThis.asked = 0))
    assert.deepEqual(await get(tab, 1), { error: ended })
    assert.equal(await tab.evaluate(() => asked), asksAtEnd)
    assert.equal(refreshes(), 1)
    assert.deepEqual(await tab.evaluate(() => events), ['signout rejected'])
  })

  if (cancels)
    says("the library's own cancel ends one waiting call, and no other", async (tab) => {
      server.revoke()
      const held = server.hold('/auth/refresh')
      await tab.evaluate(async () => {
        globalThis.controller = new AbortController()
        globalThis.first = seen(item(1, controller.signal))
        // So that they do not form a batch.
        await new Promise((resolve) => setTimeout(resolve))
        globalThis.second = seen(item(2))
      })
      await held.arrived()
      await tab.evaluate(() => controller.abort())
      if (aborted) assert.deepEqual(await tab.evaluate(() => first), { error: aborted })
      else await tab.waitForFunction(() => globalThis.aborted)
      held.release()
      assert.deepEqual(await tab.evaluate(() => second), { value: { id: 2, of: 'alice' } })
      assert.equal(await tab.evaluate(() => globalThis.aborted), 1)
      assert.equal(refreshes(), 1)
    })

  says('after signing out the old data is not shown', async (tab) => {
    assert.deepEqual(await get(tab, 1), { value: { id: 1, of: 'alice' } })
    await tab.evaluate(() => auth.logout('/auth/logout'))
    assert.deepEqual(await get(tab, 1), { error: unauthorized })
    await tab.evaluate(() => signIn('bob'))
    assert.deepEqual(await get(tab, 1), { value: { id: 1, of: 'bob' } })
  })

  says('another user who signs in during the session gets their own data', async (tab) => {
    assert.deepEqual(await get(tab, 1), { value: { id: 1, of: 'alice' } })
    await tab.evaluate(() => signIn('bob'))
    assert.deepEqual(await get(tab, 1), { value: { id: 1, of: 'bob' } })
  })

  if (shows)
    says('shown data is fetched again for another user, and after a sign-in', async (tab) => {
      const shows = (of) => tab.waitForFunction((of) => now().data?.of === of, of)
      await tab.evaluate(() => stay(1))
      await shows('alice')
      await tab.evaluate(() => signIn('bob'))
      await shows('bob')
      await tab.evaluate(() => auth.logout('/auth/logout'))
      await tab.waitForFunction(() => now().error?.status === 401 && !now().data)
      await tab.evaluate(() => signIn('alice'))
      await shows('alice')
    })

  if (post)
    says('a body is sent again complete', async (tab) => {
      server.revoke()
      await tab.evaluate(post)
      const sent = server.at('/api/items/1')
      assert.deepEqual(
        sent.map(({ body, headers }) => [JSON.parse(body), headers['content-type'].split(';')[0]]),
        Array(2).fill([{ of: 'a name' }, 'application/json']),
      )
      assert.equal(refreshes(), 1)
    })

  return { server, it: says, get, unreached, renewed }
}
