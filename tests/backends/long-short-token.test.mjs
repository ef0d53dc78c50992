// Long and short tokens: always HTTP 200, with a code in the body.

import assert from 'node:assert/strict'
import { backEnd, call, rows, signIn, status, told } from './support/rows.mjs'

const me = '/api/me'
const world = await backEnd(
  'long_short.mjs',
  'long-short-token',
  {
    me,
    admin: '/api/admin',
    login: '/api/login',
    refresh: '/api/token/refresh',
    logout: '/api/logout',
  },
  {
    good: ({ status, body }) => status === 200 && body.code === 0,
    refused: ({ code }) => code === 40101,
    forbidden: ({ status, body }) => status === 200 && body.code === 40300,
  },
)
const { server, it } = world

rows(world)

it('a code as a string is the same code', async (tab) => {
  await signIn(tab)
  await server.expire()
  assert.equal((await call(tab, '/api/text')).body.code, 0)
})

it('a sign-in elsewhere ends the session, without a refresh', async (tab, user) => {
  await signIn(tab)
  const elsewhere = await user.context.browser().newContext()
  const other = await elsewhere.newPage()
  await other.goto(`${user.origin}/`)
  await other.evaluate(() => begin())
  await signIn(other)
  assert.equal((await call(tab, me)).body.code, 40103)
  assert.equal(await status(tab), 'signed-out')
  assert.deepEqual(await told(tab), ['signout ended'])
  assert.equal((await call(other, me)).body.code, 0)
  assert.deepEqual(
    (await server.log()).filter(({ path }) => path === world.paths.refresh),
    [],
  )
  await elsewhere.close()
})

it('the end of the token is known in milliseconds', async (tab) => {
  await signIn(tab)
  const left = await tab.evaluate(() => auth.state.expiresAt - Date.now())
  assert.ok(left > 40_000 && left < 62_000, `${left}`)
})
