// A back end that binds its tokens to a key, and accepts no call without a proof (RFC 9449): it checks each proof for all that the
// specification requires, and lists the errors. It ends with the test file.

import { createHash, createPublicKey, verify } from 'node:crypto'
import { json, startStub } from './stub.mjs'

/** How far a proof's time may be from the server's clock, in milliseconds. `iat` counts in seconds. */
const WINDOW = 5_000

const digest = (text) => createHash('sha256').update(text).digest('base64url')
const parsed = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())

export async function startProofs() {
  const stub = await startStub()
  const { origin, routes } = stub
  let jtis, sessions, tokens, last

  const server = {
    origin,
    at: stub.at,
    /** The errors in proofs, in order of arrival. */
    wrong: [],
    /** The thumbprints (RFC 7638) of the keys that proved the calls to a path. */
    keys: (path) => stub.at(path).map(({ jkt }) => jkt),
    /** How many calls came to a path. */
    count: (path) => stub.at(path).length,
    /** Revokes all access tokens. */
    revoke: () => tokens.clear(),
    reset(more = {}) {
      stub.reset()
      for (const path of Object.keys(routes)) delete routes[path]
      Object.assign(routes, own, more)
      Object.assign(server, { wrong: [], nonce: undefined, ahead: 0, type: 'DPoP', bindsCookies: true })
      jtis = new Set()
      sessions = new Map()
      tokens = new Map()
      last = 0
    },
    json: (value, headers = {}) =>
      json(value, {
        date: new Date(Date.now() + server.ahead).toUTCString(),
        ...(server.nonce && { 'dpop-nonce': server.nonce }),
        ...headers,
      }),
    prove,
    /** Answers an API call: the right token with the right proof, or a refusal. */
    api(arrived, answer) {
      const [scheme, token] = (arrived.headers.authorization ?? '').split(' ')
      const known = tokens.get(token)
      const refuse = (error) =>
        server.json({ error }, { status: 401, 'www-authenticate': `DPoP error="${error}", algs="ES256"` })
      if (!known || scheme !== (known.jkt ? 'DPoP' : 'Bearer')) return refuse('invalid_token')
      if (known.jkt) {
        const error = prove(arrived, token)
        if (error) return refuse(error)
        if (known.jkt !== arrived.jkt) return refuse('invalid_token')
      } else if (arrived.headers.dpop) return refuse('invalid_token')
      return answer(known)
    },
  }

  /** The error in a call's proof, by name. The key is noted with the call. */
  function prove(arrived, token) {
    const error = faultOf(arrived, token)
    if (error) server.wrong.push(error[1])
    return error?.[0]
  }

  function faultOf(arrived, token) {
    const invalid = (what) => ['invalid_dpop_proof', what]
    const parts = (arrived.headers.dpop ?? '').split('.')
    if (parts.length !== 3) return invalid('no proof')
    const [header, payload] = parts.slice(0, 2).map(parsed)
    const { kty, crv, x, y, ...rest } = header.jwk
    if (header.typ !== 'dpop+jwt' || header.alg !== 'ES256' || Object.keys(rest).length) return invalid('header')
    const key = createPublicKey({ key: header.jwk, format: 'jwk' })
    const signature = Buffer.from(parts[2], 'base64url')
    if (!verify('sha256', Buffer.from(parts.slice(0, 2).join('.')), { key, dsaEncoding: 'ieee-p1363' }, signature))
      return invalid('signature')
    arrived.jkt = digest(JSON.stringify({ crv, kty, x, y }))
    arrived.proof = payload
    if (payload.htm !== arrived.method) return invalid('htm')
    if (payload.htu !== origin + arrived.path) return invalid('htu')
    if (payload.ath !== (token && digest(token))) return invalid('ath')
    if (typeof payload.jti !== 'string' || payload.jti.length < 16 || jtis.has(payload.jti)) return invalid('jti')
    jtis.add(payload.jti)
    if (Math.abs(payload.iat * 1000 - Date.now() - server.ahead) > WINDOW) return invalid('iat')
    if (payload.nonce !== server.nonce) return ['use_dpop_nonce', 'nonce']
    return undefined
  }

  /** A token and a refresh cookie, both bound to the key of the call. */
  function grant({ jkt }) {
    const [token, cookie] = [`a${++last}`, `r${last}`]
    tokens.set(token, { jkt: server.type === 'DPoP' ? jkt : null })
    sessions.set(cookie, jkt)
    const body = { access_token: token, token_type: server.type, expires_in: 300, rest: last }
    return server.json(body, { 'set-cookie': `rt=${cookie}; Path=/; HttpOnly; SameSite=Strict` })
  }

  const cookieOf = ({ headers }) => /rt=([^;]+)/.exec(headers.cookie)?.[1]
  const fails = (error) => server.json({ error }, { status: 400 })

  const own = {
    '/auth/login': (arrived) => {
      const error = prove(arrived)
      if (error) return fails(error)
      return arrived.body.includes('wonderland') ? grant(arrived) : fails('invalid_request')
    },
    '/auth/refresh': (arrived) => {
      const error = prove(arrived)
      if (error) return fails(error)
      const cookie = cookieOf(arrived)
      if (!sessions.has(cookie) || (server.bindsCookies && sessions.get(cookie) !== arrived.jkt))
        return fails('invalid_grant')
      sessions.delete(cookie)
      return grant(arrived)
    },
    '/auth/exchange': (arrived) => server.api(arrived, () => grant(arrived)),
    '/auth/logout': (arrived) => {
      sessions.delete(cookieOf(arrived))
      return { status: 204, headers: { 'set-cookie': 'rt=; Path=/; Max-Age=0' } }
    },
    '/api/': (arrived) => server.api(arrived, () => server.json({ path: arrived.path, body: arrived.body })),
  }
  server.reset()
  return server
}
