// Logout, login and dispose at every point at which a refresh, or a request that needs one, can wait (rule 9).

import assert from 'node:assert/strict'
import { reload } from './support/browser.mjs'
import { takeTime } from './support/time.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world()

/** Another tab holds the lock until the returned function is called. It posts no news. */
async function taken(user) {
  const other = await user.tab({}, (page) => page.addInitScript(() => void (BroadcastChannel.prototype.postMessage = () => {})))
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

/** In the page: the body of the next refresh answer is held until `flow()`. Resolves when it is read. */
const holdsBody = () => {
  const send = globalThis.fetch
  globalThis.reading = new Promise((reads) => {
    globalThis.fetch = async (...args) => {
      const response = await send(...args)
      if (!response.url.endsWith('/auth/refresh')) return response
      globalThis.fetch = send
      const flows = new Promise((flow) => (globalThis.flow = flow))
      const body = response.body.pipeThrough(new TransformStream({ transform: (chunk, out) => (reads(), flows.then(() => out.enqueue(chunk))) }))
      return new Response(body, response)
    }
  })
}

/** In the page, with controlled time: resolves when the manager listens for news from the previous tab. */
const listens = async () => {
  // A quarter of a second, in slices of time in which the page could run.
  while (!time.ahead.includes(250 / 8)) await navigator.locks.query()
}

// Each brings a call in alice's tab to the point, and says how it continues from there, and its outcome.
const POINTS = {
  'before the WebAssembly is loaded': {
    async reach(user, page) {
      await page.reload()
      await page.evaluate(() => void (globalThis.begins = () => void start()))
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
    becomes: { logout: 401, login: 401, 'logout and login': 401, dispose: 401 },
  },
  'when the refresh waits for the lock': {
    async reach(user, page) {
      const free = await taken(user)
      await page.evaluate(waits)
      await page.evaluate(standsInLine)
      return free
    },
    becomes: { logout: 401, login: 'alice', 'logout and login': 401, dispose: 'disposed' },
  },
  'while it listens for news from the previous tab': {
    async reach(user, page) {
      await page.evaluate(takeTime)
      const free = await taken(user)
      await page.evaluate(waits)
      await page.evaluate(standsInLine)
      await free()
      await page.evaluate(listens)
      return () => page.evaluate(() => time.pass(250))
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
      await page.evaluate(holdsBody)
      await page.evaluate(waits)
      await page.evaluate(() => reading)
      return () => page.evaluate(() => flow())
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
  'logout': { act: () => outcome(auth.logout('/auth/logout')), isOut: true },
  'login': { act: () => signIn('admin'), last: 'admin' },
  'logout and login': { act: () => (outcome(auth.logout('/auth/logout')), signIn('admin')), isOut: true, last: 'admin' },
  'dispose': { act: async () => auth.dispose(), last: 'alice' },
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
      const status = await page.evaluate(`(globalThis.begins?.(), globalThis.begins && (${waits})(), globalThis.done = (${act})(), auth.state.status)`)
      if (isOut) assert.notEqual(status, 'signed-in', 'at once')
      await goesOn()
      assert.equal(await page.evaluate(() => waiting), becomes[name])
      const done = await page.evaluate(() => done)
      assert.equal(done?.error, undefined)
      if (name !== 'dispose') await is(last)
      await reload(page)
      await is(last)
      assert.equal((await server.counters()).reuses, 0)
      assert.deepEqual((await server.log('/auth')).filter(({ beside }) => beside > 0), [], 'calls that set the cookie overlap')
    })
  }
}
