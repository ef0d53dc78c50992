// Which managers of one origin are identical (they share tokens, logouts and marks), and which only take turns.

import assert from 'node:assert/strict'
import { reload, startBrowser } from './support/browser.mjs'
import { eachWithUser, jwt, startStrict } from './support/strict.mjs'
import { json, startStub } from './support/stub.mjs'

const server = await startStrict()
const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' }
const partner = await startStub({ '/': () => json({}, cors) })
const browser = await startBrowser()

const it = eachWithUser(server, browser, () => {
  partner.reset()
})

const refresh = (more) => ({ refresh: { url: '/auth/refresh', ...more } })
const becomes = (page, status) => page.evaluate((status) => until((state) => state.status === status), status)
const sub = (page) => page.evaluate(() => auth.state.claims?.sub ?? auth.state.status)
/** The user of the token in a call of this tab. */
const whose = (page) => page.evaluate(async () => (await call('/api/who')).body.sub ?? null)

// The options in which two otherwise equal managers differ.
const PAIRS = {
  'an account in the query of the refresh': [
    { refresh: '/auth/refresh?account=0' },
    { refresh: '/auth/refresh?account=1' },
  ],
  'a path that is another one behind the query': [
    { refresh: '/auth/refresh?next=/a' },
    { refresh: '/auth/refresh?next=/b' },
  ],
  'a client_id in the body': [refresh({ body: { client_id: 'a' } }), refresh({ body: { client_id: 'b' } })],
  'an audience in a body that is text': [refresh({ body: 'aud=a' }), refresh({ body: 'aud=b' })],
  'an additional field in one body': [
    refresh({ body: { client_id: 'a' } }),
    refresh({ body: { client_id: 'a', audience: 'b' } }),
  ],
  'the method of the refresh': [refresh({ method: 'POST' }), refresh({ method: 'PUT' })],
  'a fixed header': [refresh({ headers: { 'x-tenant': 'a' } }), refresh({ headers: { 'x-tenant': 'b' } })],
  apis: [{ apis: ['/api'] }, { apis: ['/api', partner.origin] }],
  'the header that carries the token': [{}, { attach: { header: 'X-Token', scheme: '' } }],
  'the place of the token in the answer': [
    { response: { accessToken: 'access' } },
    { response: { accessToken: 'id' } },
  ],
  'the carrier of the refresh token': [{}, { refreshToken: { json: 'refresh_token' } }],
  'the claim that names the user': [{}, { subject: 'user_id' }],
  'the logout': [{}, { logout: '/auth/logout' }],
  'the query of the logout': [{ logout: '/auth/logout?client=a' }, { logout: '/auth/logout?client=b' }],
  'the name': [{ name: 'a' }, { name: 'b' }],
  'a name for one of them': [{}, { name: 'a' }],
}

it('managers that differ in endpoints or in where tokens go share neither tokens nor logouts', async (user) => {
  const [first, second] = [await user.blank(), await user.blank()]
  for (const [what, [one, other]] of Object.entries(PAIRS)) {
    const begin = (page, options) =>
      page.evaluate(async (options) => {
        globalThis.auth?.dispose()
        globalThis.twin?.dispose()
        await start({ ...options, restore: 'manual' })
      }, options)
    await begin(first, one)
    await begin(second, other)
    // The twin in the second tab shares with the first: once it has heard, the other could have heard, too.
    await second.evaluate(async (options) => {
      globalThis.twin = make({ ...options, restore: 'manual' })
      await twin.ready
    }, one)
    const become = (page, name) =>
      page.evaluate((accessToken) => auth.setTokens({ accessToken, expiresIn: 300 }), jwt({ sub: name, user_id: name }))
    await become(first, 'alice')
    await second.evaluate(() => until(({ claims }) => claims?.sub === 'alice', twin))
    assert.equal(await sub(second), 'unknown', what)
    await become(second, 'bob')
    await first.evaluate(() => outcome(auth.logout()))
    await second.evaluate(() => until(({ status }) => status === 'signed-out', twin))
    assert.equal(await sub(second), 'bob', what)
    assert.equal(await sub(first), 'signed-out', what)
    assert.deepEqual(await second.evaluate(() => told()), [], what)
  }
})

it('equal options in another order make the same manager', async (user) => {
  const first = await user.tab({ apis: ['/api', partner.origin], restore: 'manual' })
  const second = await user.tab({ apis: [partner.origin, '/api'], restore: 'manual', refreshBefore: 5000 })
  await first.evaluate((accessToken) => auth.setTokens({ accessToken }), jwt({ sub: 'alice' }))
  await becomes(second, 'signed-in')
  await second.evaluate(() => auth.logout())
  await becomes(first, 'signed-out')
})

/** A tab for an account. */
const account = async (user, n, name) => {
  const page = await user.tab({ refresh: `/auth/refresh?account=${n}`, logout: `/auth/logout?account=${n}` })
  if (name)
    await page.evaluate(([n, name]) => auth.login(`/auth/login?account=${n}`, credentials(name, 'x')), [n, name])
  return page
}

it('with two accounts in two tabs each, each call uses its own account, and a logout ends one of them', async (user) => {
  const tabs = [await account(user, 0, 'alice'), await account(user, 1, 'bob')]
  for (const n of [0, 1]) {
    const more = await account(user, n)
    await becomes(more, 'signed-in')
    tabs.push(more)
  }
  for (let round = 0; round < 3; round++) {
    assert.deepEqual(await Promise.all(tabs.map(whose)), ['alice', 'bob', 'alice', 'bob'])
    server.revoke()
  }
  assert.equal(server.reuses, 0)
  await tabs[0].evaluate(() => auth.logout())
  await becomes(tabs[2], 'signed-out')
  assert.deepEqual(await Promise.all(tabs.map(sub)), ['signed-out', 'bob', 'signed-out', 'bob'])
  await reload(tabs[1], { refresh: '/auth/refresh?account=1' })
  assert.equal(await whose(tabs[1]), 'bob')
  assert.deepEqual(
    server.at('/auth/logout').map(({ query }) => query.get('account')),
    ['0'],
  )
})

it('different managers of one cookie take turns at it', async (user) => {
  const audience = (name) => ({ refresh: { url: '/auth/refresh', body: { audience: name } } })
  server.route('/auth/refresh', (arrived) => {
    const of = server.rotate(arrived)
    return of
      ? server.grant({ ...of, aud: JSON.parse(arrived.body).audience }, server.session(arrived, of))
      : json({ error: 'invalid_grant' }, { status: 401 })
  })
  const first = await user.signedIn(audience('notes'))
  const second = await user.tab(audience('mail'))
  const audiences = () =>
    Promise.all([first, second].map((page) => page.evaluate(async () => (await call('/api/who')).body.aud)))
  assert.equal(
    (await second.evaluate(() => call('/api/who'))).body.aud,
    'mail',
    'the token of the other audience is not for this one',
  )
  for (let round = 0; round < 5; round++) {
    server.revoke()
    assert.deepEqual(await audiences(), ['notes', 'mail'])
  }
  assert.equal(server.reuses, 0)
})

it("an origin that one manager names never gets another manager's token", async (user) => {
  const ours = await user.signedIn()
  const theirs = await user.tab({ apis: [partner.origin], restore: 'manual' })
  await theirs.evaluate(async () => {
    globalThis.twin = make()
    await until(({ status }) => status === 'signed-in', twin)
  })
  partner.routes['/who'] = () => json({}, cors)
  assert.equal((await theirs.evaluate((url) => call(url), `${partner.origin}/who`)).status, 200)
  assert.equal((await ours.evaluate((url) => call(url), `${partner.origin}/who`)).status, 200)
  assert.deepEqual(
    partner.at('/who').map(({ headers }) => headers.authorization),
    [undefined, undefined],
  )
})

/** Runs in the page: makes managers with a refresh function, under the given global names. */
async function startWithFunctions(names) {
  globalThis.asked = 0
  globalThis.warned = []
  console.warn = (text) => warned.push(text)
  for (const [key, name] of Object.entries(names)) {
    globalThis[key] = make({ refresh: async () => (asked++, null), name: name ?? undefined, restore: 'manual' })
    await globalThis[key].ready
  }
}

it('managers with a function share tokens and logouts under the same name; without a name, or under another, they share nothing', async (user) => {
  const names = { one: 'app', other: 'admin', nameless: null }
  const [first, second] = [await user.blank(), await user.blank()]
  for (const page of [first, second]) await page.evaluate(startWithFunctions, names)
  const state = (page) =>
    page.evaluate(() => [one, other, nameless].map(({ state }) => state.claims?.sub ?? state.status))
  // The manager that shares is checked last: by then the others have heard everything they could.
  await first.evaluate(
    async ([nameless_, one_]) => {
      await nameless.setTokens({ accessToken: nameless_ })
      await one.setTokens({ accessToken: one_ })
    },
    [jwt({ sub: 'nobody' }), jwt({ sub: 'alice' })],
  )
  await second.evaluate(() => until(({ claims }) => claims?.sub === 'alice', one))
  assert.deepEqual(await state(second), ['alice', 'unknown', 'unknown'])
  for (const page of [first, second]) {
    await page.evaluate(
      (token) => Promise.all([other, nameless].map((manager) => manager.setTokens({ accessToken: token }))),
      jwt({ sub: 'bob' }),
    )
  }
  await first.evaluate(async () => {
    await nameless.logout()
    await one.logout()
  })
  await second.evaluate(() => until(({ status }) => status === 'signed-out', one))
  assert.deepEqual(await state(second), ['signed-out', 'bob', 'bob'])
  assert.deepEqual(await state(first), ['signed-out', 'bob', 'signed-out'])
})

it('a manager that cannot be compared warns once how to name it; with a name, or alone, it does not warn', async (user) => {
  const page = await user.blank()
  await page.evaluate(startWithFunctions, { one: null, two: null, three: null })
  const warned = await page.evaluate(() => warned)
  assert.equal(warned.length, 1, warned.join('\n'))
  assert.match(warned[0], /`name`/)
  const named = await user.blank()
  await named.evaluate(startWithFunctions, { one: 'app' })
  await named.evaluate(() => make({ refresh: async () => null, tabs: 'off' }).ready)
  assert.deepEqual(await named.evaluate(() => warned), [])
})

it('header fields from a function cannot be compared either', async (user) => {
  const [first, second] = [await user.blank(), await user.blank()]
  for (const [n, page] of [first, second].entries()) {
    await page.evaluate(async (n) => {
      globalThis.warned = []
      console.warn = (text) => warned.push(text)
      await start({ refresh: { url: '/auth/refresh', headers: () => ({ 'x-tenant': String(n) }) }, restore: 'manual' })
      globalThis.marker = make({ name: 'marker', restore: 'manual' })
      await marker.ready
    }, n)
  }
  await first.evaluate(
    async (accessToken) => {
      await auth.setTokens({ accessToken })
      await marker.setTokens({ accessToken })
    },
    jwt({ sub: 'alice' }),
  )
  await second.evaluate(() => until(({ status }) => status === 'signed-in', marker))
  assert.equal(await sub(second), 'unknown')
  for (const page of [first, second]) assert.equal(await page.evaluate(() => warned.length), 1)
})

it("a manager's pending logout is not finished by another manager, and does not keep it out", async (user) => {
  const options = (n) => ({ refresh: `/auth/refresh?account=${n}`, logout: `/auth/logout?account=${n}` })
  await account(user, 1, 'bob')
  const first = await account(user, 0, 'alice')
  const tried = new Promise((resolve) =>
    server.route('/auth/logout', ({ nth }) => {
      if (nth === 2) resolve()
      return { status: 503 }
    }),
  )
  await first.evaluate(() => outcome(auth.logout()))
  const other = await user.tab({ ...options(1), restore: 'eager' })
  await becomes(other, 'signed-in')
  assert.equal(await whose(other), 'bob')
  assert.deepEqual(
    server.at('/auth/logout').map(({ query }) => query.get('account')),
    ['0'],
  )
  const same = await user.tab(options(0))
  assert.equal(await sub(same), 'signed-out')
  assert.equal((await same.evaluate(() => call('/api/who'))).status, 401)
  // The call does not wait for it.
  await tried
  assert.deepEqual(
    server.at('/auth/logout').map(({ query }) => query.get('account')),
    ['0', '0'],
  )
})

it('a message of another protocol version is ignored', async (user) => {
  const first = await user.blank()
  await first.evaluate(async () => {
    const Channel = BroadcastChannel
    globalThis.channels = []
    globalThis.BroadcastChannel = class extends Channel {
      constructor(name) {
        super(name)
        channels.push(name)
      }
    }
    await start({ restore: 'manual' })
    globalThis.BroadcastChannel = Channel
    globalThis.sent = []
    globalThis.raw = new Channel(channels[0])
    raw.onmessage = ({ data }) => sent.push(data)
  })
  const second = await user.tab({ restore: 'manual' })
  await second.evaluate(() => {
    globalThis.seen = []
    auth.subscribe(() => seen.push(auth.state.claims?.sub ?? auth.state.status))
  })
  await first.evaluate(
    async ([alice, mallory]) => {
      await auth.setTokens({ accessToken: alice, expiresIn: 300 })
      while (!sent.some(({ kind }) => kind === 'entered'))
        await new Promise((resolve) => (raw.onmessage = ({ data }) => resolve(sent.push(data))))
      const message = sent.find(({ kind }) => kind === 'entered')
      const version = message.tokenkeep
      for (const tokenkeep of [version - 1, version + 1, String(version), undefined]) {
        raw.postMessage({ ...message, tokenkeep, stamp: message.stamp + 1, accessToken: mallory })
      }
      // The next message arrives after them.
      await auth.logout()
    },
    [jwt({ sub: 'alice' }), jwt({ sub: 'mallory' })],
  )
  await becomes(second, 'signed-out')
  assert.deepEqual(await second.evaluate(() => seen), ['alice', 'signed-out'])
})
