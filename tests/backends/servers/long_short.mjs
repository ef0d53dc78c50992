// The scheme of "long and short tokens": always HTTP 200, with a code in the body. The short token is sent in `X-Token` without a scheme,
// the long one in `X-Long-Token`; another sign-in of the same user replaces it.

import { serve } from './harness.mjs'
import { answer, bodyOf, PASSWORDS, random } from './shared.mjs'

const SHORT_MS = 60_000
const LONG_MS = 30 * 86_400_000
const NEAR_ITS_END_MS = 86_400_000

const short = new Map()
const long = new Map()
const replaced = new Set()
// The only session of each user.
const sessions = new Map()

function grant(user, longToken) {
  const token = random()
  short.set(token, { user, longToken, until: Date.now() + SHORT_MS })
  return { token, longToken, expireAt: Date.now() + SHORT_MS }
}

function begin(user) {
  const before = sessions.get(user)
  if (before) replaced.add(before)
  const longToken = random()
  long.set(longToken, { user, until: Date.now() + LONG_MS })
  sessions.set(user, longToken)
  return longToken
}

function login({ username, password }) {
  return PASSWORDS[username] === password ? grant(username, begin(username)) : [40001, '用户名或密码错误']
}

function refresh(longToken) {
  const held = long.get(longToken)
  if (replaced.has(longToken)) return [40103, '账号已在别处登录']
  if (!held || held.until < Date.now()) return [40102, '登录已过期']
  if (held.until - Date.now() < NEAR_ITS_END_MS) return grant(held.user, begin(held.user))
  // The long token stays the same.
  return grant(held.user, longToken)
}

function api(path, token) {
  const held = short.get(token)
  if (!held || held.until < Date.now()) return [path === '/api/text' ? '40101' : 40101, '令牌已过期']
  if (replaced.has(held.longToken)) return [40103, '账号已在别处登录']
  return path === '/api/admin' ? [40300, '没有权限'] : { user: held.user }
}

async function handle(request, response) {
  const path = request.url.split('?')[0]
  const body = await bodyOf(request)
  const { 'x-token': token, 'x-long-token': longToken } = request.headers
  const result =
    {
      '/api/login': () => login(body),
      '/api/token/refresh': () => refresh(longToken),
      '/api/logout': () => (
        replaced.add(longToken),
        sessions.forEach((held, user) => held === longToken && sessions.delete(user)),
        {}
      ),
    }[path]?.() ?? api(path, token)
  const [code, msg] = Array.isArray(result) ? result : [0, 'ok']
  response.note({ code })
  answer(response, 200, { code, msg, data: code ? null : result })
}

serve(handle, {
  token: ({ headers }) => headers['x-token'],
  end: () => void (long.clear(), sessions.clear()),
  sessions: () => sessions.size,
})
