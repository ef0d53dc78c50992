// NocoBase's scheme: no refresh; any answer may bring the next token.

import assert from 'node:assert/strict'
import { arrive, backEnd, call, calls, rows, signIn, signOut, status } from './support/rows.mjs'

const me = '/api/auth:check'
const world = await backEnd(
  'nocobase.mjs',
  'nocobase',
  {
    me,
    admin: '/api/roles:list',
    login: '/api/auth:signIn',
    logout: '/api/auth:signOut',
  },
  { reason: 'ended' },
)
const { server, it } = world

rows(world)

const tokens = async () => (await server.log()).map(({ token }) => token).filter(Boolean)

it('twenty calls with an expired token succeed, and bring one new token', async (tab) => {
  await signIn(tab)
  await server.expire()
  assert.ok((await calls(tab, me, 20)).every((answer) => answer.status === 200))
  assert.equal((await call(tab, me)).status, 200)
  const [first, ...rest] = await tokens()
  assert.deepEqual([rest.length, new Set(rest).size], [20, 2])
  assert.notEqual(rest.at(-1), first)
})

for (const [path, expected] of [
  ['/api/charts:query', 400],
  ['/api/jobs:crash', 500],
  ['/api/roles:list', 403],
]) {
  it(`an answer ${expected} brings a new token as well`, async (tab) => {
    await signIn(tab)
    await server.expire()
    assert.equal((await call(tab, path)).status, expected)
    assert.equal((await call(tab, me)).status, 200)
    const [old, renewed] = await tokens()
    assert.notEqual(old, renewed)
    assert.equal(await status(tab), 'signed-in')
  })
}

it('a tab that slept through the ten seconds gets the new token from the other tab', async (tab, user) => {
  await signIn(tab)
  const other = await arrive(user)
  await other.evaluate(() => until(({ status }) => status === 'signed-in'))
  await server.expire()
  await call(tab, me)
  await server.forward(11)
  assert.equal((await call(other, me)).status, 200)
  const [old, renewed] = await tokens()
  assert.notEqual(old, renewed)
  assert.equal(await status(other), 'signed-in')
})

it('a stream that is refused for an old token ends no session', async (tab) => {
  await signIn(tab)
  await server.expire()
  const stream = { headers: { Accept: 'text/event-stream' } }
  assert.equal((await call(tab, me, stream)).body.errors[0].code, 'SKIP_TOKEN_RENEW')
  assert.equal(await status(tab), 'signed-in')
  await call(tab, me)
  assert.equal((await call(tab, me, stream)).status, 200)
})

it('signing out with an expired token still ends the session', async (tab) => {
  await server.end()
  await signIn(tab)
  await server.expire()
  assert.equal((await signOut(tab)).error, undefined)
  assert.equal(await server.tell('sessions'), 0)
})
