// The wrapper behaves like the platform's fetch: what it sends the second time, what it leaves alone, and how it releases calls (rules 1,
// 2, 6 and 7).

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { startBrowser, User } from './support/browser.mjs'
import { home } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { startServer } from './support/server.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

const server = await startServer()
const stub = await startStub({
  '/auth/refresh': () => granted('new'),
  '/api/x': ({ headers }) => (headers.authorization === 'Bearer new' ? json({ ok: true }) : refused()),
})
const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' }
const foreign = await startStub({
  '/api/x': ({ method }) => (method === 'OPTIONS' ? { headers: cors } : json({ ok: false }, { status: 401, ...cors })),
})
const browser = await startBrowser()

function it(name, body, profile) {
  check(name, async (t) => {
    await server.reset()
    stub.reset()
    foreign.reset()
    await body(await User.visits(t, browser, server.origin, profile))
  })
}

/** A user of the stub, signed in with a token that the API refuses. */
function itResends(name, body, options) {
  check(name, async (t) => {
    stub.reset()
    foreign.reset()
    const user = await User.visits(t, browser, stub.origin)
    const page = await user.tab(options)
    await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
    await body(page)
  })
}

function needsBareFetch() {
  if (home === 'service-worker') throw new Lack('a fetch of the page itself without the token')
}

/** A sending, without what must differ. Workers send no client hints. */
const sent = ({ method, sha256, headers: { authorization, connection, ...headers } }) => {
  if (home) for (const name of Object.keys(headers)) if (name.startsWith('sec-ch-ua')) delete headers[name]
  return { method, sha256, headers }
}

// Each makes the arguments of a call, and changes them afterwards if possible.
const BODIES = {
  'a string': () => ['/api/x', { method: 'POST', body: 'größer' }],
  'no body': () => ['/api/x', { method: 'DELETE' }],
  'a query': () => {
    const body = new URLSearchParams({ a: '1 & 2' })
    return ['/api/x', { method: 'POST', body }, () => body.append('b', 'late')]
  },
  bytes: () => {
    const body = new Uint8Array([1, 2, 3]).buffer
    return ['/api/x', { method: 'PUT', body }, () => new Uint8Array(body).fill(9)]
  },
  'a part of a buffer': () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5])
    return ['/api/x', { method: 'PUT', body: buffer.subarray(1, 4) }, () => buffer.fill(9)]
  },
  'a blob': () => ['/api/x', { method: 'POST', body: new Blob(['a\0b'], { type: 'text/x-own' }) }],
  'a form with a file': () => {
    const body = new FormData()
    body.append('name', 'ä')
    body.append('file', new File(['\r\n--\0'], 'fïle.bin', { type: 'application/x-own' }))
    return ['/api/x', { method: 'POST', body }, () => body.append('late', 'x')]
  },
  'a Request': () => [
    new Request('/api/x', { method: 'PATCH', body: '{}', headers: { 'Content-Type': 'application/json' } }),
  ],
  headers: () => {
    const headers = new Headers([
      ['X-One', '1'],
      ['X-One', '2'],
    ])
    return ['/api/x', { headers }, () => headers.set('X-One', 'late')]
  },
  'an init': () => {
    const init = { method: 'POST', body: 'a', headers: { 'X-One': '1' }, cache: 'no-store', referrer: '/from' }
    return ['/api/x', init, () => Object.assign(init, { method: 'PUT', body: 'late', headers: {} })]
  },
}

for (const [name, make] of Object.entries(BODIES)) {
  itResends(`${name}: sent twice as the platform sends it once`, async (page) => {
    needsBareFetch()
    const status = await page.evaluate(async (make) => {
      const calls = [globalThis.fetch, auth.fetch].map((fetch) => {
        const [input, init, change] = Function(`return (${make})()`)()
        const answer = fetch(input, init)
        change?.()
        return answer
      })
      return (await Promise.all(calls))[1].status
    }, String(make))
    assert.equal(status, 200)
    const arrived = stub.at('/api/x')
    const [platform] = arrived.filter(({ headers }) => !headers.authorization)
    const ours = arrived.filter(({ headers }) => headers.authorization)
    assert.deepEqual(
      ours.map(({ headers }) => headers.authorization),
      ['Bearer old', 'Bearer new'],
    )
    assert.deepEqual(ours.map(sent), [sent(platform), sent(platform)])
  })
}

it('a file of five megabytes arrives complete on the second try', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  const { body } = await page.evaluate(() => {
    const bytes = Uint8Array.from({ length: 5_000_000 }, (_, n) => n * n)
    return call('/api/echo', { method: 'POST', body: new File([bytes], 'big') })
  })
  const expected = createHash('sha256')
    .update(Uint8Array.from({ length: 5_000_000 }, (_, n) => n * n))
    .digest('hex')
  assert.deepEqual([body.bytes, body.sha256], [5_000_000, expected])
})

it("the answer is the platform's own, and streams", async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  const seen = await page.evaluate(async () => {
    const response = await auth.fetch('/api/me?q#fragment')
    const { value } = await response.body.getReader().read()
    return [
      response instanceof Response,
      response.url,
      response.type,
      response.headers.get('content-type'),
      value.length > 0,
    ]
  })
  assert.deepEqual(seen, [true, `${server.origin}/api/me?q`, 'basic', 'application/json', true])
})

it('the signal settles its caller at once with its own reason, and the others continue', async (user) => {
  const page = await user.signedIn()
  await server.revoke()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => {
    globalThis.controller = new AbortController()
    globalThis.aborted = auth.fetch('/api/items/1', { signal: controller.signal })
    globalThis.others = Promise.all([
      call('/api/items/2'),
      call('/api/items/3', { signal: new AbortController().signal }),
    ])
  })
  await server.held('refresh')
  const isOwn = await page.evaluate(async () => {
    const reason = { my: 'reason' }
    controller.abort(reason)
    return (await aborted.catch((error) => error)) === reason
  })
  assert.ok(isOwn, 'while the refresh is on the wire still')
  await server.release('refresh')
  assert.deepEqual(
    (await page.evaluate(() => others)).map(({ status }) => status),
    [200, 200],
  )
  assert.equal(await server.refreshes(), 1)
})

it('a signal ends the wait for the first token, too', async (user) => {
  const page = await user.tab()
  await server.faults({ refresh: 'hold' })
  await page.evaluate(() => {
    globalThis.controller = new AbortController()
    globalThis.aborted = call('/api/me', { signal: controller.signal })
  })
  await server.held('refresh')
  assert.match((await page.evaluate(() => (controller.abort(), aborted))).thrown, /^AbortError/)
  await server.release('refresh')
  assert.deepEqual(await server.lines('/api'), [])
})

it('an aborted signal is refused as the platform refuses it, and nothing is sent', async (user) => {
  const page = await user.signedIn()
  const [ours, platform] = await page.evaluate(() => {
    const signal = AbortSignal.abort()
    return Promise.all([outcome(auth.fetch('/api/me', { signal })), outcome(fetch('/api/me', { signal }))])
  })
  assert.deepEqual(ours, platform)
  assert.deepEqual(await server.lines('/api'), [])
})

it("a network error is the platform's own", async (user) => {
  const page = await user.signedIn()
  await server.faults({ api: 'reset' })
  const [ours, platform] = await page.evaluate(() =>
    Promise.all([outcome(auth.fetch('/api/me')), outcome(fetch('/api/me'))]),
  )
  assert.deepEqual(ours, platform)
  assert.equal(await server.refreshes(), 0)
})

it('a request with its own Authorization is left alone', async (user) => {
  const page = await user.signedIn()
  const own = await page.evaluate(() => digest('own'))
  const answers = await page.evaluate(() =>
    Promise.all([
      call('/api/me', { headers: { authorization: 'Bearer own' } }),
      call('/api/me', { headers: new Headers({ Authorization: 'Bearer own' }) }),
      call(new Request('/api/me', { headers: { Authorization: 'Bearer own' } })),
    ]),
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 401],
  )
  assert.deepEqual(
    (await server.log('/api')).map(({ token }) => token),
    [own, own, own],
  )
  assert.equal(await server.refreshes(), 0)
})

it('a no-cors request is left alone', async (user) => {
  needsBareFetch()
  const page = await user.signedIn()
  await page.evaluate(() => auth.fetch('/api/me', { mode: 'no-cors' }).then(() => {}))
  assert.deepEqual(
    (await server.log('/api')).map(({ token }) => token),
    [null],
  )
  assert.equal(await server.refreshes(), 0)
})

itResends('another origin gets no token, and its 401 costs no refresh', async (page) => {
  const { status } = await page.evaluate((url) => call(url), `${foreign.origin}/api/x`)
  assert.equal(status, 401)
  assert.deepEqual(
    foreign.at('/api/x').map(({ method, headers }) => [method, headers.authorization]),
    [['GET', undefined]],
  )
  await page.evaluate((url) => call(url), stub.origin.replace('127.0.0.1', 'localhost') + '/api/x')
  assert.deepEqual(
    stub.at('/api/x').map(({ headers }) => headers.authorization),
    [undefined],
    'the same server by another name',
  )
  assert.equal(stub.at('/auth/refresh').length, 0)
})

itResends("apis is the complete list: it can name another origin and leave out the page's own", async (page) => {
  await page.evaluate((apis) => start({ apis, tabs: 'off' }), [`${foreign.origin}/api`])
  await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
  assert.equal((await page.evaluate(() => call('/api/x'))).status, 401)
  assert.deepEqual(
    stub.at('/api/x').map(({ headers }) => headers.authorization),
    [undefined],
  )
  await page.evaluate((url) => call(url), `${foreign.origin}/api/x`)
  const tokens = foreign
    .at('/api/x')
    .filter(({ method }) => method === 'GET')
    .map(({ headers }) => headers.authorization)
  assert.deepEqual(tokens, ['Bearer old', 'Bearer new'])
})

itResends(
  'apis covers paths on segment borders, as the platform parses them',
  async (page) => {
    stub.routes['/api/'] = () => json({})
    for (const [path, covered] of [
      ['/api/items/1', true],
      ['/api/items', true],
      ['/api/items?q=1', true],
      ['/api/x/../items/2', true],
      ['/api/%2e%2e/api/items/3', true],
      ['/api/itemsx', false],
      ['/api/me', false],
      ['/api/items/../me', false],
      ['/api/items%2f1', false],
      ['/api/Items/1', false],
    ]) {
      await page.evaluate((path) => call(path), path)
      assert.equal(stub.seen().at(-1).headers.authorization, covered ? 'Bearer old' : undefined, String(path))
    }
  },
  { apis: ['/api/items'] },
)

it('a token does not follow a redirect to another origin', async (user) => {
  stub.routes['/away'] = () => ({ status: 302, headers: { location: `${foreign.origin}/api/x` } })
  const page = await user.signedIn()
  await page.goto(`${stub.origin}/`)
  await page.evaluate(() => start())
  await page.evaluate(() => auth.setTokens({ accessToken: 'old', expiresIn: 300 }))
  await page.evaluate(() => call('/away'))
  assert.equal(stub.at('/away')[0].headers.authorization, 'Bearer old')
  assert.ok(foreign.at('/api/x').length > 0)
  assert.ok(foreign.at('/api/x').every(({ headers }) => headers.authorization === undefined))
})

it('login, refresh and logout carry no token', async (user) => {
  const page = await user.signedIn()
  await page.evaluate(() => auth.refresh())
  await page.evaluate(() => auth.login('/auth/login', credentials('admin')))
  await page.evaluate(() => auth.logout('/auth/logout'))
  const log = await server.log('/auth')
  assert.deepEqual(
    log.map(({ path, token }) => [path, token]),
    ['login', 'refresh', 'login', 'logout'].map((name) => [`/auth/${name}`, null]),
  )
})
