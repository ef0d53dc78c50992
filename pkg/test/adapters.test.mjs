// The adapters for APIs other than `fetch`: they do no harm under Node, and give the token only to the right targets. Tests in real pages
// are in tests/libraries.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { load } from './support/bundle.mjs'

describe('the adapters', () => {
  it('accept the test double as a manager', async () => {
    const { createTestTokenManager } = await import('../dist/testing.js')
    const { createXMLHttpRequest } = await import('../dist/adapters/xhr.js')
    const { createEventSource } = await import('../dist/adapters/event-source.js')
    const auth = createTestTokenManager()
    assert.equal(typeof createXMLHttpRequest(auth), 'function')
    assert.equal(typeof createEventSource(auth), 'function')
  })

  it('can be created under Node, where nobody uses them', async () => {
    const auth = /** @type {any} */ ({ fetch() {}, getAccessToken() {}, peekAccessToken() {}, addEventListener() {} })
    const { createXMLHttpRequest } = await import('../dist/adapters/xhr.js')
    const { createEventSource } = await import('../dist/adapters/event-source.js')
    await import('../dist/adapters/websocket.js')
    const { tokenkeepAxios } = await import('../dist/adapters/axios.js')
    const { default: axios } = await import('axios')
    const Request = createXMLHttpRequest(auth)
    assert.throws(() => new Request(), { code: 'server' })
    assert.equal(typeof createEventSource(auth), 'function')
    const instance = axios.create()
    assert.equal(tokenkeepAxios(auth, instance), instance)
  })
})

describe('the targets that get the token', async () => {
  globalThis.location = /** @type {any} */ (new URL('https://page.test/app/'))
  globalThis.origin = 'https://page.test'
  const { target } = await load("export { target } from './adapters/target.js'")
  const covers = (apis, url) => target('it', { apis }).covered(url) !== undefined

  it("are by default the page's own origin only", () => {
    for (const url of [
      'https://page.test/',
      '/x',
      'x',
      'https://page.test:443/x?https://evil.test',
      'HTTPS://PAGE.TEST/x',
      '\\x',
    ])
      assert.ok(covers(undefined, url), url)
    for (const url of [
      'http://page.test/',
      'https://page.test:8443/',
      'https://page.test.evil.test/',
      'https://evil.test/https://page.test/',
      '//evil.test/',
      '\\\\evil.test/',
      'https://user@page.test/',
      'https://page.test@evil.test/',
      'blob:https://page.test/1',
      'data:text/plain,https://page.test/',
      'ws://page.test/',
      'https://:',
    ])
      assert.ok(!covers(undefined, url), url)
  })

  it('are the whole list, on segment borders', () => {
    for (const [api, yes, no] of [
      [
        '/api',
        ['/api', '/api/', '/api/x', '/x/../api', '/api?x', '/api#x'],
        ['/apix', '/API', '/', '/api/../x', '/%61pi'],
      ],
      ['/api/', ['/api/', '/api/x'], ['/api', '/apix']],
      [
        'https://api.test',
        ['https://api.test/', 'https://api.test/x'],
        ['/', 'https://page.test/', 'http://api.test/'],
      ],
      ['v1', ['/app/v1', 'v1/x'], ['/v1']],
    ]) {
      for (const url of yes) assert.ok(covers([api], url), `${api} covers ${url}`)
      for (const url of no) assert.ok(!covers([api], url), `${api} does not cover ${url}`)
    }
    assert.ok(!covers([], '/'))
    assert.ok(covers(['/a', new URL('https://b.test/')], 'https://b.test/x'))
  })

  it('are refused with a clear error if they are not a list of such URLs', () => {
    for (const apis of [
      '/api',
      ['http://a.test/?x'],
      ['https://u:p@a.test'],
      ['ftp://a.test'],
      ['/#x'],
      ['/a', 'http://:'],
      5,
    ]) {
      assert.throws(() => target('it', { apis }), { code: 'invalid-option', message: /^it: option `apis`/ })
    }
    assert.throws(() => target('it', { attach: { query: 'token' } }), { code: 'invalid-option' })
    assert.throws(() => target('it', { attach: { cookie: true } }), { code: 'invalid-option' })
  })

  it('get it in the header that the manager uses', () => {
    const plain = target('it', {})
    assert.deepEqual([plain.header, plain.value('t')], ['Authorization', 'Bearer t'])
    const other = target('it', { attach: { header: 'X-Token', scheme: '' } })
    assert.deepEqual([other.header, other.value('t')], ['X-Token', 't'])
  })
})
