// OAuth 2 with a public client whose tokens are bound to a key (RFC 9449), against panva's oidc-provider, which requires its nonces. The
// client code is that of docs/backends/oauth2.md, with the option `dpop`.

import assert from 'node:assert/strict'
import { arrive, at, backEnd, calls, status, told } from './support/rows.mjs'
import { startBackEnd } from './support/server.mjs'

const paths = { me: '/me', login: '/token authorization_code', refresh: '/token refresh_token' }
const { server, it } = await backEnd((front) => startBackEnd('oidc.mjs', front, 'dpop'), 'oauth2', paths, {
  origins: ([issuer]) => ({ 'https://auth.example.com': issuer, 'apis: [ISSUER]': 'apis: [ISSUER],\n  dpop: true' }),
})
const [issuer] = server.origins
const me = `${issuer}${paths.me}`
const fine = ({ status }) => status < 300
const objections = ({ status }) => status === 400 || status === 401

async function signIn(tab) {
  await Promise.all([tab.waitForURL(/[?&]code=/), tab.evaluate(() => void signIn())])
  await tab.evaluate(() => begin())
  return tab.evaluate(() => outcome(finish()))
}

const allGood = (answers) =>
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array(answers.length).fill(200),
  )

it('a sign-in is sent again with the nonce, and brings a bound token', async (tab) => {
  const { value, ...failed } = await signIn(tab)
  assert.deepEqual(failed, {})
  assert.equal(value.token_type, 'DPoP')
  allGood(await calls(tab, me, 1))
  const log = await server.log()
  assert.deepEqual(
    at(log, paths.login).map(({ status }) => status),
    [400, 200],
  )
  assert.equal(at(log, paths.me).filter(fine).length, 1)
  assert.equal(at(log, paths.refresh).length, 0)
})

it('twenty calls with an expired token and nonce cost one refresh', async (tab) => {
  await signIn(tab)
  allGood(await calls(tab, me, 1))
  await server.expire()
  allGood(await calls(tab, me, 20))
  const log = await server.log()
  assert.equal(at(log, paths.refresh).filter(fine).length, 1)
  assert.ok(at(log, paths.refresh).filter(objections).length <= 1, 'once for the nonce')
  assert.deepEqual(await told(tab), ['refresh'])
})

it('each refresh continues from the one before, with one key', async (tab) => {
  await signIn(tab)
  for (let round = 0; round < 3; round += 1) {
    await server.expire()
    allGood(await calls(tab, me, 1))
  }
  assert.equal(at(await server.log(), paths.refresh).filter(fine).length, 3)
})

it('another tab continues with the token, the refresh token and the key', async (tab, user) => {
  await signIn(tab)
  const other = await arrive(user)
  await other.evaluate(() => until(({ status }) => status === 'signed-in'))
  allGood(await calls(other, me, 3))
  for (let round = 0; round < 3; round += 1) {
    await server.expire()
    allGood((await Promise.all([calls(tab, me, 5), calls(other, me, 5)])).flat())
  }
  assert.equal(at(await server.log(), paths.refresh).filter(fine).length, 3)
  assert.deepEqual([await status(tab), await status(other)], ['signed-in', 'signed-in'])
})

it('a token without its proof is refused', async (tab) => {
  await Promise.all([tab.waitForURL(/[?&]code=/), tab.evaluate(() => void signIn())])
  await tab.evaluate(() => begin())
  await tab.evaluate(() => {
    const { fetch } = globalThis
    globalThis.seen = []
    globalThis.fetch = (input, init) => {
      const header = new Headers(init?.headers ?? input.headers).get('authorization')
      if (header) seen.push(header)
      return fetch(input, init)
    }
  })
  await tab.evaluate(() => outcome(finish()))
  allGood(await calls(tab, me, 1))
  const [stolen] = await tab.evaluate(() => seen)
  assert.match(stolen, /^DPoP /)
  for (const authorization of [stolen, stolen.replace('DPoP', 'Bearer')]) {
    const answer = await fetch(me, { headers: { authorization } })
    assert.ok([400, 401].includes(answer.status), `${answer.status}`)
  }
})
