// NocoBase's scheme (its plugin-auth, 2.2): there is no refresh; an expired token is renewed by any call that carries it, and the answer
// has the new token in `x-new-token`, whatever its status. The real NocoBase takes a gigabyte.

import { bearer, serve } from './harness.mjs'
import { answer, bodyOf, claimsOf, jwt, PASSWORDS, random } from './shared.mjs'

const TOKEN_S = 60
const SESSION_S = 7 * 86_400
const RENEW_LIMIT_S = 86_400
const WINDOW_MS = 10_000

const seconds = () => Math.floor(Date.now() / 1000)
// The current tokens by session, the tokens that were just renewed, and the signed-out sessions.
const current = new Map()
const renewed = new Map()
const blocked = new Set()

function issue({ user, signIn }) {
  const jti = random()
  current.set(signIn, jti)
  return jwt({ userId: user, temp: true, signInTime: signIn, jti, iat: seconds(), exp: seconds() + TOKEN_S })
}

/** Checks a token: returns its claims, and a new token if it has expired, or the code of its refusal. */
function check(token, request) {
  if (!token) return { code: 'EMPTY_TOKEN' }
  const claims = claimsOf(token)
  if (!claims) return { code: 'INVALID_TOKEN' }
  if (blocked.has(claims.signInTime)) return { code: 'BLOCKED_TOKEN' }
  const past = seconds() - claims.exp
  if (past < 0) return current.get(claims.signInTime) ? { claims } : { code: 'INVALID_TOKEN' }
  if (past > RENEW_LIMIT_S || Date.now() - claims.signInTime > 1000 * SESSION_S) return { code: 'EXPIRED_SESSION' }
  if (request.headers.accept?.includes('text/event-stream')) return { code: 'SKIP_TOKEN_RENEW' }
  const before = renewed.get(claims.jti)
  if (before && Date.now() - before.at < WINDOW_MS) return { claims, token: before.token }
  if (current.get(claims.signInTime) !== claims.jti) return { code: 'TOKEN_RENEW_FAILED' }
  const next = issue({ user: claims.userId, signIn: claims.signInTime })
  renewed.set(claims.jti, { token: next, at: Date.now() })
  return { claims, token: next }
}

const fail = (response, status, error, headers) => answer(response, status, { errors: [error] }, headers)

async function handle(request, response) {
  const path = request.url.split('?')[0]
  const body = await bodyOf(request)
  if (path === '/api/auth:signIn') {
    if (request.headers['x-authenticator'] !== 'basic' || PASSWORDS[body.account] !== body.password)
      return fail(response, 401, { message: 'The password is incorrect' })
    return answer(response, 200, {
      data: { user: { id: body.account }, token: issue({ user: body.account, signIn: Date.now() }) },
    })
  }
  const { code, claims, token } = check(bearer(request), request)
  const headers = {
    'access-control-expose-headers': 'content-disposition,x-new-token',
    ...(token && { 'x-new-token': token }),
  }
  if (code) return fail(response, 401, { message: 'Your session has expired. Please sign in again.', code })
  if (path === '/api/auth:check') return answer(response, 200, { data: { id: claims.userId } }, headers)
  if (path === '/api/roles:list') return fail(response, 403, { message: 'No permissions' }, headers)
  if (path === '/api/charts:query') return fail(response, 400, { message: 'No such chart' }, headers)
  if (path === '/api/jobs:crash') return fail(response, 500, { message: 'Internal Server Error' }, headers)
  if (path === '/api/auth:signOut') {
    // It checks the old token once more, after it was renewed.
    if (token) return fail(response, 500, { message: 'jwt expired' }, headers)
    blocked.add(claims.signInTime)
    current.delete(claims.signInTime)
    return answer(response, 200, { data: {} })
  }
  return fail(response, 404, { message: 'Not Found' }, headers)
}

serve(handle, {
  end: () => void [...current.keys()].forEach((signIn) => blocked.add(signIn) && current.delete(signIn)),
  sessions: () => current.size,
  renewals: () => renewed.size,
})
