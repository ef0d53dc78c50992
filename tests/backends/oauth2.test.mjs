// OAuth 2 with a public client, against panva's oidc-provider: the refresh token in a form, rotated, and the grant ends with its reuse.

import { arrive, backEnd, rows } from './support/rows.mjs'

rows(await backEnd('oidc.mjs', 'oauth2', {
  me: '/me',
  admin: '/admin',
  login: '/token authorization_code',
  refresh: '/token refresh_token',
}, {
  api: ([issuer]) => issuer,
  origins: ([issuer]) => ({ 'https://auth.example.com': issuer }),
  // To the server and back; or, for a wrong password, back with a code that it has not given.
  async signIn(tab, [, password]) {
    if (password === 'wonderland') {
      await Promise.all([tab.waitForURL(/[?&]code=(?!wrong)/), tab.evaluate(() => void signIn())])
      await tab.evaluate(() => begin())
    } else {
      await tab.evaluate(() => history.replaceState(null, '', '/?code=wrong'))
    }
    return tab.evaluate(() => outcome(finish()))
  },
}))
