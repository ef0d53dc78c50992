// The app's server, and the attacker's. The app's does what docs/security.md requires: it rotates refresh tokens,
// detects a second use, and lets no foreign page call its auth endpoints. As `careless` it does none of that.

import { readFileSync } from 'node:fs'
import { file } from '../../e2e/support/files.mjs'
import { json, refused, startStub } from '../../e2e/support/stub.mjs'
import { Secrets } from './secrets.mjs'

const [CARELESS, CARELESS_WORKER] = ['careless.js', 'careless-worker.js'].map((name) =>
  readFileSync(new URL(name, import.meta.url), 'utf8'),
)
const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*, authorization, x-token',
  'access-control-allow-methods': '*',
}

/** An answer that every origin may read. */
const open = (answer) => (arrived) =>
  arrived.method === 'OPTIONS'
    ? { headers: CORS }
    : { ...answer(arrived), headers: { ...CORS, ...answer(arrived).headers } }

/** The app's server. */
export async function startApp() {
  const stub = await startStub()
  const secrets = new Secrets()
  /** For each refresh token: its user, and whether it was used. */
  let sessions, good
  let users
  let isCareless = false
  /** Whether refresh tokens are sent in JSON and kept in memory. */
  let isInMemory = false
  let last = 0

  const isForeign = ({ headers }) => !isCareless && ![undefined, 'same-origin'].includes(headers['sec-fetch-site'])
  const refreshTokenOf = ({ headers, body }) => /rt-[\w-]+/.exec(isInMemory ? body : headers.cookie)?.[0]

  function grant(user, { origin }, more) {
    const refresh = secrets.refresh()
    sessions.set(refresh, { user, isUsed: false })
    const access = secrets.access({ sub: user, jti: ++last })
    good.set(access, user)
    const cookie = `refresh=${refresh}; ${isCareless ? 'Path=/; SameSite=Lax' : 'Path=/auth; HttpOnly; SameSite=Strict'}`
    return json(
      { access_token: access, expires_in: 300, ...more, ...(isInMemory && { refresh_token: refresh }) },
      {
        ...(!isInMemory && { 'set-cookie': cookie }),
        ...(isCareless && { 'access-control-allow-origin': origin ?? '*', 'access-control-allow-credentials': 'true' }),
      },
    )
  }

  const own = {
    // Other paths are recorded, too, because the token may be lured to any path.
    '/': ({ path }) => file(path),
    '/careless.js': () => ({ type: 'text/javascript', body: CARELESS }),
    '/careless-worker.js': () => ({ type: 'text/javascript', body: CARELESS_WORKER }),
    '/auth/login': (arrived) =>
      isForeign(arrived)
        ? refused()
        : grant(new URLSearchParams(arrived.body).get('username') ?? 'alice', arrived.headers, { greeting: 'welcome' }),
    '/auth/refresh': (arrived) => {
      const session = sessions.get(refreshTokenOf(arrived))
      if (isForeign(arrived) || !session) return json({ error: 'invalid_grant' }, { status: 401 })
      if (session.isUsed) server.reuses++
      if (session.isUsed && !isCareless) return json({ error: 'invalid_grant' }, { status: 401 })
      session.isUsed = true
      return grant(session.user, arrived.headers)
    },
    '/auth/logout': (arrived) => {
      if (isForeign(arrived)) return refused()
      sessions.delete(refreshTokenOf(arrived))
      return {
        body: 'signed out',
        headers: { 'set-cookie': `refresh=; Path=${isCareless ? '/' : '/auth'}; Max-Age=0` },
      }
    },
    '/api/': (arrived) => {
      const user = good.get(tokenOf(arrived))
      users.push(user ?? null)
      return user ? json({ user }) : refused()
    },
  }

  const server = {
    ...stub,
    secrets,
    /** Revokes all access tokens. */
    revoke: () => good.clear(),
    /** A token for a user, as the API grants it to the user's own client. */
    tokenFor(user) {
      const access = secrets.access({ sub: user, jti: ++last })
      good.set(access, user)
      return access
    },
    /** How often a refresh token was used a second time. */
    reuses: 0,
    /** The users whose tokens reached the API, in order; null for a call without a token. */
    users: () => users,
    /** How many sessions of a user are open. */
    sessionsOf: (user) => [...sessions.values()].filter((session) => session.user === user && !session.isUsed).length,
    reset(how = {}) {
      stub.reset()
      secrets.forget()
      ;({ isCareless = false, isInMemory = false } = how)
      for (const path of Object.keys(stub.routes)) delete stub.routes[path]
      Object.assign(stub.routes, own, how.routes)
      sessions = new Map()
      good = new Map()
      users = []
      server.reuses = 0
    },
  }
  server.reset()
  return server
}

function tokenOf({ headers, query }) {
  return headers['x-token'] ?? headers.authorization?.replace('Bearer ', '') ?? query.get('token')
}

/** The attacker's server: it accepts and records calls from any page. To a browser it is another site. */
export async function startElsewhere() {
  const stub = await startStub()
  const own = { '/': open(() => ({ type: 'text/html', body: '<!doctype html><title>elsewhere</title>' })) }
  const elsewhere = {
    ...stub,
    origin: stub.origin.replace('127.0.0.1', 'localhost'),
    port: new URL(stub.origin).port,
    /** Everything that arrived, as text. */
    loot: () =>
      stub.seen().map(({ path, query, headers, body }) => `${path} ${query} ${JSON.stringify(headers)} ${body}`),
    reset(routes) {
      stub.reset()
      for (const path of Object.keys(stub.routes)) delete stub.routes[path]
      Object.assign(stub.routes, own, routes)
    },
  }
  elsewhere.reset()
  return elsewhere
}
