// The small modules beside the core that read answers and the page: what they find, and that they never throw.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { options, tokens } from '../../src/browser/options.js'
import { discard, header, hear, keep, members } from '../../src/browser/http.js'
import { all, claims, isNone } from '../../src/browser/json.js'
import { base, cookie, origin } from '../../src/browser/page.js'

const path = (dotted) => dotted.split('.')

describe('members of JSON', () => {
  it('are found by a path, in which a star stands for any member', () => {
    const batch = [{ error: { code: 7 } }, { error: null }, 'x', { error: { code: 'B', more: {} } }]
    assert.deepEqual(all(batch, path('*.error.code')), ['7', 'B'])
    assert.deepEqual(all({ a: { x: { c: 1 }, y: { c: 2 } } }, path('a.*.c')), ['1', '2'])
    assert.deepEqual(all(batch, path('3.error.more')), ['object'])
    assert.deepEqual(all({ a: [true, null] }, path('a.*')), ['true'])
    for (const none of [null, undefined, 7, 'text', [], {}]) assert.deepEqual(all(none, path('length.toString')), [])
  })

  it('mean "no session" as null, nothing, or null in place of the token', () => {
    for (const none of [null, {}, { session: null }, { session: { token: null } }, { session: null, error: null }]) {
      assert.equal(isNone(none, 'session.token'), true, JSON.stringify(none))
    }
    for (const other of [
      undefined,
      [],
      0,
      '',
      { ok: true },
      { session: {} },
      { session: '' },
      { session: null, error: 'busy' },
      { session: { token: 'x' } },
      { other: null },
    ]) {
      assert.equal(isNone(other, 'session.token'), false, JSON.stringify(other))
    }
    assert.equal(isNone({ a: null, b: 'token' }, 'a | b'), false)
    assert.equal(isNone(null, ''), true)
    assert.equal(isNone({}, ''), false, 'where the browser has the token, any success is one')
  })

  it('name the user by a string or a number, and never by an inherited member', () => {
    assert.deepEqual(claims('{"iat":1,"exp":2,"user_id":7}', 'user_id'), { iat: 1, exp: 2, subject: '7' })
    assert.deepEqual(claims('{"sub":"alice","user_id":7}', 'sub'), { iat: undefined, exp: undefined, subject: 'alice' })
    assert.equal(claims('[]', 'sub'), undefined)
    assert.equal(claims('{}', 'constructor')?.subject, undefined)
  })
})

describe('a body for a rule', () => {
  /** What is read from chunks. The last one may be followed by silence. */
  function read(chunks, isText, goesOn) {
    let isCancelled = false
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
        if (!goesOn) controller.close()
      },
      cancel: () => void (isCancelled = true),
    })
    const response = new Response(body)
    return members(response, 'code', isText).then((found) => [found, response.bodyUsed, isCancelled])
  }

  it('is read until it is complete JSON, or a line of it', async () => {
    assert.deepEqual(await read(['{"co', 'de":', '7}']), [[['7']], false, false])
    assert.deepEqual(await read(['{"code":7}\n'], false, true), [[['7']], false, false])
    assert.deepEqual(await read(['{"code":7}\n{"co'], false, true), [[['7']], false, false])
    assert.deepEqual(await read(['{"code":7}'], true, true), [[['7']], false, false])
    assert.deepEqual(await read(['{\n"code":7\n}']), [[['7']], false, false])
    assert.deepEqual(await read(['null']), [[[]], false, false])
  })

  it('is given up if it is not JSON, too long, or does not arrive', async () => {
    assert.deepEqual(await read(['{"code":7']), [[], false, false])
    assert.deepEqual(await read(['<p>', '{"code":7}'], true, true), [[], false, false])
    assert.deepEqual(await read(['null'], true), [[], false, false])
    assert.deepEqual(await read([], false, true), [[], false, false])
    assert.deepEqual(await read(['[{"code":7},'], false, true), [[], false, false])
    assert.deepEqual(
      await read(
        Array(20)
          .fill(' '.repeat(16 * 1024))
          .concat('{"code":7}'),
      ),
      [[], false, false],
    )
  })

  it('is empty for a value that is no answer, and nothing throws', async () => {
    const read = new Response('x')
    await read.text()
    for (const odd of /** @type {any[]} */ ([
      undefined,
      null,
      7,
      'x',
      {},
      { clone: () => 7 },
      { clone: () => ({ body: { getReader: () => ({}) } }) },
      {
        get headers() {
          throw Error()
        },
        get body() {
          throw Error()
        },
      },
      { body: { cancel: () => 7 } },
      read,
    ])) {
      assert.deepEqual(await members(odd, 'code', false), [])
      assert.equal(await keep(odd), undefined)
      assert.ok(['undefined', 'string'].includes(typeof header(odd, 'Content-Type')))
      discard(odd)
    }
  })
})

describe("an answer to one of the manager's own calls", () => {
  const PLACES = ['access_token', 'refresh_token', 'expires_in', 'expires_at']
  const hearOf = (answer) => hear(Promise.resolve(answer), undefined, 1000, undefined, PLACES, '')

  it('is distinguished from a value that is no answer, and from a refusal', async () => {
    for (const odd of [
      undefined,
      null,
      7,
      {},
      { status: 401, json: () => ({}) },
      { status: '200', headers: new Headers(), clone() {} },
    ]) {
      assert.deepEqual({ ...(await hearOf(odd)) }, { by: odd, isForeign: true })
    }
    assert.deepEqual(Object.keys(await hearOf(Response.error())), ['by'])
    const redirect = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' })
    assert.deepEqual({ ...(await hearOf(redirect)) }, { by: redirect, isRedirect: true })
    const own = (call, refreshToken) => hear(call, refreshToken, 1000, undefined, PLACES, '')
    const error = Error('x')
    const thrown = await own(() => {
      throw error
    })
    assert.deepEqual({ ...thrown }, { by: error })
    const given = await own(({ refreshToken }) => ({ accessToken: refreshToken }), 'b')
    assert.equal(given.accessToken, 'b', 'a function gets the refresh token')
    for (const odd of [undefined, 7, 'x', [], true])
      assert.deepEqual({ ...(await own(() => odd)) }, { by: undefined, isForeign: true })
    assert.deepEqual([(await own(() => null)).isEmpty, (await own(() => null)).status], [true, 0])
  })

  it('is read up to a limit, and stays readable for its caller', async () => {
    const response = Response.json({ access_token: 'a', refresh_token: 'b', user: 'alice' })
    const heard = await hearOf(response)
    assert.deepEqual([heard.by === response, response.bodyUsed, heard.status], [true, false, 200])
    assert.deepEqual([heard.isNone, heard.isRedirected, heard.isEmpty], [false, false, false])
    assert.deepEqual([heard.json, heard.accessToken, heard.refreshToken], [{ user: 'alice' }, 'a', 'b'])
    const twice = (
      await hearOf(
        Response.json({
          access_token: 'a',
          token: 'a',
          header: 'Bearer a',
          list: [{ more: 'b', user: 'ab' }],
          refresh_token: 'b',
          '': '',
        }),
      )
    ).json
    assert.deepEqual(twice, { list: [{ user: 'ab' }], '': '' }, 'the same tokens under other names are taken out, too')
    const long = await hearOf(new Response(`{"access_token":"a","more":"${'x'.repeat(2 ** 21)}"}`))
    assert.deepEqual([long.status, long.json, long.isEmpty], [200, undefined, false])
  })
})

/** The names that Rust reads from what was heard. */
const HEARD = [
  ...readFileSync(new URL('../../src/browser/answer.rs', import.meta.url), 'utf8').matchAll(/heard\.\w+\("(\w+)"\)/g),
].map(([, name]) => name)

it('what Rust reads from an answer are the members of what was heard', async () => {
  const heard = await hear(Promise.resolve(Response.json({})), undefined, 1000, undefined, ['', '', '', '', ''], '')
  const others = ['isRedirect', 'isForeign']
  assert.deepEqual([...new Set(HEARD)].sort(), [...Object.keys(heard), ...others].sort())
})

describe('a polluted prototype', () => {
  const names = [
    'exposeToken',
    'apis',
    'attach',
    'logout',
    'adopt',
    'header',
    'cookie',
    'csrf',
    'query',
    'url',
    'headers',
    'method',
    'body',
    'path',
    'equals',
    'absent',
    'name',
    'login',
    'timeout',
    'accessToken',
    'refreshToken',
    'expiresIn',
    'value',
    ...HEARD,
    'headersBy',
    'call',
    'send',
    'iat',
    'exp',
    'subject',
    ...Array(40).keys(),
  ]
  const PAGE = 'https://app.test/'
  const given = { refresh: { url: '/r' }, attach: {}, unauthorized: [{ status: 401 }], response: {}, login: {} }

  it('adds nothing to what is heard, to claims and to tokens', async () => {
    const places = ['access_token', '', '', '', '']
    const calls = () => [Promise.resolve(Response.json({})), Promise.resolve(Response.error()), () => null, () => 7]
    // Node's own `Response` reads inherited members.
    const [first, second] = [calls(), calls()]
    const read = async (calls) => {
      const all = calls.map((call) => hear(call, undefined, 1000, undefined, places, ''))
      const heard = (await Promise.all(all)).map((heard) => HEARD.map((name) => heard[name]))
      const { iat, exp, subject } = claims('{}', 'sub')
      const { accessToken, expiresIn, refreshToken } = tokens({ accessToken: 'a' })
      return inspect([heard.map(([, ...rest]) => rest), iat, exp, subject, accessToken, expiresIn, refreshToken])
    }
    const clean = await read(first)
    for (const name of names) Object.prototype[name] = 'evil'
    try {
      assert.equal(await read(second), clean)
    } finally {
      for (const name of names) delete Object.prototype[name]
    }
  })

  it('sets no option and no token', async () => {
    const clean = [options(given, PAGE), options({ refresh: '/r' }, PAGE), tokens({ accessToken: 'a' })]
    for (const name of names) Object.prototype[name] = 'evil'
    try {
      const polluted = [options(given, PAGE), options({ refresh: '/r' }, PAGE), tokens({ accessToken: 'a' })]
      assert.equal(JSON.stringify(polluted), JSON.stringify(clean))
      assert.throws(() => tokens({}), /accessToken/)
      assert.equal(
        (await hear(() => ({}), undefined, 1000, undefined, ['access_token', '', '', ''], '')).accessToken,
        undefined,
      )
    } finally {
      for (const name of names) delete Object.prototype[name]
    }
  })
})

describe('the page', () => {
  const before = Object.fromEntries(
    ['document', 'Document', 'Node', 'location', 'navigator', 'origin'].map((name) => [
      name,
      Object.getOwnPropertyDescriptor(globalThis, name),
    ]),
  )
  afterEach(() => {
    for (const [name, descriptor] of Object.entries(before)) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete globalThis[name]
    }
  })
  function stand(there) {
    class Node {
      get baseURI() {
        return there.base
      }
    }
    class Document extends Node {
      get cookie() {
        if (there.cookie === undefined) throw Error('sandboxed')
        return there.cookie
      }
    }
    const document = new Document()
    // Elements with these names hide the properties.
    Object.defineProperties(document, { baseURI: { value: 'clobbered' }, cookie: { value: 'clobbered' } })
    const set = {
      Node,
      Document,
      document,
      navigator: { cookieEnabled: there.enabled ?? true },
      location: there.href && { href: there.href, origin: 'null' },
      origin: there.origin,
    }
    for (const [name, value] of Object.entries(set))
      Object.defineProperty(globalThis, name, { value, configurable: true })
  }

  it('has a base URL, but none of another origin', () => {
    for (const [there, expected] of /** @type {[{ href: string, origin?: string, base: string }, string][]} */ ([
      [{ href: 'https://a.test/x', base: 'https://a.test/y/' }, 'https://a.test/y/'],
      [{ href: 'https://a.test/x', base: 'https://evil.test/' }, 'https://a.test/x'],
      [{ href: 'https://a.test/x', base: 'http://a.test/' }, 'https://a.test/x'],
      [{ href: 'about:srcdoc', origin: 'https://a.test', base: 'https://a.test/y' }, 'https://a.test/y'],
      [{ href: 'about:srcdoc', origin: 'https://a.test', base: 'https://evil.test/' }, 'about:srcdoc'],
      [{ href: 'about:srcdoc', origin: 'null', base: 'https://a.test/y' }, 'https://a.test/y'],
    ])) {
      stand(there)
      assert.equal(base(), expected, JSON.stringify(there))
      if (there.origin) assert.equal(origin(), there.origin)
    }
  })

  it('has URL-decoded cookies, or none, or does not say', () => {
    stand({ cookie: 'a=b%3D%3D; c=100%; d=x=y; e=' })
    assert.deepEqual(['a', 'c', 'd', 'e', 'f'].map(cookie), ['b==', '100%', 'x=y', '', undefined])
    stand({})
    assert.equal(cookie('a'), null, 'a sandboxed frame')
    stand({ cookie: '', enabled: false })
    assert.equal(cookie('a'), null, 'cookies are blocked')
  })

  it('in a worker has no document', () => {
    assert.equal(cookie('a'), null)
    assert.equal(base(), globalThis.location?.href)
  })
})
