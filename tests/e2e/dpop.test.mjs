// Tokens that are bound to a key (RFC 9449), with a server that checks every proof.

import assert from 'node:assert/strict'
import { reload, startBrowser, User } from './support/browser.mjs'
import { engine } from './support/engine.mjs'
import { check, Lack } from './support/lack.mjs'
import { startProofs } from './support/proofs.mjs'

const server = await startProofs()
const browser = await startBrowser()
const stored = { dpop: true, logout: '/auth/logout' }

function it(name, body, more) {
  check(name, async (t) => {
    server.reset(more)
    await body(await User.visits(t, browser, server.origin))
  })
}

/** A call in the page: its status. */
const status = (page, path = '/api/x?secret=1#there', init) =>
  page.evaluate(([path, init]) => call(path, init).then(({ status, error }) => status ?? error.code), [path, init])
const statuses = (page, count) =>
  page.evaluate((count) => calls(count).then((all) => all.map(({ status, error }) => status ?? error.code)), count)
const error = (page, work) => page.evaluate(work).then(({ error }) => error?.code)
const refresh = (page) => page.evaluate(() => outcome(auth.refresh()))

it('login, refresh and every call have a proof of their own, by one key', async (user) => {
  const page = await user.signedIn(stored)
  assert.equal(await status(page), 200)
  assert.equal(await status(page, '/api/x', { method: 'put', body: 'what' }), 200)
  await refresh(page)
  assert.deepEqual(await statuses(page, 20), Array(20).fill(200))
  assert.deepEqual(server.wrong, [])
  const keys = new Set(['/auth/login', '/auth/refresh', '/api/x', '/api/items/3'].flatMap(server.keys))
  assert.equal(keys.size, 1)
})

it('a required nonce costs one more request, and no refresh', async (user) => {
  server.nonce = 'n1'
  const page = await user.signedIn(stored)
  assert.equal(server.count('/auth/login'), 2)
  assert.equal(await status(page), 200)
  assert.equal(server.count('/api/x'), 1, 'the answer to the login has said it')
  server.nonce = 'n2'
  assert.equal(await status(page, '/api/x', { method: 'POST', body: 'all of it' }), 200)
  assert.deepEqual(
    server
      .at('/api/x')
      .slice(1)
      .map(({ body }) => body),
    ['all of it', 'all of it'],
  )
  server.nonce = 'n3'
  await refresh(page)
  assert.equal(server.count('/auth/refresh'), 2)
  server.nonce = 'n4'
  assert.deepEqual(await statuses(page, 20), Array(20).fill(200))
  assert.equal(server.count('/auth/refresh'), 2)
  assert.deepEqual(new Set(server.wrong), new Set(['nonce']))
})

it(
  'a Request is sent again with its body as often as necessary',
  async (user) => {
    const page = await user.signedIn(stored)
    server.revoke()
    const answer = await page.evaluate(() =>
      outcome(auth.fetch(new Request('/api/body', { method: 'POST', body: 'all of it' }))),
    )
    assert.equal(answer.body.body, 'all of it')
    // Refused, asked for another nonce, then accepted.
    assert.deepEqual(
      server.at('/api/body').map(({ body }) => body),
      Array(3).fill('all of it'),
    )
    assert.equal(server.count('/auth/refresh'), 1)
  },
  {
    '/api/body': (arrived) => {
      if (arrived.nth === 2) server.nonce = 'n1'
      return server.api(arrived, () => server.json({ body: arrived.body }))
    },
  },
)

it('if the server asks for one nonce after another, the caller gets its response', async (user) => {
  const page = await user.signedIn(stored)
  let count = 0
  server.nonce = 'n0'
  const { api } = server
  server.api = (...args) => {
    const answer = api(...args)
    server.nonce = `n${++count}`
    answer.headers['dpop-nonce'] = `other${count}`
    return answer
  }
  try {
    assert.equal(await status(page), 401)
  } finally {
    server.api = api
  }
  assert.equal(server.count('/api/x'), 2)
  assert.equal(server.count('/auth/refresh'), 0)
})

it('a refused token is refreshed once, and each request has a new proof', async (user) => {
  const page = await user.signedIn(stored)
  server.revoke()
  assert.deepEqual(await statuses(page, 20), Array(20).fill(200))
  assert.equal(server.count('/auth/refresh'), 1)
  assert.deepEqual(server.wrong, [])
})

it('the key outlives the page, and is deleted with the session', async (user) => {
  const page = await user.signedIn(stored)
  await reload(page, stored)
  assert.equal(await status(page), 200)
  assert.deepEqual(server.wrong, [])
  assert.deepEqual(server.keys('/auth/refresh'), server.keys('/auth/login'))
  await page.evaluate(() => auth.logout())
  const left = await page.evaluate(async () => {
    const found = []
    for (const { name } of await indexedDB.databases()) {
      const opened = await new Promise((resolve) => {
        const opening = indexedDB.open(name)
        opening.onsuccess = () => resolve(opening.result)
      })
      found.push(
        await new Promise((resolve) => {
          const counting = opened.transaction('key').objectStore('key').count()
          counting.onsuccess = () => resolve([name, counting.result])
        }),
      )
    }
    return found
  })
  assert.match(left[0][0], /^tokenkeep key [0-9a-f]{16}$/)
  assert.deepEqual(
    left.map(([, count]) => count),
    [0],
  )
  await page.evaluate(() => signIn('alice'))
  const [first, second] = server.keys('/auth/login')
  assert.notEqual(first, second)
})

for (const isolation of ['worker', 'shared-worker']) {
  it(`${isolation}: the worker that has the token makes the proofs`, async (user) => {
    if (engine === 'webkit' && isolation === 'shared-worker') throw new Lack('a key store in a shared worker')
    server.nonce = 'n1'
    const options = { ...stored, isolation }
    const page = await user.signedIn(options)
    server.revoke()
    assert.deepEqual(await statuses(page, 5), Array(5).fill(200))
    await reload(page, options)
    assert.equal(await status(page), 200)
    // The login was sent twice, for the nonce, and each time with a new key. The server does not check the proof of a
    // call whose token it refuses.
    const [, key] = server.keys('/auth/login')
    const keys = ['/auth/refresh', '/api/items/1', '/api/x'].flatMap(server.keys).filter(Boolean)
    assert.ok(keys.length > 2)
    assert.deepEqual(new Set(keys), new Set([key]))
    // The only complaint was a missing nonce.
    assert.deepEqual(new Set(server.wrong), new Set(['nonce']))
  })
}

it('no script can read the private key', async (user) => {
  const page = await user.signedIn(stored)
  const found = await page.evaluate(async () => {
    const [{ name }] = await indexedDB.databases()
    const connection = await new Promise((resolve) => {
      const opening = indexedDB.open(name)
      opening.onsuccess = () => resolve(opening.result)
    })
    const pair = await new Promise((resolve) => {
      const getting = connection.transaction('key').objectStore('key').get('key')
      getting.onsuccess = () => resolve(getting.result)
    })
    const { extractable, usages } = pair.privateKey
    return {
      extractable,
      usages,
      exported: await crypto.subtle.exportKey('jwk', pair.privateKey).catch(({ name }) => name),
    }
  })
  assert.deepEqual(found, { extractable: false, usages: ['sign'], exported: 'InvalidAccessError' })
})

it('tabs share the token and its key; a login renews it for all', async (user) => {
  const first = await user.signedIn(stored)
  const second = await user.tab(stored)
  await second.evaluate(() => until(({ status }) => status === 'signed-in'))
  assert.equal(await status(second, '/api/second'), 200)
  assert.equal(server.count('/auth/refresh'), 0, 'the first tab has handed the token on')
  await second.evaluate(
    () =>
      void (globalThis.news = new Promise((resolve) =>
        auth.addEventListener('change', () => resolve(), { once: true }),
      )),
  )
  await first.evaluate(() => signIn('alice'))
  await second.evaluate(() => news)
  assert.equal(await status(second, '/api/again'), 200)
  const [old, renewed] = server.keys('/auth/login')
  assert.deepEqual([server.keys('/api/second'), server.keys('/api/again')], [[old], [renewed]])
  assert.deepEqual(server.wrong, [])
})

it('a token is refreshed after another tab has replaced its key', async (user) => {
  const first = await user.signedIn({ ...stored, tabs: 'lock' })
  const second = await user.tab({ ...stored, tabs: 'lock' })
  assert.equal(await status(second), 200)
  await first.evaluate(() => signIn('alice'))
  server.revoke()
  assert.equal(await status(second), 200)
  assert.deepEqual(server.keys('/auth/refresh'), server.keys('/auth/login'))
  assert.deepEqual(server.wrong, [])
})

it("a failed login does not change the session's key", async (user) => {
  const page = await user.signedIn(stored)
  assert.equal(await error(page, () => signIn('alice', 'wrong')), 'rejected')
  assert.equal(await status(page), 200)
  await refresh(page)
  await reload(page, stored)
  assert.equal(await status(page), 200)
  assert.deepEqual(server.wrong, [])
  const [key] = server.keys('/auth/login')
  assert.deepEqual(server.keys('/auth/refresh'), [key, key])
})

it('an exchange carries the token, and keeps the key', async (user) => {
  const page = await user.signedIn(stored)
  const answer = await page.evaluate(() => outcome(auth.exchange('/auth/exchange', { body: 'organisation=2' })))
  assert.equal(answer.value.rest, 2)
  assert.equal(await status(page), 200)
  await reload(page, stored)
  assert.equal(await status(page), 200)
  assert.deepEqual(server.keys('/auth/exchange'), server.keys('/auth/login'))
  assert.deepEqual(server.wrong, [])
})

it('with keys in memory each page has its own, and tabs share no token', async (user) => {
  server.bindsCookies = false
  const options = { dpop: { keys: 'memory' } }
  const first = await user.signedIn(options)
  assert.equal(await status(first), 200)
  const second = await user.tab(options)
  await second.evaluate(() => signIn('alice'))
  assert.equal(await status(second), 200)
  assert.equal(await status(first), 200)
  const [one, other] = server.keys('/auth/login')
  assert.notEqual(one, other)
  assert.deepEqual(server.keys('/api/x'), [one, other, one])
  assert.deepEqual(await first.evaluate(() => indexedDB.databases()), [])
  assert.deepEqual(server.wrong, [])
})

it('a server that says Bearer gets Bearer, and proofs for login and refresh', async (user) => {
  server.type = 'Bearer'
  const page = await user.signedIn(stored)
  assert.equal(await status(page), 200)
  assert.equal(server.at('/api/x')[0].headers.dpop, undefined)
  server.type = 'DPoP'
  await refresh(page)
  assert.equal(await status(page), 200)
  assert.deepEqual(
    server.at('/api/x').map(({ headers }) => headers.authorization.split(' ')[0]),
    ['Bearer', 'DPoP'],
  )
  assert.deepEqual(server.wrong, [])
})

it("a wrong local clock is corrected by the server's clock", async (user) => {
  server.ahead = -3_600_000
  const page = await user.signedIn(stored)
  assert.equal(server.count('/auth/login'), 2)
  assert.equal(await status(page), 200)
  assert.deepEqual(server.wrong, ['iat'])
})

it(
  'if a proof is refused although the clocks agree, the caller gets the response',
  async (user) => {
    const page = await user.signedIn(stored)
    const answer = await page.evaluate(() =>
      auth.fetch('/api/odd').then((answer) => [answer.status, answer.headers.get('www-authenticate')]),
    )
    assert.deepEqual(answer, [401, 'DPoP error="invalid_dpop_proof"'])
    assert.equal(server.count('/api/odd'), 1)
    assert.equal(server.count('/auth/refresh'), 0)
  },
  { '/api/odd': () => server.json({}, { status: 401, 'www-authenticate': 'DPoP error="invalid_dpop_proof"' }) },
)

it(
  'a redirect is not followed with a proof for another URL',
  async (user) => {
    const page = await user.signedIn(stored)
    assert.equal(await status(page, '/api/away'), 'redirected')
    assert.equal(await status(page, '/api/away', { method: 'POST', body: 'x' }), 'redirected')
    assert.equal(server.count('/api/landed'), 0)
  },
  { '/api/away': (arrived) => server.api(arrived, () => ({ status: 302, headers: { location: '/api/landed' } })) },
)

for (const [what, prepare] of [
  ['no crypto.subtle', () => Object.defineProperty(crypto, 'subtle', { value: undefined })],
  ['no IndexedDB', () => Object.defineProperty(globalThis, 'indexedDB', { value: undefined })],
  [
    'an IndexedDB that refuses',
    () =>
      void (IDBFactory.prototype.open = () => {
        throw new DOMException('no', 'SecurityError')
      }),
  ],
]) {
  it(`with ${what} nothing is sent, and the error is no-key`, async (user) => {
    if (engine === 'webkit' && what === 'no IndexedDB')
      throw new Lack('a driver that answers where a page has no `indexedDB`')
    const page = await user.tab(stored, (page) => page.addInitScript(prepare))
    assert.equal(await error(page, () => signIn('alice')), 'no-key')
    assert.equal(await status(page), 'no-key')
    assert.equal(await error(page, () => outcome(auth.refresh())), 'no-key')
    for (const path of ['/auth/login', '/auth/refresh', '/api/x']) assert.equal(server.count(path), 0)
  })
}

it('an abort ends the wait for a signature', async (user) => {
  const page = await user.signedIn(stored)
  const thrown = await page.evaluate(async () => {
    crypto.subtle.sign = () => new Promise(() => {})
    const abort = new AbortController()
    const answer = outcome(auth.fetch('/api/x', { signal: abort.signal }))
    abort.abort('that is enough')
    return (await answer).thrown
  })
  assert.equal(thrown, 'that is enough')
  assert.equal(server.count('/api/x'), 0)
})

it("a call that waits for its signature does not leave with the next user's session", async (user) => {
  const page = await user.signedIn(stored)
  const answer = await page.evaluate(async () => {
    const { sign } = crypto.subtle
    let go
    const begun = new Promise((resolve) => {
      crypto.subtle.sign = async (...args) => {
        resolve()
        await new Promise((resolve) => (go = resolve))
        return sign.apply(crypto.subtle, args)
      }
    })
    const answer = call('/api/x')
    await begun
    const out = auth.logout()
    go()
    await out
    return answer
  })
  assert.equal(answer.error.code, 'session-changed')
  assert.equal(server.count('/api/x'), 0)
})

it('dpop refuses other values, and options that would send a token without a proof', async (user) => {
  const page = await user.blank()
  const messages = await page.evaluate(() =>
    Promise.all(
      [
        { dpop: true, exposeToken: true },
        { dpop: true, attach: { query: 'token' } },
        { dpop: 'memory' },
        { dpop: { keys: 'stored' } },
        { dpop: true, logout: { url: '/auth/out', send: 'access' } },
      ].map((options) =>
        make(options).ready.catch(({ code, message }) => [code, /option `([^`]+)`/.exec(message)[1]].join(' ')),
      ),
    ),
  )
  assert.deepEqual(
    messages,
    ['exposeToken', 'attach', 'dpop', 'dpop', 'logout.send'].map((name) => `invalid-option ${name}`),
  )
})
