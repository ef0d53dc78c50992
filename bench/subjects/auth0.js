// auth0-spa-js as in its documentation: the app requests the token before each call. It does not handle a 401, so one
// retry that bypasses its cache is added.

import { Auth0Client } from '@auth0/auth0-spa-js'

async function signedIn() {
  const client = new Auth0Client({
    domain: location.origin,
    clientId: 'bench',
    useRefreshTokens: true,
    cacheLocation: 'memory',
    authorizationParams: { redirect_uri: location.origin },
  })
  // Does the redirect to the login page and back without leaving the page.
  let asked
  await client.loginWithRedirect({ openUrl: (url) => void (asked = new URL(url).searchParams) })
  await fetch(`/oauth/nonce?nonce=${encodeURIComponent(asked.get('nonce'))}`, { method: 'POST' })
  await client.handleRedirectCallback(`${location.origin}/?code=code&state=${encodeURIComponent(asked.get('state'))}`)
  return client
}

export default async function setUp() {
  const client = await signedIn()
  const send = (url, init, token) =>
    fetch(url, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${token}` } })
  async function authFetch(url, init) {
    const response = await send(url, init, await client.getTokenSilently())
    if (response.status !== 401) return response
    return send(url, init, await client.getTokenSilently({ cacheMode: 'off' }))
  }
  return {
    get: (url) => authFetch(url),
    json: async (url) => (await authFetch(url)).json(),
    post: (url, body, type) => authFetch(url, { method: 'POST', headers: { 'Content-Type': type }, body }),
  }
}
