// Option rules for answers, and how much of an answer is read for them (rules 5, 8 and 10); and calls that get an answer no server could
// give.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { check, Lack } from './support/lack.mjs'
import { engine } from './support/engine.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

const stub = await startStub()
const elsewhere = await startStub()
const browser = await startBrowser()

const PAGE = { type: 'text/html', body: '<!doctype html><p>Sign in' }

/** A test with a tab that is signed in with `old`; `routes` define the server's answers. */
function it(name, routes, options, body) {
  check(name, async (t) => {
    stub.reset()
    elsewhere.reset()
    for (const path of Object.keys(stub.routes)) delete stub.routes[path]
    Object.assign(stub.routes, { '/sign-in': () => PAGE, '/auth/refresh': () => granted('new'), ...routes })
    const user = await User.visits(t, browser, stub.origin)
    const page = await user.tab(options)
    await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
    await body(page)
  })
}

/** An API that refuses the token `old` with this answer. */
const refusing = (answer) => ({
  '/api/x': ({ headers }) => (headers.authorization === 'Bearer old' ? answer : json({ data: 'body' })),
})
const ERRORS = { data: null, errors: [{ code: 'OTHER' }, { extensions: { code: 'UNAUTHENTICATED' } }] }
const inErrors = (path) => ({ body: { path, equals: 'UNAUTHENTICATED' } })

const UNDERSTOOD = {
  'a header': [json({}, { 'grpc-status': '16' }), { header: { name: 'grpc-status', equals: 16 } }],
  'any member of a list': [json(ERRORS), inErrors('errors.*.extensions.code')],
  'any member of a batch': [json([{ result: 1 }, ERRORS]), inErrors('*.errors.*.extensions.code')],
  'a missing field': [
    json({ data: 1 }),
    { status: 200, body: { path: 'user', absent: true }, header: { name: 'x-who' } },
    { 'x-who': 'nobody' },
  ],
  'JSON sent as text': [{ body: ' {"code": 40101}' }, { body: { path: 'code', equals: 40101 } }],
  'JSON without a media type': [{ type: '', body: '{"code": 40101}' }, { body: { path: 'code', equals: 40101 } }],
  'JSON sent as HTML': [{ type: 'text/html', body: '{"code": 40101}' }, { body: { path: 'code', equals: 40101 } }],
}

for (const [name, [answer, rule, headers]] of Object.entries(UNDERSTOOD)) {
  const routes = refusing({ ...answer, headers: { ...answer.headers, ...headers } })
  it(`an expiry is recognised by ${name}`, routes, { unauthorized: rule }, async (page) => {
    assert.deepEqual(await page.evaluate(() => call('/api/x')), { status: 200, body: { data: 'body' } })
    assert.equal(stub.at('/auth/refresh').length, 1)
  })
}

const LEFT_ALONE = {
  'a text that contains the same words': { body: 'the code: {"code": 40101}' },
  'a file that contains the same words': { type: 'application/octet-stream', body: '{"code":40101}' },
  'half a JSON object': { type: 'application/json', body: '{"code": 40101,' },
  'a code beyond the part that is read': json({ more: 'x'.repeat(2 ** 19), code: 40101 }),
}

for (const [name, answer] of Object.entries(LEFT_ALONE)) {
  it(
    `${name} goes to the caller, complete`,
    refusing(answer),
    { unauthorized: { body: { path: 'code', equals: 40101 } } },
    async (page) => {
      const { status, body } = await page.evaluate(() => call('/api/x'))
      assert.deepEqual([status, typeof body === 'string' ? body : JSON.stringify(body)], [200, answer.body])
      assert.equal(stub.at('/auth/refresh').length, 0)
    },
  )
}

for (const [name, body] of Object.entries({ 'by lines': '{"n":1}\n', 'that never comes to its end': '[{"n":1},' })) {
  const routes = { '/api/x': () => ({ type: 'application/json', body, goesOn: true }) }
  it(
    `a stream of JSON ${name} reaches its reader while it continues`,
    routes,
    { unauthorized: { body: { path: 'code', equals: 40101 } } },
    async (page) => {
      const first = await page.evaluate(async () => {
        const reader = (await auth.fetch('/api/x')).body.getReader()
        const { value } = await reader.read()
        reader.cancel()
        return new TextDecoder().decode(value)
      })
      assert.equal(first, body)
    },
  )
}

for (const rule of ['unauthorized', 'ended', 'rejected']) {
  const routes = { ...refusing(refused()), '/auth/refresh': () => ({ status: 302, headers: { location: '/sign-in' } }) }
  it(
    `a refresh redirected to a sign-in page ends the session if \`${rule}\` says so`,
    routes,
    { [rule]: [{ status: 401 }, { redirected: true }].slice(rule === 'ended' ? 1 : 0) },
    async (page) => {
      assert.equal((await page.evaluate(() => call('/api/x'))).status, 401)
      assert.deepEqual(await page.evaluate(() => told()), ['signout rejected'])
    },
  )
}

const secondFactor = { '/auth/login': () => json({ mfa_required: true, challenge: '17' }) }

it('a login without a token rejects with the answer, and ends nothing', secondFactor, {}, async (page) => {
  const told = await page.evaluate(() =>
    auth.login('/auth/login').catch(async (error) => [{ ...error }, await error.cause.json(), auth.state.status]),
  )
  assert.deepEqual(told, [
    { code: 'no-token', retryable: false, status: 200 },
    { mfa_required: true, challenge: '17' },
    'signed-in',
  ])
})

it(
  'an incomplete login resolves to the JSON, and changes nothing',
  secondFactor,
  { login: { incomplete: { body: { path: 'mfa_required', equals: true } } } },
  async (page) => {
    const before = await page.evaluate(() => (globalThis.before = auth.state).status)
    assert.deepEqual(await page.evaluate(() => outcome(auth.login('/auth/login'))), {
      value: { mfa_required: true, challenge: '17' },
    })
    assert.deepEqual(
      [before, await page.evaluate(() => auth.state === before), await page.evaluate(() => told())],
      ['signed-in', true, []],
    )
  },
)

it('a double-submit cookie is sent back decoded', {}, { csrf: { cookie: 'xsrf', header: 'X-XSRF' } }, async (page) => {
  await page.evaluate(async () => {
    for (const value of ['eyJpdiI6IjE3In0%3D', '100%', 'a=b', '%0d%0aX-Evil: 1']) {
      document.cookie = `xsrf=${value}`
      await auth.refresh()
    }
  })
  assert.deepEqual(
    stub.at('/auth/refresh').map(({ headers }) => headers['x-xsrf']),
    ['eyJpdiI6IjE3In0=', '100%', 'a=b', undefined],
  )
})

it(
  'an element named like a property that is read has no effect',
  {},
  { csrf: { cookie: 'xsrf', header: 'X-XSRF' } },
  async (page) => {
    await page.evaluate(async () => {
      document.cookie = 'xsrf=one'
      document.body.insertAdjacentHTML('beforeend', '<img name=cookie>')
      await auth.refresh()
    })
    assert.deepEqual(
      stub.at('/auth/refresh').map(({ headers }) => headers['x-xsrf']),
      ['one'],
    )
  },
)

const FOREIGN = {
  nothing: '() => undefined',
  'a plain object': '() => Promise.resolve({ status: 401, json: () => ({}) })',
  'a text': '() => Promise.resolve("401")',
  'Response.error()': '() => Promise.resolve(Response.error())',
  'an opaque answer':
    '(input) => real(input.url, { mode: "no-cors" }).then((answer) => Object.defineProperty(answer, "status", { value: 0 }))',
  'an answer that has been read':
    '(input, init) => real(input, init).then(async (answer) => (await answer.text(), answer))',
  'a throw': '() => { throw new Error("patched") }',
  'an answer whose members throw':
    '() => Promise.resolve({ status: 401, get headers() { throw new Error("patched") } })',
}

for (const [name, fetch] of Object.entries(FOREIGN)) {
  it(`a patched fetch that returns ${name} makes the refresh an outage`, {}, {}, async (page) => {
    const { error } = await page.evaluate(async (source) => {
      const real = globalThis.fetch
      globalThis.fetch = new Function('real', `return ${source}`)(real.bind(globalThis))
      const failed = await outcome(auth.refresh())
      globalThis.fetch = real
      return failed
    }, fetch)
    assert.ok(['network', 'bad-answer'].includes(error?.code) && error.retryable, JSON.stringify(error))
    assert.equal(await page.evaluate(() => auth.state.status), 'signed-in')
    assert.equal((await page.evaluate(() => outcome(auth.refresh()))).error, undefined)
  })
}

it(
  'a refresh function that returns garbage is an outage, and one that returns null a refusal',
  {},
  {},
  async (page) => {
    for (const rubbish of [
      'undefined',
      '7',
      '"token"',
      '[]',
      '{}',
      '{ accessToken: 7 }',
      'Object.create({ accessToken: "inherited" })',
      'fetch("/sign-in")',
    ]) {
      const [failed, status] = await page.evaluate(async (source) => {
        await start({ refresh: new Function(`return (${source})`), tabs: 'off' })
        await auth.setTokens({ accessToken: 'old', expiresIn: 300 })
        return [await outcome(auth.refresh()), auth.state.status]
      }, rubbish)
      assert.deepEqual([failed, status], [{ error: { code: 'bad-answer', retryable: true } }, 'signed-in'], rubbish)
    }
    const refused = await page.evaluate(async () => {
      await start({ refresh: () => null, tabs: 'off' })
      return outcome(auth.refresh())
    })
    assert.equal(refused.error.code, 'rejected')
  },
)

it(
  'no refresh is answered from the cache',
  { '/auth/session': ({ nth }) => ({ ...granted(`t${nth}`), headers: { 'cache-control': 'max-age=600' } }) },
  {},
  async (page) => {
    await page.evaluate(async () => {
      await start({ refresh: { url: '/auth/session', method: 'GET' } })
      await auth.refresh()
      await auth.refresh()
    })
    assert.equal(stub.at('/auth/session').length, 2)
  },
)

it(
  "a refresh is sent even if the browser's keepalive quota is used up",
  {},
  { refresh: { url: '/auth/refresh', body: { more: 'x'.repeat(9000) } } },
  async (page) => {
    let release
    const held = new Promise((resolve) => (release = resolve))
    stub.routes['/beacon'] = () => held.then(() => json({}))
    const isFull = await page.evaluate(async () => {
      const beacon = () => fetch('/beacon', { method: 'POST', body: 'x'.repeat(60 * 1024), keepalive: true })
      globalThis.first = beacon()
      return Promise.race([
        beacon().then(
          () => false,
          () => true,
        ),
        new Promise((resolve) => setTimeout(resolve, 1000, false)),
      ])
    })
    const done = isFull && (await page.evaluate(() => outcome(auth.refresh())))
    release()
    if (!isFull) throw new Lack('a budget of the calls that outlive their page')
    assert.equal(done.error, undefined, JSON.stringify(done))
    assert.equal(stub.at('/auth/refresh').length, 1)
  },
)

it('a refresh token in memory follows no redirect to another origin', {}, {}, async (page) => {
  const leads = (to) => () => ({
    status: 307,
    headers: {
      location: `${to}/caught`,
      'access-control-allow-origin': stub.origin,
      'access-control-allow-credentials': 'true',
    },
  })
  const open = {
    'access-control-allow-origin': stub.origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'content-type, x-refresh',
  }
  stub.routes['/auth/refresh'] = leads(elsewhere.origin)
  elsewhere.routes['/caught'] = () => json({ access_token: 'evil' }, open)
  elsewhere.routes['/auth/refresh'] = ({ method }) =>
    method === 'OPTIONS' ? json({}, open) : leads(elsewhere.origin)()
  for (const refreshToken of [{ json: 'refresh' }, { form: 'refresh' }, { header: 'X-Refresh' }]) {
    for (const refresh of ['/auth/refresh', `${elsewhere.origin}/auth/refresh`]) {
      const failed = await page.evaluate(
        async (options) => {
          await start({ ...options, tabs: 'off' })
          await auth.setTokens({ accessToken: 'old', expiresIn: 300, refreshToken: 'secret' })
          return outcome(auth.refresh())
        },
        { refresh, refreshToken },
      )
      assert.ok(['network', 'bad-status'].includes(failed.error?.code), JSON.stringify(failed))
    }
  }
  assert.deepEqual(elsewhere.at('/caught'), [])
})

it(
  'a refresh token that comes beside the cookie is not kept',
  { '/auth/login': () => json({ access_token: 'one', refresh_token: 'secret', user: 'alice' }) },
  { logout: { url: '/auth/logout', send: 'refresh' } },
  async (page) => {
    stub.routes['/auth/logout'] = () => ({ status: 204 })
    assert.deepEqual(await page.evaluate(() => outcome(auth.login('/auth/login'))), { value: { user: 'alice' } })
    await page.evaluate(() => auth.refresh())
    await page.evaluate(() => auth.logout())
    assert.ok(
      [...stub.at('/auth/refresh'), ...stub.at('/auth/logout')].every(
        (call) => !JSON.stringify(call).includes('secret'),
      ),
    )
  },
)

it('a polluted prototype sets no option', refusing(refused()), {}, async (page) => {
  if (engine === 'webkit') throw new Lack('a driver that bears a polluted prototype')
  const told = await page.evaluate(async (evil) => {
    const polluted = {
      exposeToken: true,
      apis: [evil],
      cookie: true,
      query: 'token',
      header: 'X-Evil',
      adopt: { header: 'x-evil' },
      logout: evil,
      accessToken: 'evil',
      url: evil,
    }
    Object.assign(Object.prototype, polluted)
    try {
      await start({ refresh: '/auth/refresh' })
      const failed = await outcome(auth.refresh())
      const token = await auth.getAccessToken().catch((error) => error.code)
      return [failed, token, (await auth.fetch('/api/x')).status]
    } finally {
      for (const name of Object.keys(polluted)) delete Object.prototype[name]
    }
  }, elsewhere.origin)
  assert.equal(told[0].error, undefined)
  assert.deepEqual(told.slice(1), ['not-exposed', 200])
  assert.equal(stub.at('/api/x').at(-1).headers.authorization, 'Bearer new')
  assert.equal(stub.at('/api/x').at(-1).headers['x-evil'], undefined)
})
