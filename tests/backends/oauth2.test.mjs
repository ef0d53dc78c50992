// OAuth 2 with a public client, against panva's oidc-provider: the refresh token in a form, rotated; its reuse ends the grant.

import assert from 'node:assert/strict'
import { backEnd, call, rows, told } from './support/rows.mjs'

/** Goes to the server and back; with a wrong password, back with a code that the server has not issued. */
async function signIn(tab, [, password]) {
  if (password === 'wonderland') {
    await Promise.all([tab.waitForURL(/[?&]code=(?!wrong)/), tab.evaluate(() => void signIn())])
    await tab.evaluate(() => begin())
  } else {
    await tab.evaluate(() => history.replaceState(null, '', '/?code=wrong'))
  }
  return tab.evaluate(() => outcome(finish()))
}

const world = await backEnd(
  'oidc.mjs',
  'oauth2',
  {
    me: '/me',
    admin: '/admin',
    login: '/token authorization_code',
    refresh: '/token refresh_token',
    logout: '/token/revocation',
  },
  {
    api: ([issuer]) => issuer,
    origins: ([issuer]) => ({ 'https://auth.example.com': issuer }),
    signIn,
  },
)
const { server, it } = world
const [issuer] = server.origins

rows(world)

it('two challenges in one header are read, and a missing token costs no refresh', async (tab) => {
  const challenges = await tab.evaluate(
    (me) => auth.fetch(me).then((answer) => answer.headers.get('www-authenticate')),
    `${issuer}/me`,
  )
  assert.match(challenges, /^Bearer realm=.*DPoP realm=/)
  assert.deepEqual(
    (await server.log()).map(({ path }) => path),
    ['/me'],
  )
})

it('a demand for a second factor is an event, and costs no refresh', async (tab) => {
  await signIn(tab, ['alice', 'wonderland'])
  await tab.evaluate(() => {
    globalThis.asked = []
    auth.addEventListener('stepup', ({ challenges }) => asked.push(...challenges))
  })
  assert.equal((await call(tab, `${issuer}/transfer`)).status, 401)
  const bearer = (await tab.evaluate(() => asked)).find(({ scheme }) => scheme === 'bearer')
  assert.deepEqual([bearer.parameters.acr_values, bearer.parameters.max_age], ['urn:mfa', '60'])
  assert.deepEqual(await told(tab), [])
  assert.deepEqual(
    (await server.log()).filter(({ path }) => path === world.paths.refresh),
    [],
  )
})
