// axios, in both ways on its page.

import assert from 'node:assert/strict'
import { json, refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const more = `
  export { axios }

  /** The outcome of a call. */
  export const end = (promise) => promise.then(
    ({ status, data }) => ({ status, data }),
    (error) => ({ name: error.name, code: error.code, status: error.response?.status, cause: error.cause?.code, retryable: error.cause?.retryable, canceled: axios.isCancel(error) }),
  )

  /** Whether the token is anywhere in what axios returns. */
  export async function leaks(promise) {
    const found = await promise.catch((error) => error)
    const token = await auth.getAccessToken()
    const seen = new Set()
    const look = (value) => {
      if (typeof value === 'string') return value.includes(token)
      if (typeof value !== 'object' || value === null || seen.has(value)) return false
      seen.add(value)
      return Reflect.ownKeys(value).some((name) => look(Object.getOwnPropertyDescriptor(value, name).value))
    }
    return [look(found), look(JSON.parse(JSON.stringify(found.toJSON?.() ?? {}))), look({ a: [{ b: 'x' + token }] })]
  }
`

/** The tests for both ways. */
function rows(name, { server, it }) {
  it(`${name}: reading, saving, a form, each with an expired token: one refresh each`, async (tab) => {
    const calls = [
      "api.get('/me')",
      "api.post('/save', { a: 1 })",
      "api.post('/form', (() => { const f = new FormData(); f.append('file', new File(['x'.repeat(50000)], 'a.txt')); return f })())",
    ]
    for (const [n, call] of calls.entries()) {
      server.revoke()
      assert.equal((await tab.evaluate((call) => end(eval(call)), call)).status, 200, call)
      assert.equal(server.at('/auth/refresh').length, n + 1)
    }
    const [first, second] = server.at('/api/save')
    assert.deepEqual([second.body, second.headers['content-type']], ['{"a":1}', first.headers['content-type']])
    const forms = server.at('/api/form')
    assert.equal(forms.length, 2)
    assert.equal(forms[1].body, forms[0].body)
  })

  it(`${name}: five calls at once cost one refresh`, async (tab) => {
    server.revoke()
    const all = await tab.evaluate(() => Promise.all([1, 2, 3, 4, 5].map((n) => end(api.get(`/${n}`)))))
    assert.deepEqual(
      all.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
    assert.equal(server.at('/auth/refresh').length, 1)
  })

  it(`${name}: an interceptor sees one request and one answer`, async (tab) => {
    server.revoke()
    assert.deepEqual(
      await tab.evaluate(async () => {
        const seen = []
        api.interceptors.request.use((config) => (seen.push('request'), config))
        api.interceptors.response.use(
          (response) => (seen.push(response.status), response),
          (error) => (seen.push(error.response?.status), Promise.reject(error)),
        )
        await api.post('/one', { a: 1 })
        return seen
      }),
      ['request', 200],
    )
  })

  it(`${name}: cancelling, also during the wait for the token`, async (tab) => {
    server.revoke()
    const refreshing = server.hold('/auth/refresh')
    await tab.evaluate(() => {
      globalThis.controller = new AbortController()
      globalThis.waiting = end(api.get('/one', { signal: controller.signal }))
    })
    await refreshing.arrived()
    const { canceled } = await tab.evaluate(() => (controller.abort(), waiting))
    assert.equal(canceled, true)
    refreshing.release()
  })

  it(`${name}: the end of the session is a 401, and an outage is reported as such`, async (tab) => {
    server.revoke()
    server.route('/auth/refresh', () => ({ status: 503 }))
    const outage = await tab.evaluate(() => end(api.get('/one')))
    assert.deepEqual(outage, {
      name: outage.name,
      code: 'bad-status',
      cause: 'bad-status',
      retryable: true,
      canceled: false,
      status: undefined,
    })
    server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 401 }))
    await tab.evaluate(() => outcome(auth.refresh()))
    assert.equal((await tab.evaluate(() => end(api.get('/two')))).status, 401)
  })
}

const short = await library({ code: snippet('axios') + more })
const long = await library({
  code:
    snippet('axios', 'Uploads with progress') +
    more +
    `
  import { tokenkeepAxios } from 'tokenkeep/axios'
  export { tokenkeepAxios }
`,
})
rows('fetch', short)
rows('XMLHttpRequest', long)
const { server, it } = long

it('an upload reports its progress, and again on the second sending', async (tab) => {
  server.revoke()
  const [status, seen] = await tab.evaluate(async () => {
    const seen = []
    const { status } = await upload(new Blob(['y'.repeat(2e6)]), ({ loaded, total }) => seen.push(loaded / total))
    return [status, seen]
  })
  assert.equal(status, 200)
  assert.equal(seen.at(-1), 1)
  const [first, second] = server.at('/api/files')
  assert.deepEqual([first.body.length, second.sha256], [2e6, first.sha256])
})

it('the token is in no config, answer or error', async (tab) => {
  server.route('/api/broken', () => ({ status: 500 }))
  server.route('/api/never', () => refused())
  for (const path of ['/one', '/broken', '/never'])
    assert.deepEqual(await tab.evaluate((path) => leaks(api.get(path)), path), [false, false, true], path)
})

it('other targets, and requests with their own authorization, are left to axios alone', async (tab) => {
  const out = await tab.evaluate(async () => [
    (await end(api.get('/other', { baseURL: '/' }))).status,
    (await end(api.get('/one', { auth: { username: 'a', password: 'b' } }))).status,
    (await end(api.get('/one', { headers: { authorization: 'Bearer mine' } }))).status,
  ])
  assert.deepEqual(out, [404, 401, 401])
  assert.deepEqual(
    [...server.at('/one'), ...server.at('/api/one')].map(({ headers }) => headers.authorization),
    ['Basic YTpi', 'Bearer mine'],
  )
  assert.equal(server.at('/auth/refresh').length, 0)
})

it('a second refusal goes to the caller, and so does one that validateStatus accepts', async (tab) => {
  server.route('/api/never', () => refused())
  assert.equal((await tab.evaluate(() => end(api.get('/never')))).status, 401)
  assert.deepEqual([server.at('/api/never').length, server.at('/auth/refresh').length], [2, 1])
  server.revoke()
  assert.equal((await tab.evaluate(() => end(api.get('/one', { validateStatus: () => true })))).status, 200)
})

it('a request refused in one session is not sent in the next one', async (tab) => {
  server.revoke()
  const held = server.hold('/api/one')
  await tab.evaluate(() => void (globalThis.sent = end(api.get('/one'))))
  await held.arrived()
  await tab.evaluate(() => auth.logout().then(() => signIn('bob')))
  held.release()
  assert.equal((await tab.evaluate(() => sent)).status, 401)
  assert.equal(server.at('/api/one').length, 1)
})

it('a cancel token keeps nothing of finished requests', async (tab) => {
  server.revoke()
  assert.deepEqual(
    await tab.evaluate(async () => {
      const { token } = axios.CancelToken.source()
      const { subscribe, unsubscribe } = token
      const heard = new Set()
      token.subscribe = (listener) => (heard.add(listener), subscribe.call(token, listener))
      token.unsubscribe = (listener) => (heard.delete(listener), unsubscribe.call(token, listener))
      const calls = [1, 2].map((n) => end(api.get(`/${n}`, { cancelToken: token })))
      return [(await Promise.all(calls)).map(({ status }) => status), heard.size]
    }),
    [[200, 200], 0],
  )
})

it('a cancel token ends the wait for the token', async (tab) => {
  server.revoke()
  const refreshing = server.hold('/auth/refresh')
  await tab.evaluate(() => {
    globalThis.source = axios.CancelToken.source()
    globalThis.sent = end(api.get('/one', { cancelToken: source.token }))
  })
  await refreshing.arrived()
  assert.equal((await tab.evaluate(() => (source.cancel(), sent))).canceled, true)
  refreshing.release()
})

it("the app's own adapter runs beneath it", async (tab) => {
  assert.deepEqual(
    await tab.evaluate(async () => {
      const seen = []
      const mocked = tokenkeepAxios(
        auth,
        axios.create({
          adapter: async (config) => {
            seen.push(/^Bearer /.test(config.headers.get('authorization')))
            return { status: 200, data: {}, headers: {}, config }
          },
        }),
      )
      await mocked.get('/api/one')
      return seen
    }),
    [true],
  )
})

it('wrong use is one clear error', async (tab) => {
  assert.deepEqual(
    await tab.evaluate(async () => {
      const codes = []
      for (const args of [[], [auth], [auth, {}], [{}, axios]])
        try {
          tokenkeepAxios(...args)
        } catch ({ code }) {
          codes.push(code)
        }
      const hidden = tokenkeepAxios(make({ exposeToken: false }), axios.create())
      codes.push((await end(hidden.get('/api/one'))).code)
      auth.dispose()
      codes.push((await end(api.get('/one'))).code)
      return codes
    }),
    ['invalid-argument', 'invalid-argument', 'invalid-argument', 'invalid-argument', 'not-exposed', 'disposed'],
  )
})
