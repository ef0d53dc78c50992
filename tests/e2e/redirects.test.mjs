// A redirect takes the token to no target that was not named (rule 1 before rule 2), on the first sending and on the second.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { check } from './support/lack.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization, x-token' }
const preflighted = (answer) => (arrived) => (arrived.method === 'OPTIONS' ? { headers: cors } : answer(arrived))
const tokenOf = ({ headers }) => headers['x-token'] ?? headers.authorization?.replace('Bearer ', '')

/** An API that accepts only the token `good`, and redirects elsewhere. */
function api(to, status = 302) {
  return preflighted((arrived) =>
    tokenOf(arrived) === 'good' || !arrived.path.startsWith('/api/strict')
      ? { status, headers: { ...cors, location: to() } }
      : { ...refused(), headers: cors },
  )
}

const other = await startStub({ '/landed': preflighted(() => json({ landed: 'other' }, cors)) })
const routes = () => ({
  '/auth/refresh': preflighted(() => ({ ...granted('good'), headers: cors })),
  '/api/out': api(() => `${other.origin}/landed`),
  '/api/out307': api(() => `${other.origin}/landed`, 307),
  '/api/strict/out': api(() => `${other.origin}/landed`),
  '/api/beside': api(() => '/beside'),
  '/api/within': api(() => '/api/landed'),
  '/api/loop': api(() => '/api/loop'),
  '/api/landed': preflighted(() => json({ landed: 'api' }, cors)),
  '/beside': preflighted(() => json({ landed: 'beside' }, cors)),
})
const page = await startStub(routes())
const far = await startStub(routes())
const browser = await startBrowser()

function it(name, options, body) {
  check(name, async (t) => {
    for (const stub of [page, far, other]) stub.reset()
    const user = await User.visits(t, browser, page.origin)
    const tab = await user.tab()
    await tab.evaluate(async (options) => {
      const { createTokenManager } = await import('/home.js')
      auth.dispose()
      globalThis.auth = createTokenManager({ refresh: '/auth/refresh', ...options })
      globalThis.ask = (...args) =>
        auth.fetch(...args).then(
          async (answer) => (answer.ok ? answer.json() : { status: answer.status }),
          ({ name, code }) => ({ name, code }),
        )
      await auth.setTokens({ accessToken: 'good', expiresIn: 300 })
    }, options)
    await body((...args) => tab.evaluate((args) => ask(...args), args), tab)
    for (const arrived of [...other.at('/landed'), ...page.at('/beside'), ...far.at('/beside')])
      assert.equal(tokenOf(arrived), undefined, 'the token')
  })
}

const HEADER = { attach: { header: 'X-Token', scheme: '' } }

it("a custom header does not leave the page's origin", HEADER, async (ask) => {
  for (const method of ['GET', 'POST']) assert.equal((await ask('/api/out', { method })).name, 'TypeError')
  assert.deepEqual(await ask('/api/out307', { method: 'POST', body: 'x' }).then(({ name }) => name), 'TypeError')
  assert.equal(other.at('/landed').length, 0)
  assert.deepEqual(await ask('/api/within'), { landed: 'api' })
  assert.equal(tokenOf(page.at('/api/landed')[0]), 'good')
})

it(
  'a custom header does not follow a redirect out of another origin',
  { ...HEADER, apis: [far.origin] },
  async (ask, tab) => {
    assert.deepEqual(await ask(`${far.origin}/api/out`), { landed: 'other' })
    assert.deepEqual(await ask(`${far.origin}/api/within`), { landed: 'api' })
    assert.equal(
      tokenOf(
        far
          .at('/api/landed')
          .filter(({ method }) => method === 'GET')
          .at(-1),
      ),
      'good',
    )
    assert.equal((await ask(`${far.origin}/api/strict/out`)).code, 'redirected')
    assert.equal((await ask(`${far.origin}/api/loop`)).name, 'TypeError')
    const before = other.at('/landed').length
    assert.equal((await ask(`${far.origin}/api/out307`, { method: 'POST', body: 'x' })).code, 'redirected')
    assert.equal((await ask(`${far.origin}/api/within`, { method: 'POST' })).code, 'redirected')
    assert.equal(other.at('/landed').length, before)
    // Also with a Request.
    assert.deepEqual(await tab.evaluate((url) => ask(new Request(url)), `${far.origin}/api/out`), { landed: 'other' })
    assert.deepEqual(await tab.evaluate((url) => ask(new Request(url)), `${far.origin}/api/within`), { landed: 'api' })
    assert.equal(
      (await tab.evaluate((url) => ask(new Request(url, { method: 'POST', body: 'x' })), `${far.origin}/api/out307`))
        .code,
      'redirected',
    )
  },
)

it('a redirect out of a path prefix is followed without the token', { apis: ['/api'] }, async (ask) => {
  assert.deepEqual(await ask('/api/beside'), { landed: 'beside' })
  assert.deepEqual(await ask('/api/within'), { landed: 'api' })
  assert.equal(tokenOf(page.at('/api/landed').at(-1)), 'good')
})

it('the second sending is protected like the first', { ...HEADER, apis: [far.origin] }, async (ask, tab) => {
  await tab.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
  assert.equal((await ask(`${far.origin}/api/strict/out`)).code, 'redirected')
  assert.equal(page.at('/auth/refresh').length, 1)
  assert.equal(other.at('/landed').length, 0)
})

it("the caller's own redirect mode applies", { ...HEADER, apis: [far.origin] }, async (ask) => {
  assert.equal((await ask(`${far.origin}/api/out`, { redirect: 'manual' })).status, 0)
  assert.equal((await ask(`${far.origin}/api/out`, { redirect: 'error' })).name, 'TypeError')
})

it('Authorization for a whole origin is left to the browser', {}, async (ask) => {
  assert.deepEqual(await ask('/api/out'), { landed: 'other' })
  assert.deepEqual(await ask('/api/within'), { landed: 'api' })
  assert.equal(page.at('/api/out').length, 1)
  assert.deepEqual(page.at('/api/landed').map(tokenOf), ['good'])
})

check('a refresh token in a body follows no redirect to another origin', async (t) => {
  const tab = await (await User.visits(t, browser, page.origin)).tab()
  for (const origin of [page.origin, far.origin]) {
    for (const stub of [page, far, other]) stub.reset()
    for (const stub of [page, far])
      stub.routes['/auth/moved'] = preflighted(() => ({
        status: 307,
        headers: { ...cors, location: `${other.origin}/landed` },
      }))
    const code = await tab.evaluate(async (url) => {
      const { createTokenManager } = await import('/home.js')
      const auth = createTokenManager({ refresh: { url, credentials: 'omit' }, refreshToken: { json: 'refresh' } })
      await auth.setTokens({ accessToken: 'old', refreshToken: 'secret' })
      return auth.refresh().catch(({ code }) => code)
    }, `${origin}/auth/moved`)
    // The page's own origin is not left; a redirect from another origin is not followed at all.
    assert.equal(code, origin === page.origin ? 'network' : 'bad-status')
    assert.equal(other.at('/landed').length, 0)
  }
})
