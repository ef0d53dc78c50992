// The answers of servers, proxies and gateways, and their meaning: "refused", "not reached", or "the caller's" (rules 4, 5 and 8).

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { check } from './support/lack.mjs'
import { cut, granted, json, refused, startStub } from './support/stub.mjs'

const stub = await startStub()
const browser = await startBrowser()

// The API accepts only the token `new`; the user signs in with `old`.
const api = ({ headers }) => (headers.authorization === 'Bearer new' ? json({ ok: true }) : refused())
const html = (status) => ({ status, type: 'text/html', body: '<!doctype html><p>Please log in to the network.' })

/** A test with a tab that is signed in with `old`; `routes` define the server's answers. */
function it(name, routes, options, body) {
  check(name, async (t) => {
    stub.reset()
    Object.assign(stub.routes, {
      '/sign-in': () => html(200),
      '/api/x': api,
      '/auth/refresh': () => granted('new'),
      ...routes,
    })
    const user = await User.visits(t, browser, stub.origin)
    const page = await user.tab(options)
    await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
    await body(page)
  })
}

const REJECTED = {
  '400 with invalid_grant': json({ error: 'invalid_grant' }, { status: 400 }),
  '400 without a body': { status: 400 },
  '401 with JSON': json({ message: 'no' }, { status: 401 }),
  '401 without a body': { status: 401 },
  '403 with JSON': json({}, { status: 403 }),
  '422 with invalid_grant': json({ error: 'invalid_grant' }, { status: 422 }),
  '200 with null': json(null),
  '200 with an empty object': json({}),
  '200 with null for a token': json({ access_token: null, user: null }),
}

const UNREACHED = {
  '404 with JSON': [json({ error: 'not_found' }, { status: 404 }), 'bad-status', 404],
  408: [{ status: 408 }, 'bad-status', 408],
  425: [{ status: 425 }, 'bad-status', 425],
  '429 with JSON': [json({ error: 'slow_down' }, { status: 429 }), 'bad-status', 429],
  500: [{ status: 500 }, 'bad-status', 500],
  '503 with HTML': [html(503), 'bad-status', 503],
  '400 with HTML': [html(400), 'bad-status', 400],
  '401 with HTML': [html(401), 'bad-status', 401],
  '403 with HTML': [html(403), 'bad-status', 403],
  '200 with HTML': [html(200), 'bad-answer', 200],
  '200 with half a JSON object': [{ ...json({}), body: '{"access_token":' }, 'bad-answer', 200],
  '200 without a body': [{ status: 200 }, 'bad-answer', 200],
  204: [{ status: 204 }, 'bad-answer', 204],
  '200 without a token': [json({ ok: true }), 'bad-answer', 200],
  '200 with an error and null for a token': [json({ access_token: null, error: 'busy' }), 'bad-answer', 200],
  '200 with more JSON than anybody needs': [
    json({ access_token: 'new', more: 'x'.repeat(2 ** 21) }),
    'bad-answer',
    200,
  ],
  '400 with use_dpop_nonce': [json({ error: 'use_dpop_nonce' }, { status: 400 }), 'bad-status', 400],
  'a redirect to a page': [{ status: 302, headers: { location: '/sign-in' } }, 'bad-answer', 200],
  '200 with an empty token': [json({ access_token: '' }), 'bad-answer', 200],
  '200 with a line break in the token': [json({ access_token: 'a\r\nb' }), 'bad-answer', 200],
  'a cut connection': [cut, 'network'],
}

for (const [name, answer] of Object.entries(REJECTED)) {
  it(`a refresh answered by ${name} ends the session`, { '/auth/refresh': () => answer }, {}, async (page) => {
    assert.deepEqual(await page.evaluate(() => call('/api/x')), { status: 401, body: { error: "the API's own" } })
    assert.equal(await page.evaluate(() => auth.state.status), 'signed-out')
    assert.deepEqual(await page.evaluate(() => told()), ['signout rejected'])
  })
}

for (const [name, [answer, code, status]] of Object.entries(UNREACHED)) {
  it(
    `a refresh answered by ${name} is "${code}", and the session stays`,
    { '/auth/refresh': () => answer },
    {},
    async (page) => {
      const expected = { error: { code, retryable: true, ...(status && { status }) } }
      assert.deepEqual(await page.evaluate(() => call('/api/x')), expected)
      assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
      assert.deepEqual(await page.evaluate(() => told()), [`refresherror ${code}`])
    },
  )
}

it(
  'a token that the API never accepts is tried twice, and the second 401 goes to the caller',
  { '/api/x': () => refused() },
  {},
  async (page) => {
    assert.deepEqual(await page.evaluate(() => call('/api/x')), { status: 401, body: { error: "the API's own" } })
    assert.deepEqual(
      stub.at('/api/x').map(({ headers }) => headers.authorization),
      ['Bearer old', 'Bearer new'],
    )
    assert.equal(stub.at('/auth/refresh').length, 1)
  },
)

for (const error of ['insufficient_scope', 'insufficient_user_authentication', 'use_dpop_nonce']) {
  const routes = { '/api/x': () => refused(`Bearer realm="x", error="${error}", acr_values="2"`) }
  it(`a 401 with ${error} causes no refresh`, routes, {}, async (page) => {
    assert.equal((await page.evaluate(() => call('/api/x'))).status, 401)
    assert.equal(stub.at('/api/x').length, 1)
    assert.equal(stub.at('/auth/refresh').length, 0)
  })
}

const coded = {
  '/api/x': ({ headers }) => json({ code: headers.authorization === 'Bearer new' ? 0 : 40101, data: 'body' }),
}

it(
  'an API that answers 200 with its own error code is understood',
  coded,
  { unauthorized: { body: { path: 'code', equals: [40101] } } },
  async (page) => {
    assert.deepEqual(await page.evaluate(() => call('/api/x')), { status: 200, body: { code: 0, data: 'body' } })
    assert.equal(stub.at('/auth/refresh').length, 1)
  },
)

it('a body causes no refresh unless the options say so', coded, {}, async (page) => {
  assert.deepEqual(await page.evaluate(() => call('/api/x')), { status: 200, body: { code: 40101, data: 'body' } })
  assert.equal(stub.at('/auth/refresh').length, 0)
})

const x = { '/api/x': ({ headers }) => (headers['x-token'] === 'new' ? json({}) : json({}, { status: 419 })) }

it(
  'the app chooses header, scheme and status',
  x,
  { attach: { header: 'X-Token', scheme: '' }, unauthorized: { status: [419] } },
  async (page) => {
    assert.equal((await page.evaluate(() => call('/api/x'))).status, 200)
    assert.deepEqual(
      stub.at('/api/x').map(({ headers }) => [headers['x-token'], headers.authorization]),
      [
        ['old', undefined],
        ['new', undefined],
      ],
    )
  },
)

const answer = { '/auth/refresh': () => json({ data: { jwt: 'new' } }) }

it('the token may be nested deeper in the answer', answer, { response: { accessToken: 'data.jwt' } }, async (page) => {
  assert.equal((await page.evaluate(() => call('/api/x'))).status, 200)
})

const inBody = { refreshToken: { json: 'refresh_token' }, tabs: 'off' }
const rotating = { '/auth/refresh': ({ nth }) => json({ access_token: 'new', refresh_token: `r${nth + 1}` }) }

it('a refresh token in the body is sent, and replaced by each answer', rotating, inBody, async (page) => {
  await page.evaluate(() => auth.setTokens({ accessToken: 'old', refreshToken: 'r1' }))
  assert.equal((await page.evaluate(() => call('/api/x'))).status, 200)
  await page.evaluate(() => auth.refresh())
  assert.deepEqual(
    stub.at('/auth/refresh').map(({ body }) => body),
    ['{"refresh_token":"r1"}', '{"refresh_token":"r2"}'],
  )
})

it("a refresh to the page's own origin proves that no foreign page made it", {}, {}, async (page) => {
  await page.evaluate(() => auth.refresh())
  const [{ method, headers }] = stub.at('/auth/refresh')
  assert.deepEqual([method, headers['x-requested-with'], headers.authorization], ['POST', 'tokenkeep', undefined])
})

it(
  'a readable cookie is sent back with its value at the moment of the call',
  {},
  { csrf: { cookie: 'xsrf', header: 'X-XSRF' } },
  async (page) => {
    await page.evaluate(async () => {
      document.cookie = 'xsrf=one'
      await auth.refresh()
      document.cookie = 'xsrf=two'
      await auth.refresh()
    })
    assert.deepEqual(
      stub.at('/auth/refresh').map(({ headers }) => headers['x-xsrf']),
      ['one', 'two'],
    )
  },
)
