// Logout, login and dispose at every point at which a refresh, or a request that needs one, can wait (rule 9).

import assert from 'node:assert/strict'
import { holdsBody, keepsNews, listens, pass, reading, takeTime } from './pages/deeds.js'
import { reload } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { inHome, prepareEachHome } from './support/home.mjs'
import { Lack } from './support/lack.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world()

/** Another tab holds the lock until the returned function is called. It posts no news. */
async function taken(user) {
  const other = await user.tab({}, (page) => prepareEachHome(page, keepsNews))
  await server.faults({ refresh: 'hold' })
  await other.evaluate(() => void auth.refresh())
  await server.held('refresh')
  await server.faults()
  return () => server.release('refresh')
}

/** Holds the answers of `of` until the returned function is called. */
async function held(of) {
  await server.faults({ [of]: 'hold' })
  return async () => {
    await server.faults()
    await server.release(of)
  }
}

/** In the page: a waiting call, and its short outcome in `waiting`. */
const waits = () => {
  const short = ({ status, body, error }) => error?.code ?? (status === 200 ? body.name : status)
  globalThis.waiting = call('/api/me').then(short)
}

/** In the page: resolves when the call is in line for the lock. */
const standsInLine = async () => {
  while (!(await navigator.locks.query()).pending.length);
}

// Each brings a call in alice's tab to the point, and says how it continues from there, and its outcome.
const POINTS = {
  'before the WebAssembly is loaded': {
    async reach(user, page) {
      await page.reload()
      await page.evaluate(() => {
        // In a home that has not begun, either.
        globalThis.later = crypto.randomUUID()
        globalThis.begins = () => void start()
      })
      return () => {}
    },
    becomes: { logout: 'session-changed', login: 'alice', 'logout and login': 'session-changed', dispose: 'disposed' },
  },
  'when the first try is on the wire': {
    async reach(user, page) {
      const goesOn = await held('api')
      await page.evaluate(waits)
      await server.held('api')
      return goesOn
    },
    // What is on the wire is the worker's, and ends with the manager.
    becomes: { logout: 401, login: 401, 'logout and login': 401, dispose: home ? 'disposed' : 401 },
  },
  'when the refresh waits for the lock': {
    async reach(user, page) {
      if (home === 'service-worker') throw new Lack('two service workers of one scope')
      const free = await taken(user)
      await page.evaluate(waits)
      await page.evaluate(standsInLine)
      return free
    },
    becomes: { logout: 401, login: 'alice', 'logout and login': 401, dispose: 'disposed' },
  },
  'while it listens for news from the previous tab': {
    async reach(user, page) {
      if (home) throw new Lack('a token that the tabs tell each other')
      await inHome(page, takeTime)
      const free = await taken(user)
      await page.evaluate(waits)
      await page.evaluate(standsInLine)
      await free()
      await inHome(page, listens)
      return () => inHome(page, pass, 250)
    },
    becomes: { logout: 401, login: 'alice', 'logout and login': 401, dispose: 'disposed' },
  },
  'when the refresh is on the wire': {
    async reach(user, page) {
      const goesOn = await held('refresh')
      await page.evaluate(waits)
      await server.held('refresh')
      return goesOn
    },
    becomes: { logout: 401, login: 'alice', 'logout and login': 401, dispose: 'disposed' },
  },
  'when the answer of the refresh is being read': {
    async reach(user, page) {
      await inHome(page, holdsBody)
      await page.evaluate(waits)
      await inHome(page, reading)
      // Also where the manager has been disposed of, and its home is not to be reached by it.
      return () => page.evaluate(() => new BroadcastChannel('flow').postMessage('flow'))
    },
    becomes: { logout: 401, login: 'alice', 'logout and login': 401, dispose: 'disposed' },
  },
  'when the second try is on the wire': {
    async reach(user, page) {
      await held('refresh')
      await page.evaluate(waits)
      await server.held('refresh')
      const goesOn = await held('api')
      await server.release('refresh')
      await server.held('api')
      return goesOn
    },
    becomes: { logout: 'alice', login: 'alice', 'logout and login': 'alice', dispose: 'disposed' },
  },
}

// What happens at the point, in the page, and who is signed in afterwards.
const ACTS = {
  logout: { act: () => outcome(auth.logout('/auth/logout')), isOut: true },
  login: { act: () => signIn('admin'), last: 'admin' },
  'logout and login': {
    act: () => (outcome(auth.logout('/auth/logout')), signIn('admin')),
    isOut: true,
    last: 'admin',
  },
  dispose: { act: async () => auth.dispose(), last: 'alice' },
}

for (const [point, { reach, becomes }] of Object.entries(POINTS)) {
  for (const [name, { act, isOut, last }] of Object.entries(ACTS)) {
    it(`${name} ${point}`, async (user) => {
      const is = async (who) => {
        const { status, body } = await page.evaluate(() => call('/api/me'))
        assert.deepEqual([status, body?.name], [who ? 200 : 401, who])
      }
      const page = await user.signedIn()
      await server.revoke()
      const goesOn = await reach(user, page)
      // In one turn, if the page begins with it.
      const status = await page.evaluate(
        `(globalThis.begins?.(), globalThis.begins && (${waits})(), globalThis.done = (${act})(), auth.state.status)`,
      )
      if (isOut) assert.notEqual(status, 'signed-in', 'at once')
      await goesOn()
      assert.equal(await page.evaluate(() => waiting), becomes[name])
      const done = await page.evaluate(() => done)
      assert.equal(done?.error, undefined)
      if (name !== 'dispose') await is(last)
      await reload(page)
      await is(last)
      assert.equal((await server.counters()).reuses, 0)
      assert.deepEqual(
        (await server.log('/auth')).filter(({ beside }) => beside > 0),
        [],
        'calls that set the cookie overlap',
      )
    })
  }
}
