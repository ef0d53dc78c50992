// Flask-JWT-Extended: both tokens in cookies, so that the page has none; double submit for every unsafe method.

import assert from 'node:assert/strict'
import { at, backEnd, call, calls, rows, signIn } from './support/rows.mjs'

const row = await backEnd(
  'flask_cookies.py',
  'flask-jwt-extended-cookies',
  {
    me: '/protected',
    admin: '/admin',
    login: '/auth/login',
    refresh: '/auth/refresh',
    logout: '/auth/logout',
  },
  { unseen: true },
)
rows(row)

const { it, server } = row

it('an unsafe call carries the double-submit value, before and after a refresh', async (tab) => {
  await signIn(tab)
  assert.equal((await call(tab, '/protected', { method: 'POST' })).status, 200)
  await server.expire()
  const answers = await calls(tab, '/protected', 5)
  assert.ok(answers.every(({ status }) => status === 200))
  assert.equal((await call(tab, '/protected', { method: 'POST' })).status, 200)
  assert.equal(at(await server.log(), '/auth/refresh').length, 1)
})

it("a refused unsafe call is sent again with the new token's double-submit value", async (tab) => {
  await signIn(tab)
  await server.expire()
  assert.equal((await call(tab, '/protected', { method: 'POST' })).status, 200)
  const sent = at(await server.log(), '/protected')
  assert.deepEqual(
    sent.map(({ method, status }) => `${method} ${status}`),
    ['POST 401', 'POST 200'],
  )
})
