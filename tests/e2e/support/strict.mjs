// A strict back end in Node: each refresh cookie is good for one rotation, and calls with a used one are counted. It has a session for each
// account of one browser (`?account=1`). It ends with the test file.

import { User } from './browser.mjs'
import { check } from './lack.mjs'
import { json, refused, startStub } from './stub.mjs'

/** A JWT with a meaningless signature. */
export function jwt(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part(claims)}.x`
}

/** The claims in a request's token; undefined if it carries none. */
export function claims({ headers }) {
  const token = /^Bearer [^.]*\.([^.]*)\./.exec(headers.authorization)?.[1]
  return token && JSON.parse(Buffer.from(token, 'base64url').toString())
}

/** `more`: additional or replacement routes. They receive the server's functions: `who`, `rotate`, `session`, `grant`. */
export async function startStrict(more = {}) {
  const stub = await startStub()
  const { at, http, origin, routes } = stub
  let sessions, good, holds
  let last = 0

  const cookieName = ({ query }) => `rt${query.get('account') ?? ''}`
  const cookieOf = (arrived) => new RegExp(`(?:^|; )${cookieName(arrived)}=([^;]+)`).exec(arrived.headers.cookie)?.[1]

  const server = {
    origin,
    http,
    at,
    /** The claims of a request's token, if it is good. */
    who(arrived) {
      const found = claims(arrived)
      return found && good.has(found.jti) ? found : undefined
    },
    /** A header that begins a session. */
    session(arrived, of) {
      const cookie = `r${++last}`
      sessions.set(cookie, { of, used: false })
      return { 'set-cookie': `${cookieName(arrived)}=${cookie}; Path=/; HttpOnly; SameSite=Lax` }
    },
    /** A token in JSON. */
    grant(of, headers) {
      const jti = `a${++last}`
      good.add(jti)
      return json({ access_token: jwt({ ...of, jti }), expires_in: 300, token_type: 'Bearer' }, headers)
    },
    /** Uses up the cookie. Returns its session, or undefined if it is not good. */
    rotate(arrived) {
      const found = sessions.get(cookieOf(arrived))
      if (!found) return undefined
      if (found.used) {
        server.reuses++
        return undefined
      }
      found.used = true
      return found.of
    },
    end: (arrived) => sessions.delete(cookieOf(arrived)),
    /** Revokes all access tokens. */
    revoke: () => good.clear(),
    /** Holds the answers at a path from now on, with the contents they would have had. */
    hold(path) {
      let release, tell
      const released = new Promise((resolve) => (release = resolve))
      const held = { count: 0, released, tell: () => tell?.() }
      holds.set(path, held)
      return {
        async arrived(count = 1) {
          while (held.count < count) await new Promise((resolve) => (tell = resolve))
        },
        release() {
          holds.delete(path)
          release()
        },
      }
    },
    /** The calls under a path, in short form. */
    lines: (...paths) => paths.flatMap((path) => at(path)).map(({ method, path }) => `${method} ${path}`),
    reset() {
      stub.reset()
      for (const path of Object.keys(routes)) delete routes[path]
      Object.assign(routes, own, more)
      sessions = new Map()
      good = new Set()
      holds = new Map()
      server.reuses = 0
    },
    /** Answers differently at a path until the end of the test. */
    route: (path, answer) => void (routes[path] = kept(answer)),
  }

  /** A route whose answers can be held. */
  const kept = (answer) =>
    answer.handle
      ? answer
      : async (arrived) => {
          const given = await answer(arrived)
          const held = holds.get(arrived.path)
          if (!held) return given
          held.count++
          held.tell()
          await held.released
          return given
        }

  const own = {
    '/auth/login': (arrived) => {
      const of = { sub: new URLSearchParams(arrived.body).get('username') ?? 'alice' }
      return server.grant(of, server.session(arrived, of))
    },
    '/auth/refresh': (arrived) => {
      const of = server.rotate(arrived)
      return of ? server.grant(of, server.session(arrived, of)) : json({ error: 'invalid_grant' }, { status: 401 })
    },
    '/auth/logout': (arrived) => {
      server.end(arrived)
      return { status: 204, headers: { 'set-cookie': `${cookieName(arrived)}=; Path=/; Max-Age=0` } }
    },
    '/api/': (arrived) => {
      const who = server.who(arrived)
      return who ? json(who) : refused()
    },
  }
  for (const routes of [own, more]) for (const [path, answer] of Object.entries(routes)) routes[path] = kept(answer)
  server.reset()
  return server
}

/** `it(name, test)`: each test gets its own user, and the server has forgotten the previous one. `prepare`: adds further answers. */
export function eachWithUser(server, browser, prepare = () => {}) {
  return (name, body) =>
    check(name, async (t) => {
      server.reset()
      prepare()
      await body(await User.visits(t, browser, server.origin))
    })
}
