// The server of the benchmark: pages, subjects, an API that accepts its tokens until they are revoked, and the refresh
// endpoint of each subject. It counts the requests.

import { createServer } from 'node:http'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const PAGE = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
// As long as typical tokens.
const FILLER = 'x'.repeat(520)
const LARGE = 256 * 1024

/** `files` maps a path to `[type, bytes]`. */
export async function startServer(files) {
  const large = { id: 17, filler: 'x'.repeat(LARGE) }
  const state = {
    token: '',
    good: new Map(),
    tokens: 0,
    api: 0,
    refused: 0,
    refreshes: 0,
    proofs: 0,
    nonce: '',
    held: undefined,
  }
  // The bytes of uploads are counted, not kept.
  const server = createServer((request, response) => {
    request.on('data', () => {})
    request.on('end', () => void answer(request, response))
  })
  server.keepAliveTimeout = 60_000

  async function answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, 'http://bench')
    if (pathname.startsWith('/api/')) return api(request, response)
    const route = routes[pathname]
    if (route) return route(response, searchParams, request)
    const [type, bytes] = files[pathname] ?? ['text/plain', '']
    response.writeHead(files[pathname] ? 200 : 404, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(bytes)
  }

  function api({ headers, url }, response) {
    state.api++
    if (headers.dpop) state.proofs++
    if (state.good.get(headers.authorization) > Date.now())
      return json(response, url === '/api/large' ? large : { id: 17, name: 'Ada Lovelace' })
    state.refused++
    json(response, { error: 'invalid_token' }, { 'WWW-Authenticate': 'Bearer error="invalid_token"' }, 401)
  }

  /** `type` is DPoP for a client that sends a proof. The proof is not verified: only the client's cost is measured. */
  function grant(life = 3600, type = 'Bearer') {
    const now = Math.floor(Date.now() / 1000)
    state.token = jwt({ sub: 'ada', iat: now, exp: now + life, n: ++state.tokens, filler: FILLER })
    state.good.set(`${type} ${state.token}`, (now + life) * 1000)
    return { access_token: state.token, token_type: type, expires_in: life }
  }

  async function refresh(type) {
    state.refreshes++
    await state.held
    return grant(undefined, type)
  }

  const typeFor = ({ headers }) => (headers.dpop ? 'DPoP' : 'Bearer')

  function supertokens(response) {
    const front = Buffer.from(JSON.stringify({ uid: 'ada', ate: Date.now() + 3_600_000, up: {} })).toString('base64')
    json(
      response,
      { status: 'OK' },
      { 'st-access-token': state.token, 'st-refresh-token': 'refresh', 'front-token': front },
    )
  }

  async function oauth(response, _, request) {
    const first = !state.signedIn.has(request.headers.referer)
    const granted = first ? grant() : await refresh()
    state.signedIn.add(request.headers.referer)
    const now = Math.floor(Date.now() / 1000)
    const origin = `http://${request.headers.host}`
    const id = { iss: `${origin}/`, aud: 'bench', sub: 'ada', nonce: state.nonce, iat: now, exp: now + 3600 }
    json(response, {
      ...granted,
      id_token: jwt(id),
      refresh_token: 'refresh',
      scope: 'openid profile email offline_access',
    })
  }

  const routes = {
    '/': (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE),
    '/auth/login': (response, query, request) =>
      json(response, grant(Number(query.get('life') ?? 3600), typeFor(request))),
    '/auth/refresh': async (response, _, request) => json(response, await refresh(typeFor(request))),
    '/supertokens/signin': (response) => (grant(), supertokens(response)),
    '/supertokens/session/refresh': async (response) => (await refresh(), supertokens(response)),
    '/oauth/nonce': (response, query) => ((state.nonce = query.get('nonce')), json(response, {})),
    '/oauth/token': oauth,
  }
  state.signedIn = new Set()

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    state,
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Resets the server for a fresh page. */
    reset() {
      Object.assign(state, { api: 0, refused: 0, refreshes: 0, held: undefined, signedIn: new Set() })
    },
    /** Revokes all tokens. */
    kill() {
      state.good.clear()
      Object.assign(state, { api: 0, refused: 0, refreshes: 0 })
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function json(response, body, headers, status = 200) {
  const text = JSON.stringify(body)
  response.writeHead(status, { ...JSON_TYPE, 'Content-Length': Buffer.byteLength(text), ...headers }).end(text)
}

function jwt(payload) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', kid: 'k' })}.${part(payload)}.${'s'.repeat(43)}`
}
