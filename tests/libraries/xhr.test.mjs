// XMLHttpRequest with the token: what the server gets, and what the listeners see.

import assert from 'node:assert/strict'
import { refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'
import { until } from './support/until.mjs'

const { server, it } = await library({
  code: `
    ${snippet('xhr')}
    export { createXMLHttpRequest }

    const EVENTS = ['readystatechange', 'loadstart', 'progress', 'abort', 'error', 'load', 'timeout', 'loadend']

    /** Sends a request, and returns everything observable. 'of': the class; 'body': a function; 'set': members; 'act' is called with the sent request. */
    export function send({ of = XMLHttpRequest, method = 'POST', url = '/api/one', headers = {}, body = () => 'text', set = {}, act } = {}) {
      const request = new of()
      const seen = []
      globalThis.request = request
      for (const type of EVENTS) {
        request.addEventListener(type, (event) => seen.push(type === 'readystatechange' ? request.readyState + ':' + request.status : type + (event.error ? ' ' + event.error.code : '')))
        if (type !== 'readystatechange') request.upload.addEventListener(type, () => type !== 'progress' && seen.push('upload ' + type))
      }
      return new Promise((resolve) => {
        request.onloadend = () => setTimeout(() => resolve({ status: request.status, text: /^(text)?$/.test(request.responseType) ? request.responseText : '', seen, state: request.readyState }))
        request.open(method, url)
        Object.assign(request, set)
        for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
        request.send(body())
        act?.(request)
      })
    }
    export const native = globalThis.XMLHttpRequest
  `,
})

/** The requests to a path, in short form. */
const tokens = (path) => server.at(path).map(({ headers }) => headers.authorization)

/** The platform's events for a successful upload. A late reader may get one state `3` or several. */
const WELL = [
  '1:0',
  'loadstart',
  'upload loadstart',
  'upload load',
  'upload loadend',
  '2:200',
  '3:200',
  'progress',
  '4:200',
  'load',
  'loadend',
]

it('the page of the documentation: an upload with progress and an expired token', async (tab) => {
  server.revoke()
  const [status, progress] = await tab.evaluate(async () => {
    const seen = []
    const request = await upload(new File(['x'.repeat(1e5)], 'a b.txt'), (part) => seen.push(part))
    return [request.status, seen]
  })
  assert.equal(status, 200)
  assert.equal(progress.at(-1), 1)
  const [first, second] = server.at('/api/files/a%20b.txt')
  assert.equal(first.body.length, 1e5)
  assert.deepEqual([second.body, second.method, second.nth], [first.body, 'PUT', 2])
  assert.equal(server.at('/auth/refresh').length, 1)
})

it("with a good token it cannot be distinguished from the platform's", async (tab) => {
  const [ours, theirs] = await tab.evaluate(async () => {
    const ours = await send()
    const token = await auth.getAccessToken()
    return [ours, await send({ of: native, headers: { authorization: `Bearer ${token}` } })]
  })
  assert.deepEqual(ours, theirs)
  assert.deepEqual(ours.seen, WELL)
  assert.ok(await tab.evaluate(() => request instanceof native && new XMLHttpRequest() instanceof native))
})

it("a refusal that leads to a second sending is seen only in the upload's events", async (tab) => {
  server.revoke()
  const { seen, status } = await tab.evaluate(() => send())
  assert.equal(status, 200)
  assert.deepEqual(seen, [...WELL.slice(0, 5), ...WELL.slice(2)])
})

it('while it waits for a new token it shows no answer, only that it is sent', async (tab) => {
  server.revoke()
  const refreshing = server.hold('/auth/refresh')
  await tab.evaluate(() => void (globalThis.sent = send()))
  await refreshing.arrived()
  assert.deepEqual(
    await tab.evaluate(() => [
      request.readyState,
      request.status,
      request.statusText,
      request.response,
      request.responseText,
      request.responseURL,
      request.responseXML,
      request.getAllResponseHeaders(),
      request.getResponseHeader('content-type'),
    ]),
    [1, 0, '', '', '', '', null, '', null],
  )
  refreshing.release()
  assert.equal((await tab.evaluate(() => sent)).status, 200)
})

it('five uploads with successive refusals cost one refresh', async (tab) => {
  server.revoke()
  const held = Array.from({ length: 5 }, (_, n) => server.hold(`/api/${n}`))
  await tab.evaluate(() => void (globalThis.all = Promise.all([0, 1, 2, 3, 4].map((n) => send({ url: `/api/${n}` })))))
  for (const [n, hold] of held.entries()) {
    await hold.arrived()
    hold.release()
    await until(() => server.at(`/api/${n}`).length === 2)
  }
  const answers = await tab.evaluate(() => all)
  // The complete answer, and nothing of the refusal before it.
  assert.deepEqual(
    answers.map(({ status, text }) => [status, JSON.parse(text).sub]),
    Array.from({ length: 5 }, () => [200, 'alice']),
  )
  assert.equal(server.at('/auth/refresh').length, 1)
})

const BODIES = {
  string: () => 'grüße',
  Blob: () => new Blob(['blob'], { type: 'text/x' }),
  FormData: () => {
    const form = new FormData()
    form.append('a', '1')
    form.append('file', new File(['file'], 'f.txt', { type: 'text/plain' }))
    globalThis.form = form
    return form
  },
  URLSearchParams: () => new URLSearchParams({ a: 'ä' }),
  ArrayBuffer: () => (globalThis.bytes = new Uint8Array([1, 2, 3, 255])).buffer,
  'a view': () => (globalThis.bytes = new Uint8Array([9, 1, 2, 3])).subarray(1),
  Document: () => new DOMParser().parseFromString('<p>document', 'text/html'),
  'an XML document': () => new DOMParser().parseFromString('<a b="c"/>', 'application/xml'),
  nothing: () => undefined,
}

for (const [name, body] of Object.entries(BODIES)) {
  it(`the body is sent again unchanged: ${name}`, async (tab) => {
    await tab.evaluate((body) => void (globalThis.body = eval(body)), String(body))
    const platform = server.at('/api/one')
    await tab.evaluate(async () => send({ of: native, body, headers: { authorization: 'Bearer none' } }))
    server.revoke()
    // Its owner changes the objects meanwhile.
    await tab.evaluate(() =>
      send({
        body,
        headers: { 'x-a': '1', 'X-B': '2' },
        act: () => {
          globalThis.form?.append('late', 'one')
          globalThis.bytes?.fill(7)
        },
      }),
    )
    const [theirs, first, second] = server.at('/api/one')
    const brief = ({ body, headers }) => [body, headers['content-type'], headers['content-length']]
    assert.deepEqual(brief(first), brief(theirs))
    assert.deepEqual(brief(second), brief(theirs))
    assert.deepEqual([second.headers['x-a'], second.headers['x-b']], ['1', '2'])
    assert.deepEqual([platform.length, server.at('/auth/refresh').length], [0, 1])
  })
}

it("the caller's settings are kept: responseType, overrideMimeType, withCredentials, timeout", async (tab) => {
  server.revoke()
  const out = await tab.evaluate(async () => {
    const { status } = await send({ set: { responseType: 'json', withCredentials: true, timeout: 30000 } })
    return [status, request.response.sub, request.responseType, request.withCredentials, request.timeout]
  })
  assert.deepEqual(out, [200, 'alice', 'json', true, 30000])
})

it("a request to another target, with its own Authorization, or with a user name, is the platform's", async (tab) => {
  await tab.evaluate(async () => {
    await send({ url: '/other' })
    await send({ url: '/apix' })
    await send({ url: '/api/two', headers: { AUTHORIZATION: 'Basic YTpi' } })
    const request = new XMLHttpRequest()
    request.open('GET', '/api/three', true, 'a', 'b')
    request.send()
    await new Promise((done) => (request.onloadend = done))
  })
  assert.deepEqual([tokens('/other'), tokens('/apix'), tokens('/api/two')], [[undefined], [undefined], ['Basic YTpi']])
  const three = tokens('/api/three')
  assert.ok(three.length > 0)
  assert.ok(
    three.every((token) => !token?.startsWith('Bearer')),
    three.join(),
  )
  assert.equal(server.at('/auth/refresh').length, 0)
})

it("a synchronous request is refused with a clear error, elsewhere it is the platform's", async (tab) => {
  const out = await tab.evaluate(() => {
    const request = new XMLHttpRequest()
    try {
      request.open('GET', '/api/one', false)
    } catch ({ code, message }) {
      request.open('GET', '/bundle.js', false)
      request.send()
      return [code, message, request.status]
    }
  })
  assert.deepEqual(out, ['invalid-argument', 'open: a synchronous request cannot wait for a token.', 200])
  assert.equal(server.at('/api/one').length, 0)
})

it('the second refusal goes to the caller, and so does one that no token cures', async (tab) => {
  server.route('/api/never', () => refused())
  server.route('/api/scope', () => refused('Bearer error="insufficient_scope"'))
  const never = await tab.evaluate(() => send({ url: '/api/never', body: () => null }))
  assert.deepEqual([never.status, JSON.parse(never.text).error], [401, "the API's own"])
  assert.deepEqual(never.seen, ['1:0', 'loadstart', '2:401', '3:401', 'progress', '4:401', 'load', 'loadend'])
  assert.deepEqual([server.at('/api/never').length, server.at('/auth/refresh').length], [2, 1])
  assert.equal((await tab.evaluate(() => send({ url: '/api/scope' }))).status, 401)
  assert.deepEqual([server.at('/api/scope').length, server.at('/auth/refresh').length], [1, 1])
  // It means "forbidden": no further refresh.
  assert.equal((await tab.evaluate(() => send({ url: '/api/never' }))).status, 401)
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('when the session is over, the 401 looks as if nothing had been tried', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', () => ({ status: 401, type: 'application/json', body: '{}' }))
  const { seen, status, text } = await tab.evaluate(() => send({ body: () => null }))
  assert.deepEqual([status, JSON.parse(text).error], [401, "the API's own"])
  assert.deepEqual(seen, ['1:0', 'loadstart', '2:401', '3:401', 'progress', '4:401', 'load', 'loadend'])
  assert.deepEqual(await tab.evaluate(() => events), ['signout rejected'])
  // And from then on no token is sent.
  const later = await tab.evaluate(() => send({ url: '/api/later', body: () => null }))
  assert.deepEqual([later.status, tokens('/api/later')], [401, [undefined]])
  assert.deepEqual(later.seen, seen)
})

it('an outage is an error that says so, not a 401', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', () => ({ status: 503 }))
  const { seen, status, state, text } = await tab.evaluate(() => send({ body: () => null }))
  assert.deepEqual([status, state, text], [0, 4, ''])
  assert.deepEqual(seen, ['1:0', 'loadstart', '4:0', 'error bad-status', 'loadend'])
})

it('a request that is aborted while it waits ends at once, and is not sent again', async (tab) => {
  server.revoke()
  const refreshing = server.hold('/auth/refresh')
  await tab.evaluate(() => void (globalThis.sent = send({ body: () => null })))
  await refreshing.arrived()
  const { seen, state } = await tab.evaluate(() => (request.abort(), sent))
  assert.deepEqual(seen, ['1:0', 'loadstart', '4:0', 'abort', 'loadend'])
  assert.equal(state, 0)
  refreshing.release()
  // The same object can be used again.
  const again = await tab.evaluate(
    () =>
      new Promise((resolve) => {
        request.onload = () => resolve(request.status)
        request.open('GET', '/api/two')
        request.send()
      }),
  )
  assert.deepEqual([again, server.at('/api/one').length, server.at('/auth/refresh').length], [200, 1, 1])
})

it('a request on the wire is aborted as usual', async (tab) => {
  const held = server.hold('/api/one')
  await tab.evaluate(() => void (globalThis.sent = send({ body: () => null })))
  await held.arrived()
  const { seen } = await tab.evaluate(() => (request.abort(), sent))
  assert.deepEqual(
    seen.filter((line) => !line.startsWith('upload')),
    ['1:0', 'loadstart', '4:0', 'abort', 'loadend'],
  )
  held.release()
})

it('its time-out counts from the start, including the wait', async (tab) => {
  server.revoke()
  const refreshing = server.hold('/auth/refresh')
  const { seen } = await tab.evaluate(() => send({ body: () => null, set: { timeout: 300 } }))
  assert.deepEqual(seen, ['1:0', 'loadstart', '4:0', 'timeout', 'loadend'])
  refreshing.release()
  const held = server.hold('/api/two')
  const late = await tab.evaluate(() => send({ url: '/api/two', body: () => null, set: { timeout: 300 } }))
  assert.deepEqual(
    late.seen.filter((line) => !line.startsWith('upload')),
    seen,
  )
  held.release()
})

it('a request refused in one session is not sent in the next one', async (tab) => {
  server.revoke()
  const held = server.hold('/api/one')
  await tab.evaluate(() => void (globalThis.sent = send()))
  await held.arrived()
  await tab.evaluate(() => auth.logout().then(() => signIn('bob')))
  held.release()
  assert.equal((await tab.evaluate(() => sent)).status, 401)
  assert.equal(server.at('/api/one').length, 1)
})

it('a second send(), or a header after it, is refused as the platform does', async (tab) => {
  const names = await tab.evaluate(async () => {
    const names = []
    const sent = send({
      act(request) {
        for (const again of [() => request.send(), () => request.setRequestHeader('x-a', '1')]) {
          try {
            again()
          } catch ({ name }) {
            names.push(name)
          }
        }
      },
    })
    await sent
    const request = new XMLHttpRequest()
    try {
      request.send()
    } catch ({ name }) {
      names.push(name)
    }
    return names
  })
  assert.deepEqual(names, ['InvalidStateError', 'InvalidStateError', 'InvalidStateError'])
})

it('reopening it while it waits starts a new request', async (tab) => {
  server.revoke()
  const refreshing = server.hold('/auth/refresh')
  await tab.evaluate(() => void send())
  await refreshing.arrived()
  await tab.evaluate(() => {
    globalThis.loaded = new Promise((done) => (request.onload = () => done(request.status)))
    request.open('GET', '/api/two')
    request.send()
  })
  refreshing.release()
  assert.equal(await tab.evaluate(() => loaded), 200)
  assert.equal(server.at('/api/one').length, 1)
})

it('wrong use is one clear error', async (tab) => {
  const out = await tab.evaluate(async () => {
    const errors = []
    for (const args of [
      [],
      [null],
      [{}],
      [auth, { apis: '/api' }],
      [auth, { apis: ['ftp://a.test'] }],
      [auth, { attach: { query: 't' } }],
    ]) {
      try {
        createXMLHttpRequest(...args)
      } catch (error) {
        errors.push(`${error.name} ${error.code}`)
      }
    }
    const hidden = make({ exposeToken: false })
    const reported = new Promise((done) =>
      addEventListener('error', (event) => (event.preventDefault(), done(event.error.code))),
    )
    const { seen } = await send({ of: createXMLHttpRequest(hidden), body: () => null })
    auth.dispose()
    return [errors, seen.at(-2), await reported, (await send({ body: () => null })).seen.at(-2)]
  })
  assert.deepEqual(out, [
    [
      'TokenError invalid-argument',
      'TokenError invalid-argument',
      'TokenError invalid-argument',
      'TokenError invalid-option',
      'TokenError invalid-option',
      'TokenError invalid-option',
    ],
    'error not-exposed',
    'not-exposed',
    'error disposed',
  ])
})
