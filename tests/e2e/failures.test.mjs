// When the refresh fails (rule 8): everyone gets the same result, once; an outage signs nobody out, a refusal does.

import assert from 'node:assert/strict'
import { stopClocks } from './pages/time.js'
import { prepareEachHome } from './support/home.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world()

/** Makes the back-off last as long as the test. */
const patient = (page) => prepareEachHome(page, stopClocks)

const DOWN = { error: { code: 'bad-status', retryable: true, status: 503 } }

it('fifty callers of a failing refresh get the same error from one call, and the session stays', async (user) => {
  const page = await user.signedIn({}, patient)
  await server.revoke()
  await server.faults({ refresh: 'down' })
  const answers = await page.evaluate(() => calls(50))
  assert.deepEqual(answers, Array(50).fill(DOWN))
  assert.equal(await server.refreshes(), 1)
  assert.deepEqual(await page.evaluate(() => told()), ['refresherror bad-status'])
  assert.deepEqual(await page.evaluate(() => [auth.state.status, auth.state.claims.sub]), ['signed-in', 'alice'])
})

it('during the back-off the next callers fail at once, without a call', async (user) => {
  const page = await user.signedIn({}, patient)
  await server.revoke()
  await server.faults({ refresh: 'down' })
  const answers = await page.evaluate(async () => [...(await calls(2)), ...(await calls(2)), ...(await calls(2))])
  assert.deepEqual(answers, Array(6).fill(DOWN))
  assert.equal(await server.refreshes(), 1)
  assert.deepEqual(await page.evaluate(() => told()), ['refresherror bad-status'], 'one failure is told once')
})

it('refresh() skips the back-off, and everything works again', async (user) => {
  const page = await user.signedIn({}, patient)
  await server.revoke()
  await server.faults({ refresh: 'down' })
  await page.evaluate(() => call('/api/me'))
  await server.faults()
  await page.evaluate(() => auth.refresh())
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.equal(await server.refreshes(), 2)
})

it('after the back-off a call refreshes again', async (user) => {
  const page = await user.signedIn({}, (page) => page.clock.install())
  await server.revoke()
  await server.faults({ refresh: 'down' })
  await page.evaluate(() => call('/api/me'))
  await server.faults()
  await page.clock.fastForward(1000)
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.equal(await server.refreshes(), 2)
})

it('Retry-After applies to everyone, including refresh()', async (user) => {
  const page = await user.signedIn({}, (page) => page.clock.install())
  await server.revoke()
  await server.faults({ refresh: 'limited', delay_ms: 120_000 })
  const limited = { error: { code: 'bad-status', retryable: true, status: 429 } }
  assert.deepEqual(await page.evaluate(() => call('/api/me')), limited)
  await server.faults()
  await page.clock.fastForward('01:50')
  assert.deepEqual(await page.evaluate(() => call('/api/me')), limited)
  assert.deepEqual(await page.evaluate(() => outcome(auth.refresh())), limited)
  assert.equal(await server.refreshes(), 1)
  await page.clock.fastForward('00:11')
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
})

it('a failed early refresh keeps a token in use that is still good', async (user) => {
  const page = await user.signedIn({}, (page) => page.clock.install())
  await server.faults({ refresh: 'down' })
  await page.clock.fastForward('04:45')
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.deepEqual(await server.lines(), ['POST /auth/login 200', 'POST /auth/refresh 503', 'GET /api/me 200'])
})

for (const [fault, code, status] of [
  ['down', 'bad-status', 503],
  ['limited', 'bad-status', 429],
  ['html', 'bad-answer', 200],
  ['broken', 'bad-answer', 200],
  ['reset', 'network'],
  ['lost', 'network'],
]) {
  it(`a refresh that is ${fault} is "${code}", and the session stays`, async (user) => {
    const page = await user.signedIn()
    await server.revoke()
    await server.faults({ refresh: fault })
    const expected = { error: { code, retryable: true, ...(status && { status }) } }
    assert.deepEqual(await page.evaluate(() => call('/api/me')), expected)
    assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
    assert.deepEqual(await page.evaluate(() => told()), [`refresherror ${code}`])
  })
}

it('if the answer is lost after the server has exchanged the cookie, no caller uses the old one a second time', async (user) => {
  const page = await user.signedIn({}, patient)
  await server.revoke()
  await server.faults({ refresh: 'lost' })
  const answers = await page.evaluate(async () => [...(await calls(50)), ...(await calls(50))])
  assert.deepEqual(answers, Array(100).fill({ error: { code: 'network', retryable: true } }))
  const { refreshes, reuses } = await server.counters()
  assert.deepEqual({ refreshes, reuses }, { refreshes: 1, reuses: 0 })
})

it('a refresh that does not answer in time is "timeout", and the session stays', async (user) => {
  const page = await user.signedIn({ refresh: { url: '/auth/refresh', timeout: 200 } })
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  assert.deepEqual(await page.evaluate(() => call('/api/me')), { error: { code: 'timeout', retryable: true } })
  assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
})

it('a refresh that takes seven seconds serves all waiting calls', async (user) => {
  const page = await user.signedIn({}, (page) => page.clock.install())
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => void (globalThis.all = calls(5)))
  await server.held('refresh')
  await page.clock.fastForward('00:07')
  await server.release('refresh')
  assert.deepEqual(
    (await page.evaluate(() => all)).map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
})

it("a refused refresh ends the session, once, and every caller gets the API's own 401", async (user) => {
  const page = await user.signedIn()
  await server.end()
  const answers = await page.evaluate(() => calls(50))
  for (const { status, body } of answers) assert.deepEqual([status, body.error], [401, 'invalid_token'])
  assert.equal(await server.refreshes(), 1)
  assert.deepEqual(await page.evaluate(() => told()), ['signout rejected'])
  assert.deepEqual(await page.evaluate(() => auth.state), {
    status: 'signed-out',
    claims: null,
    expiresAt: null,
    sessionExpiresAt: null,
  })
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 401)
  assert.equal(await server.refreshes(), 1, 'there is nothing left to refresh')
})

it('refresh() after the session has ended is "rejected"', async (user) => {
  const page = await user.signedIn()
  await server.end()
  assert.deepEqual(await page.evaluate(() => outcome(auth.refresh())), {
    error: { code: 'rejected', retryable: false, status: 401 },
  })
})
