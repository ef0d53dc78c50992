// WeChat's third-party platform: the token in the query, `errcode` in a body with HTTP 200, and a refresh with two levels.

import assert from 'node:assert/strict'
import { backEnd, call, rows, signIn } from './support/rows.mjs'

const me = '/cgi-bin/user/info'
const component = '/cgi-bin/component/api_component_token'
const world = await backEnd(
  'wechat.mjs',
  'wechat',
  {
    me,
    admin: '/cgi-bin/menu/get',
    login: '/cgi-bin/component/api_query_auth',
    refresh: '/cgi-bin/component/api_authorizer_token',
  },
  {
    besides: component,
    good: ({ status, body }) => status === 200 && !body.errcode,
    refused: ({ code }) => code === 42001 || code === 40001,
    gone: ({ code }) => code !== 0,
    forbidden: ({ body }) => body.errcode === 48001,
  },
)
const { it } = world

rows(world)

it('a token in the query is in no error, no event and no console line', async (tab) => {
  const said = []
  tab.on('console', (line) => line.type() !== 'error' && said.push(line.text()))
  await signIn(tab)
  const failed = await call(tab, '/cgi-bin/cut')
  const token = await tab.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).searchParams.get('access_token'))
      .find(Boolean),
  )
  assert.match(token, /^[0-9a-f]{32}$/)
  const all = JSON.stringify([failed, said, await tab.evaluate(() => [events, auth, auth.state])])
  assert.ok(!all.includes(token), all)
})
