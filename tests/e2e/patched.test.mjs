// Patched fetches in a real page: on top of ours, beneath it, or leading back to it; and other things in a page into which somebody could
// inject markup.

import assert from 'node:assert/strict'
import { startBrowser, User } from './support/browser.mjs'
import { check } from './support/lack.mjs'
import { granted, json, refused, startStub } from './support/stub.mjs'

let good = 'one'
const page = await startStub({
  '/auth/refresh': () => granted(good),
  '/auth/login': () => granted(good),
  '/api/x': ({ headers }) =>
    headers.authorization === `Bearer ${good}` ? json({ id: headers['x-id'] ?? null }) : refused(),
  '/public': ({ headers }) => json({ authorization: headers.authorization ?? null }),
})
const evil = await startStub({ '/auth/login': () => json({}), '/auth/refresh': () => json({}) })
const browser = await startBrowser()

function it(name, body) {
  check(name, async (t) => {
    good = 'one'
    page.reset()
    evil.reset()
    const tab = await (await User.visits(t, browser, page.origin)).tab()
    await tab.evaluate(() => signIn('alice'))
    await body(tab)
  })
}

// Each runs in the page.
const PATCHES = {
  'auth.fetch': () => (window.fetch = auth.fetch),
  'a wrapper of auth.fetch': () => (window.fetch = (...args) => auth.fetch(...args)),
  'a bound auth.fetch': () => (window.fetch = auth.fetch.bind(window)),
  'a late wrapper of auth.fetch': () =>
    (window.fetch = async (input, init) => {
      await null
      return auth.fetch(input, { ...init, headers: { ...init?.headers, 'x-id': '7' } })
    }),
  'a late wrapper of auth.fetch that makes a Request': () =>
    (window.fetch = async (input, init) => (await null, auth.fetch(new Request(input, init)))),
  'a wrapper on top of auth.fetch': () => {
    const { fetch } = auth
    window.fetch = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, 'x-id': '7' } })
  },
  'a wrapper that spreads the headers': () => {
    const { fetch } = window
    window.fetch = (input, init = {}) => fetch(input, { ...init, headers: { ...init.headers, 'x-id': '7' } })
  },
  'a wrapper that makes a Request': () => {
    const { fetch } = window
    window.fetch = async (input, init) => fetch(new Request(input, init))
  },
}

for (const [name, patch] of Object.entries(PATCHES)) {
  it(`${name} as the page's fetch: each call arrives once per sending, with its token`, async (tab) => {
    await tab.evaluate(`(${patch})()`)
    for (const how of ['auth.fetch', 'window.fetch']) {
      for (const token of ['one', 'two']) {
        // The second call is refused first, and sent again.
        const before = page.at('/api/x').length
        const isNew = good !== token
        good = token
        const answer = await tab.evaluate(async (how) => {
          const send = how === 'auth.fetch' ? auth.fetch : window.fetch
          return (await send('/api/x', { headers: { 'x-own': '1' } })).status
        }, how)
        // In these patches window.fetch lies beneath ours, and carries no token.
        if (how === 'window.fetch' && /^a wrapper that/.test(name)) continue
        assert.equal(answer, 200)
        assert.equal(page.at('/api/x').length - before, isNew ? 2 : 1)
      }
    }
    const before = page.at('/public').length
    await tab.evaluate(() =>
      Promise.all([window.fetch('/public'), auth.fetch('/public'), auth.fetch(new Request('/public'))]),
    )
    assert.equal(page.at('/public').length - before, 3)
  })
}

it('two copies of the package and two managers work beneath each other', async (tab) => {
  const statuses = await tab.evaluate(async () => {
    const { createTokenManager } = await import('/tokenkeep/index.js?copy')
    const two = createTokenManager({ refresh: '/auth/refresh' })
    await two.setTokens({ accessToken: 'one', expiresIn: 300 })
    const seen = []
    const both = async () => {
      for (const send of [auth.fetch, two.fetch, window.fetch]) seen.push((await send('/api/x')).status)
    }
    window.fetch = auth.fetch
    await both()
    window.fetch = two.fetch
    await both()
    window.fetch = (...args) => auth.fetch(...args)
    await both()
    return seen
  })
  assert.deepEqual(statuses, Array(9).fill(200))
})

it('a fetch that breaks at any sending costs that call only', async (tab) => {
  const seen = await tab.evaluate(async () => {
    const { fetch } = window
    const odd = [
      () => {
        throw new RangeError('mine')
      },
      () => undefined,
      async () => undefined,
      async () => 5,
      () => Promise.reject('why'),
      async () => ({ status: 401 }),
    ]
    const seen = []
    for (const broken of odd) {
      for (const at of [1, 2]) {
        let calls = 0
        // An endpoint that has accepted a token since does not mean "forbidden".
        window.fetch = fetch
        await auth.fetch('/api/x')
        window.fetch = (...args) =>
          `${args[0]?.url ?? args[0]}`.includes('/auth/')
            ? fetch(...args)
            : ++calls === at
              ? broken()
              : at === 2
                ? new Response(null, { status: 401 })
                : fetch(...args)
        seen.push(
          await auth.fetch('/api/x').then(
            ({ status }) => status,
            (error) => error.code ?? error.message ?? error,
          ),
        )
      }
    }
    window.fetch = fetch
    return [seen, (await auth.fetch('/api/x')).status]
  })
  assert.deepEqual(seen, [
    [
      'mine',
      'mine',
      'bad-fetch',
      'bad-fetch',
      'bad-fetch',
      'bad-fetch',
      'bad-fetch',
      'bad-fetch',
      'why',
      'why',
      200,
      401,
    ],
    200,
  ])
})

it('injected markup moves no call of the manager to another origin', async (tab) => {
  const { option, login } = await tab.evaluate(async (evil) => {
    const { createTokenManager } = await import('/tokenkeep/index.js')
    document.head.insertAdjacentHTML('beforeend', `<base href="${evil}/">`)
    document.body.insertAdjacentHTML(
      'beforeend',
      `<img name="baseURI" alt=""><a id="location"></a><form name="cookie"></form>`,
    )
    const two = createTokenManager({ refresh: '/auth/refresh', apis: ['/api'] })
    const login = await two.login('/auth/login', { body: 'x' }).then(() => 'signed in', String)
    const option = await two.refresh().then(() => 'refreshed', String)
    return { option, login }
  }, evil.origin)
  assert.deepEqual({ option, login }, { option: 'refreshed', login: 'signed in' })
  assert.equal(evil.at('/auth/login').length + evil.at('/auth/refresh').length, 0)
})
