// A refresh token in memory is sealed when it passes between tabs. That takes a moment, in which no other tab may use the old one.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { check } from './support/lack.mjs'
import { json, refused, startStub } from './support/stub.mjs'
import { takeTime } from './pages/time.js'

const stub = await startStub()
const browser = await startBrowser()
const options = { refreshToken: { json: 'refresh_token' } }

/** A test with two tabs of one session. The server accepts a refresh token once, and only the newest access token. */
function it(name, body) {
  check(name, async (t) => {
    let latest = 0
    Object.assign(stub.routes, {
      '/auth/refresh': ({ body }) =>
        body === `{"refresh_token":"r${latest}"}`
          ? json({ access_token: `a${++latest}`, refresh_token: `r${latest}`, expires_in: 300 })
          : json({ error: 'invalid_grant' }, { status: 400 }),
      '/api/': ({ headers }) =>
        headers.authorization === `Bearer a${latest}` && latest ? json({ latest }) : refused(),
    })
    stub.reset()
    const user = await User.visits(t, browser, stub.origin)
    const first = await user.tab(options)
    await first.evaluate(() => auth.setTokens({ accessToken: 'a0', refreshToken: 'r0', expiresIn: 300 }))
    const second = await user.tab(options)
    await second.evaluate(() => until(({ status }) => status === 'signed-in'))
    await first.evaluate(takeTime)
    // Only the news of a refresh is held. A late answer to the other tab would hold up the refresh itself.
    await first.evaluate(() => {
      const { encrypt } = crypto.subtle
      const { fetch } = globalThis
      let isRefreshed = false
      globalThis.fetch = async (input, init) => {
        const answer = await fetch(input, init)
        isRefreshed ||= new URL(answer.url).pathname === '/auth/refresh'
        return answer
      }
      globalThis.sealing = new Promise((/** @type {(nothing?: undefined) => void} */ begun) => {
        globalThis.sealed = new Promise((seal) => (globalThis.seal = seal))
        crypto.subtle.encrypt = async (...what) => {
          if (isRefreshed) {
            begun()
            await sealed
          }
          return encrypt.apply(crypto.subtle, what)
        }
      })
    })
    await body(first, second)
  })
}

it('a tab that seals its news keeps the lock until the news is sent', async (first, second) => {
  assert.equal(await first.evaluate(() => call('/api/one').then(({ status }) => status)), 200)
  await first.evaluate(() => sealing)
  // It calls with the void token, and then waits in line.
  await second.evaluate(async () => {
    let isOver = false
    globalThis.waiting = call('/api/two').finally(() => (isOver = true))
    while (!isOver && !(await navigator.locks.query()).pending.length);
  })
  await first.evaluate(() => seal())
  assert.equal(await second.evaluate(() => waiting.then(({ status }) => status)), 200)
  assert.equal(stub.at('/auth/refresh').length, 1)
  // It has the new refresh token, too.
  await second.evaluate(() => auth.refresh())
  assert.equal(stub.at('/auth/refresh').length, 2)
})

it('news that is never sealed delays the next refresh only for a moment', async (first) => {
  await first.evaluate(() => void (globalThis.twice = auth.refresh().then(() => auth.refresh())))
  await first.evaluate(() => sealing)
  await first.evaluate(async () => {
    let isOver = false
    twice.finally(() => (isOver = true))
    while (!isOver) await time.pass(100)
    await twice
  })
  assert.equal(stub.at('/auth/refresh').length, 2)
})
