// The reference server with opaque tokens: nothing can be read in them, and they can die at any moment.

import assert from 'node:assert/strict'
import { startServer } from '../e2e/support/server.mjs'
import { backEnd, call, rows, signIn, status, told } from './support/rows.mjs'

/** The reference server, asked as the others are. */
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

rows(world)

it('a resource server that cannot ask whether a token is good costs no refresh, and no session', async (tab) => {
  await signIn(tab)
  await server.faults({ api: 'down' })
  assert.equal((await call(tab, '/api/me')).status, 503)
  await server.faults()
  assert.equal((await call(tab, '/api/me')).status, 200)
  assert.deepEqual((await server.log()).filter(({ path }) => path === '/auth/refresh'), [])
  assert.deepEqual([await status(tab), await told(tab)], ['signed-in', []])
})
