// A back end in the test: the answers for the routes of a page, or of all pages of a context.
import type { BrowserContext, Page } from '@playwright/test'

export async function backend(target: Page | BrowserContext) {
  const state = {
    /** Whether the refresh cookie is good. A route cannot read back a cookie that it sets, so the test remembers it. */
    session: false,
    issued: 0,
    refreshes: 0,
    /** The API no longer accepts the tokens issued so far. */
    expire: () => void state.issued++,
  }
  const granted = () => ({
    json: { access_token: token({ sub: '7', name: 'Alice', jti: ++state.issued }), expires_in: 300 },
  })

  await target.route('**/auth/login', (route) => {
    state.session = route.request().postData()!.includes('wonderland')
    return route.fulfill(state.session ? granted() : { status: 401, json: { error: 'wrong_password' } })
  })
  await target.route('**/auth/refresh', (route) => {
    state.refreshes++
    return route.fulfill(state.session ? granted() : { status: 401, json: { error: 'no_session' } })
  })
  await target.route('**/auth/logout', (route) => {
    state.session = false
    return route.fulfill({ status: 204 })
  })
  await target.route('**/api/todos', (route) => {
    const isGood = claims(route.request().headers().authorization)?.jti === state.issued
    return route.fulfill(isGood ? { json: ['Feed the cat'] } : { status: 401, json: { error: 'invalid_token' } })
  })
  return state
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (payload: object) => `${part({ alg: 'none' })}.${part(payload)}.`
const claims = (authorization = '') =>
  JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString() || 'null')
