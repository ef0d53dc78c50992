// The reference server with opaque tokens: nothing can be read in them, and they can die at any moment.

import { startServer } from '../e2e/support/server.mjs'
import { backEnd, rows } from './support/rows.mjs'

/** The reference server, asked as the others are. */
async function start(front) {
  const server = await startServer({ flags: ['--tokens', 'opaque', '--origin', front] })
  return {
    origins: [server.origin],
    reset: server.reset,
    expire: server.revoke,
    end: server.end,
    log: () => server.log(),
    // Each row that asks has one session.
    tell: async () => 1 - (await server.counters()).logouts,
  }
}

rows(await backEnd(start, 'reference', {
  me: '/api/me',
  admin: '/api/admin',
  login: '/auth/login',
  refresh: '/auth/refresh',
  logout: '/auth/logout',
}))
