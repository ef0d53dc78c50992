// The reference server with opaque tokens: they cannot be read, and may become invalid at any moment.

import assert from 'node:assert/strict'
import { startServer } from '../e2e/support/server.mjs'
import { startFront } from './support/front.mjs'
import { backEnd, call, rows, signIn, status, told } from './support/rows.mjs'

/** The reference server, with the same controls as the others. */
async function start(front) {
  const server = await startServer({ flags: ['--tokens', 'opaque', '--origin', front] })
  return {
    origins: [server.origin],
    reset: server.reset,
    faults: server.faults,
    expire: server.revoke,
    end: server.end,
    log: () => server.log(),
    // Each row that asks has one session.
    tell: async () => 1 - (await server.counters()).logouts,
  }
}

const world = await backEnd(start, 'reference', {
  me: '/api/me',
  admin: '/api/admin',
  login: '/auth/login',
  refresh: '/auth/refresh',
  logout: '/auth/logout',
})
const { server, it } = world
const gateway = Object.assign(await startFront(), { behind: server.origins[0], hidden: [401] })

rows(world)

it('a resource server that cannot check a token costs no refresh, and no session', async (tab) => {
  await signIn(tab)
  await server.faults({ api: 'down' })
  assert.equal((await call(tab, '/api/me')).status, 503)
  await server.faults()
  assert.equal((await call(tab, '/api/me')).status, 200)
  assert.deepEqual(
    (await server.log()).filter(({ path }) => path === '/auth/refresh'),
    [],
  )
  assert.deepEqual([await status(tab), await told(tab)], ['signed-in', []])
})

for (const isAsked of [false, true]) {
  it(`a 401 without CORS headers is ${isAsked ? 'an expiry, where the options say so' : 'a network error'}`, async (tab) => {
    const options = {
      apis: [gateway.origin],
      response: { expiresIn: 'nowhere' },
      ...(isAsked && { unauthorized: [{ status: 401 }, { networkError: true }] }),
    }
    await tab.evaluate((options) => (auth.dispose(), start(options)), options)
    await tab.evaluate(() => auth.login('/auth/login', credentials('alice')))
    assert.equal((await call(tab, `${gateway.origin}/api/me`)).status, 200)
    await server.expire()
    const answer = await call(tab, `${gateway.origin}/api/me`)
    assert.deepEqual(isAsked ? answer.status : answer, isAsked ? 200 : { thrown: 'TypeError: Failed to fetch' })
    assert.equal((await server.log()).filter(({ path }) => path === '/auth/refresh').length, isAsked ? 1 : 0)
  })
}
