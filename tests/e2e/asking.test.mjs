// Callers that cannot go through `fetch`: they ask for the token, and report refused ones. And guards, which ask whether somebody is signed
// in.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { needsHandedOn } from './support/home.mjs'
import { check } from './support/lack.mjs'
import { json, refused, startStub } from './support/stub.mjs'

let latest, answer
const stub = await startStub({
  '/auth/refresh': () => answer(),
  '/api/': ({ headers }) => (headers.authorization === `Bearer a${latest}` ? json({}) : refused()),
})
const browser = await startBrowser()
// The life of a session, in milliseconds.
const LIFE = 1_800_000
const renew = () => json({ access_token: `a${++latest}`, expires_in: 300, refresh_expires_in: LIFE / 1000 })
const isBetween = (at, before, after) => assert.ok(before <= at && at <= after, `${before} ${at} ${after}`)

function it(name, options, body) {
  check(name, async (t) => {
    stub.reset()
    ;[latest, answer] = [0, renew]
    const user = await User.visits(t, browser, stub.origin)
    await body(await user.tab(options), user)
  })
}

const exposed = { exposeToken: true }

it('five reports of one refused token share one refresh, and get the next token', exposed, async (page) => {
  assert.equal(await page.evaluate(() => auth.getAccessToken()), 'a1')
  const next = await page.evaluate(() =>
    Promise.all([1, 2, 3, 4, 5].map((n) => auth.getAccessToken({ refused: 'a1', by: `/api/${n}` }))),
  )
  assert.deepEqual(next, Array(5).fill('a2'))
  assert.equal(await page.evaluate(() => auth.getAccessToken({ refused: 'a1', by: '/api/late' })), 'a2')
  assert.equal(stub.at('/auth/refresh').length, 2)
})

it('a URL that also refuses the next token gets no third, and others continue', exposed, async (page) => {
  await page.evaluate(() => auth.getAccessToken())
  assert.equal(await page.evaluate(() => auth.getAccessToken({ refused: 'a1', by: '/api/x' })), 'a2')
  assert.equal(
    (await page.evaluate(() => outcome(auth.getAccessToken({ refused: 'a2', by: '/api/x' })))).error.code,
    'forbidden',
  )
  assert.equal(await page.evaluate(() => auth.getAccessToken()), 'a2')
  assert.equal((await page.evaluate(() => call('/api/y'))).status, 200)
  assert.equal(stub.at('/auth/refresh').length, 2)
})

it('a server that returns the refused token again is not believed', exposed, async (page) => {
  await page.evaluate(() => auth.getAccessToken())
  answer = () => json({ access_token: 'a1', expires_in: 300 })
  assert.equal(
    (await page.evaluate(() => outcome(auth.getAccessToken({ refused: 'a1', by: '/api/x' })))).error.code,
    'forbidden',
  )
})

it('peekAccessToken sends no refresh', exposed, async (page) => {
  assert.equal(await page.evaluate(() => auth.peekAccessToken()), undefined)
  assert.equal(stub.at('/auth/refresh').length, 0)
  await page.evaluate(() => auth.getAccessToken())
  assert.equal(await page.evaluate(() => auth.peekAccessToken()), 'a1')
  await page.evaluate(() => auth.logout())
  assert.equal(await page.evaluate(() => auth.peekAccessToken()), undefined)
})

it('peekAccessToken is refused if the token is not exposed', {}, async (page) => {
  assert.equal(
    await page.evaluate(() => auth.ready.then(() => auth.peekAccessToken()).catch((error) => error.code)),
    'not-exposed',
  )
})

it('known() asks once for all callers, and then no more', {}, async (page) => {
  const { before, isSame, state, after } = await page.evaluate(async () => {
    const before = Date.now()
    const [state, other] = await Promise.all([auth.known(), auth.known()])
    return { before, isSame: state === other, state, after: Date.now() }
  })
  assert.equal(isSame, true)
  assert.equal(state.status, 'signed-in')
  isBetween(state.sessionExpiresAt - LIFE, before, after)
  await page.evaluate(() => auth.known())
  assert.equal(stub.at('/auth/refresh').length, 1)
})

it('known() resolves when signed out', {}, async (page) => {
  answer = () => json({ error: 'invalid_grant' }, { status: 400 })
  assert.equal((await page.evaluate(() => auth.known())).status, 'signed-out')
})

it('known() rejects if the server is not reached, and the next call asks again', {}, async (page) => {
  answer = () => ({ status: 503 })
  const { error } = await page.evaluate(() => outcome(auth.known()))
  assert.deepEqual([error.code, error.retryable], ['bad-status', true])
  assert.equal(await page.evaluate(() => auth.state.status), 'unknown')
  answer = renew
  await page.evaluate(() => auth.refresh())
  assert.equal((await page.evaluate(() => auth.known())).status, 'signed-in')
})

it('known() waits for the session that a sign-in elsewhere has begun meanwhile', {}, async (page) => {
  let release
  const isAsked = new Promise((asked) => {
    answer = () => (asked(), new Promise((resolve) => (release = resolve)))
  })
  await page.evaluate(() => void (globalThis.known = auth.known()))
  await isAsked
  answer = renew
  await page.evaluate(() => auth.signedIn())
  release(json({ access_token: 'of before', expires_in: 300 }))
  const state = await page.evaluate(() => known)
  assert.equal(state.status, 'signed-in')
  assert.equal((await page.evaluate(() => call('/api/x'))).status, 200)
})

it('another tab knows when the session ends', {}, async (page, user) => {
  needsHandedOn()
  const before = await page.evaluate(() => {
    const before = Date.now()
    return auth.known().then(() => before)
  })
  const other = await user.tab({})
  const [told, after] = await other.evaluate(async () => {
    await until(({ status }) => status === 'signed-in')
    return [auth.state.sessionExpiresAt, Date.now()]
  })
  assert.equal(stub.at('/auth/refresh').length, 1)
  isBetween(told - LIFE, before, after)
})
