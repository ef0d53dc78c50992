// Flask-JWT-Extended: tokens in the answer, the refresh token in `Authorization`.

import assert from 'node:assert/strict'
import { backEnd, rows, signIn, status, told } from './support/rows.mjs'

const place = await backEnd('flask_app.py', 'flask-jwt-extended', {
  me: '/protected',
  admin: '/admin',
  login: '/login',
  refresh: '/refresh',
  logout: '/logout',
})

rows(place)

place.it('a refresh token that another key has signed ends the session', async (tab) => {
  await signIn(tab)
  const code = await tab.evaluate(async () => {
    const part = (value) => btoa(JSON.stringify(value)).replace(/=+$/, '')
    const refreshToken = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'alice', type: 'refresh', jti: '1', fresh: false, exp: 4e9 })}.AAAA`
    await auth.setTokens({ accessToken: 'whatever', refreshToken })
    return auth.refresh().catch((error) => [error.code, error.status])
  })
  assert.deepEqual(code, ['rejected', 422])
  assert.equal(await status(tab), 'signed-out')
  assert.deepEqual(await told(tab), ['signout rejected'])
})
