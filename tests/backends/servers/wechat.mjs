// The scheme of WeChat's third-party platform: always HTTP 200, `errcode` in the body for errors, tokens in the query, and two levels: to
// get an account's token one needs a live token of the platform, which one gets with a ticket. Only the latest of each is good.

import { serve } from './harness.mjs'
import { answer, bodyOf, PASSWORDS, random } from './shared.mjs'

const LIFE_MS = 60_000
let component = { token: '', until: 0 }
let account = null
let componentTokens = 0

const EXPIRED = { errcode: 42001, errmsg: 'access_token expired' }
const INVALID = { errcode: 40001, errmsg: 'invalid credential, access_token is invalid or not latest' }

/** The error for a token; `held` is the good one. */
function wrong(token, held) {
  if (!token) return { errcode: 41001, errmsg: 'access_token missing' }
  if (token !== held?.token) return INVALID
  return held.until < Date.now() ? EXPIRED : null
}

function grant() {
  account.token = random()
  account.until = Date.now() + LIFE_MS
  return {
    authorizer_access_token: account.token,
    expires_in: LIFE_MS / 1000,
    authorizer_refresh_token: account.refresh,
  }
}

const routes = {
  '/cgi-bin/component/api_component_token'() {
    componentTokens += 1
    component = { token: random(), until: Date.now() + LIFE_MS }
    return { component_access_token: component.token, expires_in: LIFE_MS / 1000 }
  },
  '/cgi-bin/component/api_query_auth'(query, { authorization_code: code }) {
    const failed = wrong(query.get('component_access_token'), component)
    if (failed) return failed
    if (code !== PASSWORDS.alice) return { errcode: 61010, errmsg: 'code is expired' }
    account = { refresh: random() }
    return { authorization_info: { authorizer_appid: 'wx1', ...grant() } }
  },
  '/cgi-bin/component/api_authorizer_token'(query, body) {
    const failed = wrong(query.get('component_access_token'), component)
    if (failed) return failed
    if (!account?.refresh || body.authorizer_refresh_token !== account.refresh)
      return { errcode: 61023, errmsg: 'refresh_token is invalid' }
    return grant()
  },
  '/cgi-bin/user/info': (query) => wrong(query.get('access_token'), account) ?? { subscribe: 1, nickname: 'alice' },
  '/cgi-bin/menu/get': (query) =>
    wrong(query.get('access_token'), account) ?? { errcode: 48001, errmsg: 'api unauthorized' },
}

async function handle(request, response) {
  const url = new URL(request.url, 'http://server')
  const body = await bodyOf(request)
  if (url.pathname === '/cgi-bin/cut') return request.socket.destroy()
  const result = routes[url.pathname](url.searchParams, body)
  response.note({ code: result.errcode ?? 0 })
  answer(response, 200, result)
}

serve(handle, {
  token: (_, url) => url.searchParams.get('access_token'),
  end: () => void (account = null),
  sessions: () => (account ? 1 : 0),
  componentTokens: () => componentTokens,
})
