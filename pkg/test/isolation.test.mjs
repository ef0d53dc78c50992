// What crosses between a page and the worker that keeps its token: errors, answers and bodies, one side against the other, over a
// structured clone. tests/e2e checks in browsers that nothing secret crosses.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import './support/page.mjs'
import { createTokenManager } from '../dist/index.js'
import { load } from './support/bundle.mjs'

const {
  covers,
  crossingOptions,
  inlet,
  place,
  pump,
  receiveError,
  receiveResponse,
  sendError,
  sendResponse,
  parseOptions,
  textOf,
  TokenError,
} = await load(`
  export { covers } from './covers.js'
  export { crossingOptions } from './isolation/crossing.js'
  export { receiveError, sendError } from './isolation/errors.js'
  export { parseOptions, place } from './isolation/options.js'
  export { inlet, pump, receiveResponse, sendResponse } from './isolation/response.js'
  export { textOf } from './isolation/text.js'
  export { TokenError } from './error.js'
`)

const ORIGIN = 'https://page.test'

describe('an error', () => {
  const crossed = (error) =>
    receiveError(
      structuredClone(sendError(error, (response) => sendResponse(response, undefined, undefined))),
      (wire) => receiveResponse(wire),
    )

  it('of ours keeps its code, message, status, and whether a retry may help', () => {
    const error = crossed(new TokenError('network', 'no way', { retryable: true, status: 503 }))
    assert.deepEqual(
      [error.name, error.code, error.message, error.retryable, error.status, error.cause],
      ['TokenError', 'network', 'no way', true, 503, undefined],
    )
  })

  it('keeps its cause: an error, or an answer without its body', async () => {
    const { cause } = crossed(new TokenError('network', 'x', { cause: new TypeError('Failed to fetch') }))
    assert.ok(cause instanceof TypeError)
    assert.equal(cause.message, 'Failed to fetch')
    const refusal = crossed(
      new TokenError('rejected', 'x', {
        cause: new Response('{"access_token":"secret"}', { status: 401, headers: { 'x-mine': 'yes' } }),
      }),
    )
    assert.deepEqual(
      [refusal.cause.status, refusal.cause.headers.get('x-mine'), await refusal.cause.text()],
      [401, 'yes', ''],
    )
  })

  it('of the platform keeps its class, name and message, and loses other properties', () => {
    const error = crossed(Object.assign(new TypeError('Failed'), { token: 'secret', cause: 'secret' }))
    assert.deepEqual(
      [error.constructor, error.name, error.message, error.token, error.cause],
      [TypeError, 'TypeError', 'Failed', undefined, undefined],
    )
    const torn = crossed(new DOMException('gone', 'AbortError'))
    assert.deepEqual(
      [torn instanceof DOMException, torn.name, torn.message, torn.code],
      [true, 'AbortError', 'gone', 20],
    )
    class Mine extends Error {
      name = 'Mine'
    }
    const own = crossed(new Mine('x'))
    assert.deepEqual([own.constructor, own.name], [Error, 'Mine'])
  })

  it('that is not an Error is a plain value, or nothing', () => {
    assert.equal(crossed('reason'), 'reason')
    assert.equal(crossed({ token: 'secret' }), undefined)
    assert.equal(crossed(Symbol('x')), undefined)
    assert.equal(crossed(null), undefined)
  })
})

describe('an answer', () => {
  it('has the fields that only the platform can set, and so have its clones', async () => {
    const made = receiveResponse({
      status: 200,
      statusText: 'Fine',
      headers: [['a', 'b']],
      url: `${ORIGIN}/x`,
      type: 'cors',
      redirected: true,
    })
    for (const response of [made, made.clone(), made.clone().clone()])
      assert.deepEqual(
        [
          response instanceof Response,
          response.url,
          response.type,
          response.redirected,
          response.statusText,
          response.headers.get('a'),
          response.body,
        ],
        [true, `${ORIGIN}/x`, 'cors', true, 'Fine', 'b', null],
      )
  })

  it('may have a status that no script can create', () => {
    const opaque = receiveResponse({
      status: 0,
      statusText: '',
      headers: [],
      url: '',
      type: 'opaqueredirect',
      redirected: false,
    })
    assert.deepEqual([opaque.status, opaque.ok, opaque.type], [0, false, 'opaqueredirect'])
    const from = inlet(
      () => {},
      () => {},
    )
    const odd = receiveResponse(
      { status: 204, statusText: 'None', headers: [], url: '', type: 'basic', redirected: false },
      from,
    )
    assert.deepEqual([odd.status, odd.ok, odd.body !== null], [204, true, true])
  })

  it('loses the header that may carry a token', () => {
    const { headers } = sendResponse(
      new Response('', { headers: { 'X-Next': 'secret', 'x-other': 'b' } }),
      'x-next',
      undefined,
    )
    assert.deepEqual(headers, [
      ['content-type', 'text/plain;charset=UTF-8'],
      ['x-other', 'b'],
    ])
  })
})

describe('a body', () => {
  /** A body with as many chunks as its reader takes, with both ends connected. */
  function wired() {
    const seen = { made: 0, cancelled: false }
    const source = new ReadableStream(
      {
        pull: (controller) => controller.enqueue(new Uint8Array([++seen.made])),
        cancel: () => void (seen.cancelled = true),
      },
      { highWaterMark: 0 },
    )
    const into = inlet(
      () => out.pull(),
      () => out.cancel(),
    )
    const out = pump(source, {
      chunk: (bytes) => into.chunk(bytes),
      end: () => into.end(),
      broken: (cause) => into.broken(cause),
    })
    return { seen, into }
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve))

  it('is sent only a few chunks ahead of its reader', async () => {
    const { seen, into } = wired()
    await settled()
    assert.equal(seen.made, 4)
    const reader = into.body.getReader()
    assert.deepEqual((await reader.read()).value, new Uint8Array([1]))
    await settled()
    assert.equal(seen.made, 5)
  })

  it('ends at its source when its reader cancels', async () => {
    const { seen, into } = wired()
    await into.body.cancel()
    await settled()
    assert.equal(seen.cancelled, true)
  })

  it('arrives complete, with a reader of any kind', async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i)
    for (const read of [
      async (response) => new Uint8Array(await response.arrayBuffer()),
      async (response) => {
        const reader = response.body.getReader({ mode: 'byob' })
        const read = []
        for (;;) {
          const { done, value } = await reader.read(new Uint8Array(100))
          if (done) return Uint8Array.from(read)
          read.push(...value)
        }
      },
    ]) {
      const into = inlet(
        () => {},
        () => {},
      )
      const answer = receiveResponse(
        { status: 200, statusText: '', headers: [], url: '', type: 'basic', redirected: false },
        into,
      )
      const reading = read(answer)
      for (let at = 0; at < bytes.length; at += 1000) into.chunk(bytes.slice(at, at + 1000))
      into.end()
      assert.deepEqual(await reading, bytes)
    }
  })

  it('that breaks off rejects with the reason', async () => {
    const reason = { my: 'reason' }
    const into = inlet(
      () => {},
      () => {},
    )
    const answer = receiveResponse(
      { status: 200, statusText: '', headers: [], url: '', type: 'basic', redirected: false },
      into,
    )
    const reading = assert.rejects(answer.text(), (error) => error === reason)
    into.broken(reason)
    await reading
  })
})

describe('the rule of `apis`', () => {
  const platform = globalThis.fetch
  after(() => void (globalThis.fetch = platform))

  it("is the same as the core's", async () => {
    const lists = [[ORIGIN], [`${ORIGIN}/api`], [`${ORIGIN}/api/`], ['https://other.test:8443/v1', `${ORIGIN}/a`]]
    const urls = [
      '/',
      '/api',
      '/api/',
      '/api/x',
      '/apix',
      '/api?x',
      '/api#x',
      '/API',
      '/api%2Fx',
      '/api/../x',
      '/x/../api',
      '/a',
      '/ab',
      '/a/b',
    ].map((path) => new URL(path, ORIGIN).href)
    urls.push(
      'https://other.test:8443/v1',
      'https://other.test:8443/v1/x',
      'https://other.test/v1',
      'http://page.test/api',
      'https://page.test.evil.test/api',
      'https://evil.test/https://page.test/api',
      'https://page.test:443/api',
    )
    for (const apis of lists) {
      const auth = createTokenManager({ refresh: 'https://auth.test/refresh', apis, tabs: 'off' })
      await auth.setTokens({ accessToken: 'token', expiresIn: 300 })
      for (const url of urls) {
        let carries
        globalThis.fetch = async (input, init) => {
          carries = new Request(input, init).headers.has('authorization')
          return new Response('')
        }
        await auth.fetch(url)
        const { apis: settled } = parseOptions({ apis })
        assert.equal(covers(settled, new URL(url)), carries, `${apis} ${url}`)
      }
      auth.dispose()
    }
  })
})

describe('options on their way to the worker', () => {
  it("are the same whatever their order, and whatever the page's URL", () => {
    const one = crossingOptions({ refresh: '/r', apis: ['/a', '/b'], csrf: { cookie: 'c', header: 'h' } })
    const other = crossingOptions({
      csrf: { header: 'h', cookie: 'c' },
      apis: [`${ORIGIN}/a`, '/b'],
      refresh: `${ORIGIN}/r`,
      name: undefined,
    })
    assert.equal(textOf(one.options), textOf(other.options))
    assert.equal(one.name, other.name)
    assert.notEqual(
      one.name,
      crossingOptions({ refresh: '/r', apis: ['/b', '/a'], csrf: { cookie: 'c', header: 'h' } }).name,
    )
    assert.deepEqual(one.options.apis, [`${ORIGIN}/a`, `${ORIGIN}/b`])
  })

  it('do not include members of Object.prototype', () => {
    /** @type {any} */
    const { prototype } = Object
    prototype.apis = ['https://evil.test']
    try {
      assert.deepEqual(Object.keys(crossingOptions({ refresh: '/r' }).options), ['refresh'])
    } finally {
      delete prototype.apis
    }
  })

  it('are refused by name if they cannot cross', () => {
    for (const [options, name] of [
      [{ refresh: () => {} }, 'refresh'],
      [{ refresh: { url: '/r', headers: () => {} } }, 'refresh.headers'],
      [{ unauthorized: [{ status: Symbol('x') }] }, 'unauthorized[0].status'],
      [{ apis: [new Map()] }, 'apis[0]'],
    ])
      assert.throws(
        () => crossingOptions(options),
        (/** @type {any} */ error) => error.code === 'invalid-option' && error.message.includes(`\`${name}\``),
      )
  })

  it('that would show the token are refused by the worker', () => {
    for (const [options, name] of /** @type {[object, string][]} */ ([
      [{ exposeToken: true }, 'exposeToken'],
      [{ attach: { query: 't' } }, 'attach.query'],
      [{ attach: { cookie: true } }, 'attach.cookie'],
      [{ tabs: 'share' }, 'tabs'],
    ]))
      assert.throws(
        () => parseOptions({ refresh: '/r', ...options }),
        (/** @type {any} */ error) => error.code === 'invalid-option' && error.message.includes(`\`${name}\``),
      )
  })

  it('tell the worker what it needs: the names of cookies, and its own endpoints', () => {
    const { cookies, own, adopt, options } = parseOptions({
      refresh: { url: '/r?x', csrf: { cookie: 'one', header: 'h' } },
      logout: '/out',
      csrf: { cookie: 'two', header: 'h' },
      sessionHint: 'three',
      adopt: { header: 'X-Next' },
    })
    assert.deepEqual(cookies.sort(), ['one', 'three', 'two'])
    assert.deepEqual(own, [`${ORIGIN}/r`, `${ORIGIN}/out`])
    assert.deepEqual([adopt, options.tabs], ['x-next', 'lock'])
  })

  it('name endpoints in any spelling', () => {
    for (const path of [
      '/auth/refresh',
      '/auth/%72efresh',
      '/Auth/REFRESH',
      '//auth//refresh/',
      '/auth;x=1/refresh;y',
      '/auth%2Frefresh',
      '/x/../auth/refresh?q#f',
    ])
      assert.equal(place(ORIGIN + path), `${ORIGIN}/auth/refresh`, path)
    for (const path of ['/auth/refresh2', '/auth/refresh/x', '/auth', '/%'])
      assert.notEqual(place(ORIGIN + path), `${ORIGIN}/auth/refresh`, path)
  })
})
