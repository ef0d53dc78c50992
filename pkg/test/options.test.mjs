// The options: what they accept, their defaults, and the errors for everything else. This covers Rust apps too, because `written.rs` sends their
// options the same way.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { options as forCore, complete } from '../../src/browser/options.js'

const SECRET = 's3cr3t'
const PAGE = 'https://app.test/shop/'

/** What the names of the last manager are made of. */
let names

/** Objects become lists of their values. */
const values = (value) => (typeof value === 'object' ? Object.values(value).map(values) : value)

/** The options as a page reads them, by name. */
function options(given, base = PAGE) {
  const entries = Object.entries(complete(given, base)).map(([name, value]) => [name, values(value)])
  const { refresh, turn, key, share, ...all } = Object.fromEntries(entries)
  names = { turn, key, share }
  return { refresh: refresh[0], by: refresh[1], ...all }
}

/** The error for wrong options names the option, what it takes, and what it got; it contains no value. */
function refuses(more, name, got) {
  let said
  assert.throws(
    () => options({ refresh: '/r', ...more }),
    (text) => {
      said = text
      return true
    },
  )
  assert.equal(typeof said, 'string', `an error of another kind: ${said}`)
  assert.ok(said.startsWith(`option \`${name}\` `), said)
  assert.match(said, /^option `[^`]+` (takes|is) .*, and got \S/s)
  if (got !== undefined) assert.ok(said.endsWith(`, and got ${got}`), said)
  assert.ok(!said.includes(SECRET), said)
}

/** The names of all members of an object, at any depth. */
function memberNames(value, found = new Set()) {
  if (typeof value !== 'object' || value === null) return found
  for (const name of Object.keys(value)) memberNames(value[name], Array.isArray(value) ? found : found.add(name))
  return found
}

describe('the options for WebAssembly', () => {
  const PLACES = ['access_token', 'refresh_token', 'expires_in', '', 'refresh_expires_in | refresh_token_expires_in']

  it('are all of them by name, and the places of the tokens', () => {
    const given = { refresh: '/r', apis: ['/a'], unauthorized: { status: [401, 419] } }
    const { places, ...all } = forCore(given, PAGE)
    assert.deepEqual(places, PLACES)
    assert.deepEqual(all.refresh.call.url, 'https://app.test/r')
    assert.deepEqual(all.unauthorized[0].status, [401, 419])
  })

  // Rust takes a missing member for one that is left out, so a misspelt name would go unnoticed.
  it('have each name that Rust reads', () => {
    const source = readFileSync(new URL('../../src/browser/options.rs', import.meta.url), 'utf8')
    const read = [...source.matchAll(/(?:[a-z]\(|\w, |\(|\[|, )"([a-z]\w*)"(?=[\],)])/g)].map(([, name]) => name)
    assert.ok(read.length > 50, `${read}`)
    const rule = {
      status: 401,
      body: { path: 'a', absent: true },
      header: { name: 'b' },
      challenge: 'c',
      redirected: true,
    }
    const call = { url: '/r', headers: {}, csrf: { cookie: 'a', header: 'b' } }
    const refreshToken = { header: 'X' }
    const adopt = { header: 'Y' }
    const has = memberNames(
      forCore({ refresh: call, logout: call, attach: { query: 'q' }, adopt, refreshToken, ended: rule }, PAGE),
    )
    assert.deepEqual(
      read.filter((name) => !has.has(name)),
      [],
    )
  })

  // A new name would lose what an earlier version has stored: a key of `dpop`, and the mark of a pending logout.
  it('make the same names in each version', () => {
    const { turn, key, share } = complete({ refresh: '/r', apis: ['/a'] }, PAGE)
    assert.equal(turn, 'https://app.test/r')
    assert.equal(key, '2,,11,"https://app.test/r","POST",0,0,,,0,"include",,0,')
    assert.ok(share.includes(key), share)
  })

  it('have no place for a token that only the browser has', () => {
    const places = (attach) => forCore({ refresh: '/r', attach }, PAGE).places
    assert.deepEqual(places({ cookie: true }), ['', ...PLACES.slice(1)])
    assert.deepEqual(places({ query: 'token' }), PLACES)
  })
})

describe('the option response', () => {
  it('takes a path, or a list of paths', () => {
    const read = (accessToken) => options({ refresh: '/r', response: { accessToken } })
    assert.equal(read('a.b').response[0], 'a.b')
    assert.equal(read(['a', 'b']).response[0], 'a | b')
    assert.deepEqual(
      options({ refresh: '/r', response: { refreshToken: '', expiresIn: [' a | b', 'c'] } }).response.slice(1, 3),
      ['', ' a | b | c'],
    )
  })

  it('takes nothing else', () => {
    refuses({ response: { accessToken: 5 } }, 'response.accessToken', 'a number')
    refuses({ response: { expiresAt: [SECRET, , 'b'] } }, 'response.expiresAt', 'a list')
    refuses({ response: { expiresIn: null } }, 'response.expiresIn', 'null')
    refuses({ response: [] }, 'response', 'a list')
  })
})

/** Each of some odd values is refused with the same message. */
function refusesAll(place, name, odd) {
  for (const [value, got] of odd) refuses(place(value), name, got)
}

const ODD = [
  [null, 'null'],
  [SECRET, 'a string'],
  [7, 'a number'],
  [true, 'a boolean'],
  [[], 'a list'],
  [() => {}, 'a function'],
  [Symbol('x'), 'a symbol'],
  [7n, 'a bigint'],
]

/** Three members that are left out. */
const NONE = [undefined, undefined, undefined]
const STEP_UP = ['insufficient_user_authentication', 'insufficient_claims']

describe('the defaults', () => {
  it('are complete', () => {
    assert.deepEqual(options({ refresh: '/auth/refresh' }), {
      refresh: [
        'https://app.test/auth/refresh',
        'POST',
        [],
        undefined,
        undefined,
        undefined,
        10_000,
        'include',
        ...NONE,
      ],
      by: undefined,
      logout: undefined,
      apis: undefined,
      attach: ['Authorization', 'Bearer', undefined, undefined],
      unauthorized: [[[401], undefined, undefined, [], undefined, undefined]],
      ended: [],
      stepUp: [[[401], undefined, undefined, STEP_UP, undefined, undefined]],
      rejected: undefined,
      adopt: undefined,
      response: ['access_token', 'refresh_token', 'expires_in', '', 'refresh_expires_in | refresh_token_expires_in'],
      csrf: undefined,
      refreshToken: undefined,
      refreshBefore: undefined,
      tabs: 'share',
      restore: 'lazy',
      exposeToken: undefined,
      name: undefined,
      subject: 'sub',
      sessionHint: undefined,
      login: [30_000, []],
      offline: 'auto',
      dpop: undefined,
      isolation: undefined,
    })
  })

  it('have no endpoint with a refresh function, or without a refresh', () => {
    const refresh = () => null
    const { by, refresh: call } = options({ refresh })
    assert.equal(by, refresh)
    assert.equal(call, undefined)
    assert.equal(options({ refresh: false }).by, false)
  })
})

describe('an option with the right type, but a wrong value', () => {
  it('is reported with what it takes and what it got', () => {
    for (const [more, name] of [
      [{ refresh: 'data:,x' }, 'refresh.url'],
      [{ refresh: `https://user:${SECRET}@x.test/` }, 'refresh.url'],
      [{ refresh: '' }, 'refresh.url'],
      [{ refresh: { url: '/r', method: 'TRACE' } }, 'refresh.method'],
      [{ refresh: { url: '/r', method: 'get', body: SECRET } }, 'refresh.body'],
      [{ refresh: { url: '/r', headers: { 'a b': 'x' } } }, 'refresh.headers'],
      [{ refresh: { url: '/r', headers: { a: `x\r\n${SECRET}` } } }, 'refresh.headers'],
      [{ refresh: { url: '/r', headers: { a: '\u007f' } } }, 'refresh.headers'],
      [{ refresh: { url: '/r', headers: { a: 'grün' } } }, 'refresh.headers'],
      [{ refresh: { url: '/r', csrf: { cookie: '', header: 'X' } } }, 'refresh.csrf.cookie'],
      [{ logout: '' }, 'logout.url'],
      [{ logout: { url: '/out', success: [42] } }, 'logout.success'],
      [{ logout: { url: '/out', send: 'access' }, attach: { query: 'token' } }, 'logout.send'],
      [{ logout: { url: '/out', send: 'access' }, attach: { cookie: true } }, 'logout.send'],
      [{ logout: { url: '/out', send: 'access' }, dpop: true }, 'logout.send'],
      [{ attach: { header: 'X Token' } }, 'attach.header'],
      [{ attach: { header: 'X', scheme: 'Be arer' } }, 'attach.scheme'],
      [{ attach: { query: 'a&b' } }, 'attach.query'],
      [{ attach: { query: "a'b" } }, 'attach.query'],
      [{ attach: { cookie: true, csrf: { cookie: 'a', header: '' } } }, 'attach.csrf.header'],
      [{ attach: { cookie: true }, exposeToken: true }, 'exposeToken'],
      [{ attach: { cookie: true }, dpop: true }, 'attach'],
      [{ attach: { query: 'token' }, dpop: true }, 'attach'],
      [{ dpop: { keys: 'memory' }, exposeToken: true }, 'exposeToken'],
      [{ adopt: { header: 'X Token' } }, 'adopt.header'],
      [{ csrf: { cookie: '', header: 'X-CSRF' } }, 'csrf.cookie'],
      [{ ended: [{}] }, 'ended[0]'],
      [{ ended: { status: [] } }, 'ended'],
      [{ ended: [{ status: 401 }, {}] }, 'ended[1]'],
      [{ unauthorized: { networkError: true, status: 401 } }, 'unauthorized'],
      [{ rejected: { body: { path: 'a | b' } } }, 'rejected.body.path'],
      [{ rejected: { status: 99 } }, 'rejected.status'],
      [{ unauthorized: { status: 1000 } }, 'unauthorized.status'],
      [{ unauthorized: { body: { path: 'a..b' } } }, 'unauthorized.body.path'],
      [{ rejected: { header: { name: 'a b' } } }, 'rejected.header.name'],
      [{ ended: { body: { path: 'a', equals: '1', absent: true } } }, 'ended.body.equals'],
      [{ response: { accessToken: 'data.token | data..token' } }, 'response.accessToken'],
      [{ response: { accessToken: '' } }, 'response.accessToken'],
      [{ response: { accessToken: ['a', ''] } }, 'response.accessToken'],
      [{ response: { refreshToken: 'a..b' } }, 'response.refreshToken'],
      [{ response: { expiresIn: 'a.' } }, 'response.expiresIn'],
      [{ refreshToken: { form: '' } }, 'refreshToken.form'],
      [{ refreshToken: { header: 'X Token' } }, 'refreshToken.header'],
      [{ refreshToken: { header: 'X', scheme: 'Be arer' } }, 'refreshToken.scheme'],
      [{ refreshToken: { json: 'refresh' }, refresh: { url: '/r', method: 'GET' } }, 'refreshToken'],
      [{ refreshToken: { form: 'refresh' }, refresh: { url: '/r', body: 'x' } }, 'refreshToken'],
      [{ name: '' }, 'name'],
      [{ subject: '' }, 'subject'],
      [{ sessionHint: 'a b' }, 'sessionHint'],
      [{ login: { incomplete: {} } }, 'login.incomplete'],
      [{ login: { incomplete: [{ status: 99 }] } }, 'login.incomplete[0].status'],
    ])
      refuses(more, name)
  })

  it('is shown in the error if it is a time out of range, which is no secret', () => {
    for (const [timeout, got] of [
      [0, '0'],
      [NaN, 'NaN'],
      [1e300, '1e+300'],
      [Infinity, 'Infinity'],
      [2 ** 31, '2147483648'],
    ]) {
      refuses({ refresh: { url: '/r', timeout } }, 'refresh.timeout', got)
      refuses({ logout: { url: '/r', timeout } }, 'logout.timeout', got)
      refuses({ login: { timeout } }, 'login.timeout', got)
    }
    refuses({ refreshBefore: -1 }, 'refreshBefore', '-1')
  })

  it('is none of these values', () => {
    for (const more of [
      { refresh: { url: '/r', headers: { a: ' words\tand ~ ' } } },
      { refresh: { url: '/r', body: 'x' } },
      { refresh: { url: '/r', method: 'get' } },
      { attach: { header: 'X-Token', scheme: '' } },
      { attach: { query: 'a-b._~9' } },
      { ended: { status: 419 } },
      { ended: { body: { path: 'code' } } },
      { ended: { challenge: 'revoked' } },
      { ended: { redirected: true } },
      { unauthorized: { networkError: true } },
      { refreshToken: { header: 'X', scheme: 'Bearer' } },
      { refreshToken: { json: 'refresh' }, refresh: { url: '/r', body: {} } },
      { refreshBefore: 0 },
      { refreshBefore: 2_147_483_647 },
      { login: { timeout: 1 } },
    ])
      options({ refresh: '/r', ...more })
    assert.equal(options({ refresh: { url: '/r', method: 'get' } }).refresh[1], 'GET')
  })
})

describe('sharing between managers', () => {
  const of = (more, page) => {
    const before = globalThis.location
    globalThis.location = page && /** @type {any} */ ({ origin: page })
    try {
      options({ refresh: '/auth/refresh?account=0', ...more })
      return names
    } finally {
      globalThis.location = before
    }
  }

  it('takes turns by the refresh endpoint without its query', () => {
    assert.equal(of({}).turn, 'https://app.test/auth/refresh')
    assert.equal(of({ refresh: '/auth/refresh?account=1' }).turn, of({}).turn)
    assert.notEqual(of({ refresh: '/auth/refresh?account=1' }).share, of({}).share)
  })

  it('takes turns by another URL with a refresh function', () => {
    const refresh = () => null
    assert.equal(of({ refresh, apis: ['https://api.test/v1'] }).turn, 'https://api.test/v1')
    assert.equal(of({ refresh, logout: '/out?x', apis: ['https://api.test/v1'] }).turn, 'https://app.test/out')
    assert.equal(of({ refresh }, 'https://app.test').turn, 'https://app.test/')
    assert.equal(of({ refresh: false }).turn, '')
  })

  it('depends on every option that decides where a token comes from and goes', () => {
    const refresh = (more) => ({ refresh: { url: '/auth/refresh?account=0', ...more } })
    const all = [
      {},
      { name: 'shop' },
      { subject: 'user_id' },
      refresh({ method: 'GET' }),
      refresh({ headers: { 'X-Tenant': '1' } }),
      refresh({ body: { client_id: 'a' } }),
      refresh({ body: { client_id: 'b' } }),
      refresh({ body: 'client_id' }),
      refresh({ credentials: 'omit' }),
      refresh({ csrf: { cookie: 'a', header: 'b' } }),
      { csrf: { cookie: 'a', header: 'b' } },
      { logout: '/out' },
      { logout: { url: '/out', send: 'token' } },
      { attach: { header: 'X-Token', scheme: '' } },
      { attach: { query: 'token' } },
      { attach: { cookie: true } },
      { adopt: { header: 'X-New' } },
      { dpop: true },
      { dpop: { keys: 'memory' } },
      { response: { accessToken: 'data.token' } },
      { response: { refreshToken: 'access_token' } },
      { refreshToken: { json: 'refresh' } },
      { refreshToken: { form: 'refresh' } },
      { refreshToken: { header: 'refresh' } },
      { apis: ['https://b.test/'] },
      { apis: ['https://b.test/', '/'] },
    ].map((more) => of(more).share)
    assert.equal(new Set(all).size, all.length)
  })

  it('does not depend on the other options', () => {
    const { share } = of({}, 'https://app.test')
    for (const more of [
      { apis: ['/'] },
      { refresh: { url: '/auth/refresh?account=0', timeout: 5 } },
      { tabs: 'lock' },
      { exposeToken: true },
      { login: { timeout: 7 } },
      { unauthorized: { status: 419 } },
      { refreshToken: 'cookie' },
    ]) {
      assert.equal(of(more, 'https://app.test').share, share, JSON.stringify(more))
    }
    assert.equal(of({ apis: ['/a', '/b'] }).share, of({ apis: ['/b', '/a'] }).share, 'their order')
    assert.notEqual(of({}, 'null').share, share, 'a sandboxed page has no origin of its own')
  })

  it('needs a name if there are functions, which cannot be compared', () => {
    for (const more of [
      { refresh: () => null },
      { refresh: { url: '/r', headers: () => ({}) } },
      { logout: { url: '/r', headers: () => ({}) } },
    ]) {
      assert.equal(of(more).share, undefined)
      const named = (name) => of({ ...more, name }).share
      assert.equal(named('shop'), named('shop'))
      assert.notEqual(named('shop'), named('mail'))
    }
    assert.ok(of({ refresh: false }).share)
  })

  it('has a key that depends only on the refresh and the name', () => {
    const { key } = of({})
    assert.equal(of({ apis: ['https://b.test/'], response: { accessToken: 'data.token' }, logout: '/out' }).key, key)
    assert.notEqual(of({ refresh: '/auth/refresh?account=1' }).key, key)
    assert.notEqual(of({ name: 'mail' }).key, key)
  })

  it('does not confuse lists that only look alike', () => {
    const header = (name, value) => of({ refresh: { url: '/r', headers: { [name]: value } } }).key
    assert.notEqual(header('a', 'b1[string1 c'), header('ab', '1[string1 c'))
    assert.notEqual(
      of({ response: { expiresIn: 'a', expiresAt: 'bc' } }).share,
      of({ response: { expiresIn: 'ab', expiresAt: 'c' } }).share,
    )
  })
})

describe('a refresh on another origin', () => {
  it('gets no token by default, and a hint says so', () => {
    const { warn } = console
    const { location } = globalThis
    const said = []
    console.warn = (text) => said.push(text)
    globalThis.location = /** @type {any} */ ({ origin: 'https://app.test' })
    try {
      for (const more of [{}, { refresh: () => null }, { refresh: 'https://auth.test/refresh', apis: ['/'] }])
        options({ refresh: '/r', ...more })
      assert.deepEqual(said, [])
      assert.deepEqual(options({ refresh: 'https://app.test.evil/refresh' }).apis, ['https://app.test/'])
      assert.match(said.join(), /the option `apis` is not set/)
    } finally {
      console.warn = warn
      globalThis.location = location
    }
  })
})

describe('URLs', () => {
  it('are resolved against the page, and may be relative only there', () => {
    assert.equal(options({ refresh: 'refresh?x#y' }).refresh[0], 'https://app.test/shop/refresh?x')
    assert.throws(
      () => complete({ refresh: '/r' }),
      (/** @type {any} */ text) =>
        text.startsWith('option `refresh.url` takes an http or https URL, which may be relative in a page, and got '),
    )
    assert.equal(complete({ refresh: 'https://auth.test' }).refresh.call.url, 'https://auth.test/')
  })

  it('of the APIs are complete, or paths', () => {
    for (const [entry, href] of [
      ['/api', 'https://app.test/api'],
      ['./api/', 'https://app.test/shop/api/'],
      ['../api', 'https://app.test/api'],
      ['api/v1', 'https://app.test/shop/api/v1'],
      ['v1.0/users', 'https://app.test/shop/v1.0/users'],
      ['//api.test', 'https://api.test/'],
      ['http://localhost:3000', 'http://localhost:3000/'],
      ['http://127.0.0.1', 'http://127.0.0.1/'],
      [new URL('https://api.test/v1'), 'https://api.test/v1'],
    ])
      assert.deepEqual(options({ refresh: '/r', apis: [entry] }).apis, [href])
    assert.deepEqual(options({ refresh: '/r', apis: [] }).apis, [])
  })

  it('of the APIs are not hosts without a scheme, and not patterns', () => {
    for (const entry of [
      '',
      '*',
      '/api?x',
      '/api#x',
      '/api?',
      'ftp://x/',
      'https://u@x.test/',
      'https://*.example.com',
      '/api/*',
      'api.example.com',
      'api.example.com/v1',
      'api.example.com:x',
      'localhost:3000',
      'localhost',
      'localhost/api',
      '127.0.0.1',
      '127.0.0.1:80/x',
      ':3000',
      'host:3000/x',
      null,
      7,
      undefined,
    ]) {
      refuses({ apis: ['/api', entry] }, 'apis', 'a list')
    }
    for (const apis of ['/api', null, { 0: '/api' }]) refuses({ apis }, 'apis')
  })

  it('of the APIs have a plain origin and path, whatever the app has written', () => {
    const pieces = [
      'https:',
      'http:',
      '//',
      '/',
      '\\',
      'a.test',
      'app.test',
      'localhost',
      ':80',
      '@',
      '?',
      '#',
      '.',
      '..',
      ' ',
      '\t',
      '*',
      '%2F',
      'x',
      'é',
    ]
    let seed = 20_261_129
    const next = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below
    let taken = 0
    for (let i = 0; i < 5000; i++) {
      const entry = Array.from({ length: 1 + next(5) }, () => pieces[next(pieces.length)]).join('')
      let apis
      try {
        ;({
          apis: [apis],
        } = options({ refresh: '/r', apis: [entry] }))
      } catch (text) {
        assert.match(text, /^option `apis` takes /)
        continue
      }
      taken++
      const { protocol, username, password, search, hash, href } = new URL(entry, PAGE)
      assert.match(protocol, /^https?:$/)
      assert.deepEqual([username, password, search, hash, href], ['', '', '', '', apis], entry)
    }
    assert.ok(taken > 100, `${taken}`)
  })
})

describe('rules', () => {
  it('are one rule or a list, and errors name the wrong one', () => {
    for (const name of ['unauthorized', 'ended', 'stepUp', 'rejected']) {
      const takes = (rule) => options({ refresh: '/r', [name]: rule })
      takes({ status: 401 })
      takes([{ status: [401, 403], body: { path: 'a.b', equals: [1, 'x', false] }, challenge: ['a'] }])
      takes([])
      refusesAll(
        (rule) => ({ [name]: rule }),
        name,
        ODD.filter(([value]) => !Array.isArray(value)),
      )
      refuses({ [name]: [{ status: 401 }, , { status: 403 }] }, `${name}[1]`, 'undefined')
      refuses({ [name]: [{ status: 401 }, SECRET] }, `${name}[1]`, 'a string')
      refusesAll((status) => ({ [name]: { status } }), `${name}.status`, [
        ...ODD.filter(([value]) => value !== 7 && !Array.isArray(value)),
        [199, 'a number'],
        [600, 'a number'],
        [401.5, 'a number'],
        [NaN, 'a number'],
        [[401, , 403], 'a list'],
      ])
      refusesAll((path) => ({ [name]: { body: { path } } }), `${name}.body.path`, [
        [undefined, 'undefined'],
        [7, 'a number'],
        [['a'], 'a list'],
      ])
      refusesAll((equals) => ({ [name]: { body: { path: 'a', equals } } }), `${name}.body.equals`, [
        [null, 'null'],
        [{}, 'an object'],
        [[null], 'a list'],
        [[, 1], 'a list'],
      ])
      refusesAll((challenge) => ({ [name]: { challenge } }), `${name}.challenge`, [
        [7, 'a number'],
        [[7], 'a list'],
        [{}, 'an object'],
      ])
    }
  })

  it('cannot contain impossible members', () => {
    for (const [name, rule, member] of [
      ['ended', { networkError: true }, 'networkError'],
      ['login', { redirected: true }, 'redirected'],
      ['ended', { header: { nam: 'x' } }, 'header.nam'],
      ['unauthorized', { state: 401 }, 'state'],
      ['unauthorized', JSON.parse('{"__proto__":1}'), '__proto__'],
      ['unauthorized', { body: { path: 'a', equal: 1 } }, 'body.equal'],
    ]) {
      assert.throws(
        () => options({ refresh: '/r', [name]: rule }),
        (/** @type {any} */ text) => text.startsWith(`option \`${name}.${member}\` is unknown`),
        member,
      )
    }
    refuses({ unauthorized: { redirected: false } }, 'unauthorized.redirected', 'a boolean')
    refuses({ unauthorized: { networkError: 1 } }, 'unauthorized.networkError', 'a number')
  })
})

describe('the option attach', () => {
  it('takes one of three forms', () => {
    for (const right of [
      {},
      { header: 'X' },
      { scheme: '' },
      { header: 'X', scheme: 'Y' },
      { query: 't' },
      { cookie: true },
      { cookie: true, csrf: { cookie: 'a', header: 'b' } },
    ]) {
      options({ refresh: '/r', attach: right })
    }
    const unknown = (attach, name) => {
      assert.throws(
        () => options({ refresh: '/r', attach }),
        (/** @type {any} */ text) => text.startsWith(`option \`attach.${name}\` is unknown; known are `),
      )
    }
    unknown({ query: 't', header: 'X' }, 'header')
    unknown({ query: 't', cookie: true }, 'cookie')
    unknown({ cookie: true, scheme: 'X' }, 'scheme')
    unknown({ csrf: { cookie: 'a', header: 'b' } }, 'csrf')
    refusesAll((cookie) => ({ attach: { cookie } }), 'attach.cookie', [
      [false, 'a boolean'],
      [SECRET, 'a string'],
      [null, 'null'],
    ])
    refusesAll((attach) => ({ attach }), 'attach', ODD)
    refuses({ attach: { query: 7 } }, 'attach.query', 'a number')
    refuses({ attach: { cookie: true, csrf: { cookie: 'a' } } }, 'attach.csrf.header', 'undefined')
  })
})

describe('the options of calls', () => {
  it('are a URL, an object, and for the refresh also a function or false', () => {
    for (const refresh of ['/r', new URL('https://a.test/'), { url: '/r' }, () => null, false])
      assert.ok(options({ refresh }))
    refusesAll(
      (refresh) => ({ refresh }),
      'refresh',
      ODD.filter(([value]) => !['string', 'function'].includes(typeof value)),
    )
    refusesAll(
      (logout) => ({ logout }),
      'logout',
      ODD.filter(([value]) => typeof value !== 'string'),
    )
    for (const name of ['refresh', 'logout']) {
      refusesAll((headers) => ({ [name]: { url: '/r', headers } }), `${name}.headers`, [
        [null, 'null'],
        [SECRET, 'a string'],
        [{ a: 7 }, 'an object'],
        [['a', 'b'], 'a list'],
      ])
      refusesAll((csrf) => ({ [name]: { url: '/r', csrf } }), `${name}.csrf`, ODD)
      refuses({ [name]: { url: '/r', csrf: { header: 'x' } } }, `${name}.csrf.cookie`, 'undefined')
    }
    refusesAll((success) => ({ logout: { url: '/r', success } }), 'logout.success', [
      [401, 'a number'],
      [[, 401], 'a list'],
      [['401'], 'a list'],
    ])
    refuses({ logout: { url: '/r', send: 'both' } }, 'logout.send', "'both'")
    assert.throws(() => options({ refresh: { url: '/r', success: [] } }), /`refresh.success` is unknown/)
  })

  it('take a cookie and a header for double submit, both', () => {
    refuses({ csrf: { cookie: 'a' } }, 'csrf.header', 'undefined')
    refuses({ adopt: {} }, 'adopt.header', 'undefined')
    refuses({ adopt: 'x-new-token' }, 'adopt', 'a string')
  })
})

describe('the options of a session', () => {
  it('are a name, a claim, a cookie, a login, and the behaviour offline', () => {
    options({
      refresh: '/r',
      name: 'shop',
      subject: 'user_id',
      sessionHint: 'signed_in',
      login: { timeout: 60_000, incomplete: { body: { path: 'mfa' } } },
      offline: 'send',
    })
    options({ refresh: '/r', login: {} })
    for (const name of ['name', 'subject', 'sessionHint'])
      refusesAll(
        (value) => ({ [name]: value }),
        name,
        ODD.filter(([value]) => typeof value !== 'string'),
      )
    refusesAll((login) => ({ login }), 'login', ODD)
    refusesAll(
      (timeout) => ({ login: { timeout } }),
      'login.timeout',
      ODD.filter(([value]) => typeof value !== 'number'),
    )
    refusesAll(
      (incomplete) => ({ login: { incomplete } }),
      'login.incomplete',
      ODD.filter(([value]) => !Array.isArray(value)),
    )
    refuses({ offline: 'never' }, 'offline', "'never'")
    assert.throws(() => options({ refresh: '/r', login: { retry: 1 } }), /`login.retry` is unknown/)
  })
})
