// A reload during a refresh. Nobody is left to receive the answer, but its cookie is the only one that a strict server still accepts: the
// refresh outlives its page (rule 9).

import assert from 'node:assert/strict'
import { reload, startBrowser, User } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { json, refused, startStub } from './support/stub.mjs'

/** A session whose refresh token is good for one use. */
const session = { turn: 0, token: () => `token-${session.turn}`, cookie: () => `refresh=${session.turn}` }
const next = () => {
  session.turn++
  return json(
    { access_token: session.token(), expires_in: 300 },
    { 'set-cookie': `${session.cookie()}; Path=/auth; HttpOnly` },
  )
}

let arrives
const arrived = new Promise((resolve) => (arrives = resolve))
let release
const released = new Promise((resolve) => (release = resolve))

const stub = await startStub({
  '/auth/login': next,
  '/auth/refresh': async ({ headers, nth }) => {
    if (headers.cookie !== session.cookie()) return json({ error: 'invalid_grant' }, { status: 400 })
    const answer = next()
    if (nth > 1) return answer
    arrives()
    await released
    return answer
  },
  '/auth/cookie': ({ headers }) => json(headers.cookie ?? null),
  '/api/x': ({ headers }) => (headers.authorization === `Bearer ${session.token()}` ? json({ ok: true }) : refused()),
})
const browser = await startBrowser()

check('a reload in the middle of a refresh loses no new cookie, and so no session', async (t) => {
  if (home) throw new Lack('a call of a worker that outlives its page, or a second one')
  const user = await User.visits(t, browser, stub.origin)
  const page = await user.signedIn()
  if (!(await page.evaluate(() => 'keepalive' in Request.prototype))) throw new Lack('requests that outlive their page')
  await page.evaluate(() => void auth.refresh())
  await arrived
  await reload(page)
  release()
  const isThere = await page.evaluate(async (cookie) => {
    for (let tries = 0; tries < 500; tries++) if ((await (await fetch('/auth/cookie')).json()) === cookie) return true
    return false
  }, session.cookie())
  assert.ok(isThere, 'the new cookie')
  assert.deepEqual(await page.evaluate(() => call('/api/x')), { status: 200, body: { ok: true } })
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
  assert.equal(stub.at('/auth/refresh').length, 2, 'the one before the reload and the one after it')
})
