// FastAPI: the two services of the tutorials, each on its own origin.

import assert from 'node:assert/strict'
import { backEnd, call, rows, signIn, told } from './support/rows.mjs'

const world = await backEnd(
  'fastapi_header.py',
  'fastapi',
  { me: '/users/me', admin: '/admin/data', login: '/token', refresh: '/refresh_token' },
  {
    api: ([, api]) => api,
    origins: ([auth, api]) => ({ 'https://auth.example.com': auth, 'https://api.example.com': api }),
  },
)

rows(world)

const me = `${world.server.origins[1]}/users/me`

world.it('a new token with the same text as the old one still counts as new', async (tab) => {
  await world.server.tell('freeze')
  await signIn(tab)
  await call(tab, me)
  await tab.evaluate(() => auth.refresh())
  await call(tab, me)
  const [first, second] = (await world.server.log()).filter(({ path }) => path === '/users/me')
  assert.equal(first.token, second.token)
  assert.deepEqual(await told(tab), ['refresh'])
  await world.server.tell('thaw')
  await world.server.expire()
  assert.equal((await call(tab, me)).status, 200)
})

world.it('a challenge that CORS hides is not missed', async (tab) => {
  await signIn(tab)
  await world.server.expire()
  assert.equal(await tab.evaluate((me) => fetch(me).then((answer) => answer.headers.get('www-authenticate')), me), null)
  assert.equal((await call(tab, me)).status, 200)
})
