// The options reader: what it accepts, and its errors for everything else.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { got, options } from '../../src/browser/options.js'

const SECRET = 's3cr3t'

/** The error for wrong options names the option, what it takes, and what it got; it contains no value. */
function refuses(more, name, got) {
  let said
  assert.throws(() => options({ refresh: '/r', ...more }), (text) => {
    said = text
    return true
  })
  assert.equal(typeof said, 'string', `an error of another kind: ${said}`)
  assert.ok(said.startsWith(`option \`${name}\` `), said)
  assert.ok(said.endsWith(`, and got ${got}`), said)
  assert.ok(!said.includes(SECRET), said)
}

describe('the option response', () => {
  it('takes a path, or a list of paths', () => {
    const read = (accessToken) => options({ refresh: '/r', response: { accessToken } })
    assert.ok(read('a.b').includes('a.b'))
    assert.ok(read(['a', 'b']).includes('a | b'))
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

const ODD = [[null, 'null'], [SECRET, 'a string'], [7, 'a number'], [true, 'a boolean'], [[], 'a list'], [() => {}, 'a function'], [Symbol('x'), 'a symbol'], [7n, 'a bigint']]

describe('an option with the right type, but a wrong value', () => {
  const says = (given, name) => got(given, `option \`${name}\` takes something else`).split(', and got ')[1]

  it('is reported with a number itself, anything else by its type', () => {
    assert.equal(says({ refreshBefore: -1 }, 'refreshBefore'), '-1')
    assert.equal(says({ refresh: { timeout: NaN } }, 'refresh.timeout'), 'NaN')
    assert.equal(says({ attach: { header: SECRET } }, 'attach.header'), 'a string')
    assert.equal(says({ exposeToken: true }, 'exposeToken'), 'a boolean')
  })

  it('may be where an object is also allowed', () => {
    assert.equal(says({ refresh: SECRET }, 'refresh.url'), 'a string')
    assert.equal(says({ ended: [{}] }, 'ended.body.path'), 'a list')
    assert.equal(says({}, 'logout.url'), 'undefined')
  })
})

describe('rules', () => {
  it('are one rule or a list, and errors name the wrong one', () => {
    for (const name of ['unauthorized', 'ended', 'stepUp', 'rejected']) {
      const takes = (rule) => options({ refresh: '/r', [name]: rule })
      takes({ status: 401 })
      takes([{ status: [401, 403], body: { path: 'a.b', equals: [1, 'x', false] }, challenge: ['a'] }])
      takes([])
      refusesAll((rule) => ({ [name]: rule }), name, ODD.filter(([value]) => !Array.isArray(value)))
      refuses({ [name]: [{ status: 401 }, , { status: 403 }] }, `${name}[1]`, 'undefined')
      refuses({ [name]: [{ status: 401 }, SECRET] }, `${name}[1]`, 'a string')
      refusesAll((status) => ({ [name]: { status } }), `${name}.status`, [...ODD.filter(([value]) => value !== 7 && !Array.isArray(value)), [199, 'a number'], [600, 'a number'], [401.5, 'a number'], [NaN, 'a number'], [[401, , 403], 'a list']])
      refusesAll((path) => ({ [name]: { body: { path } } }), `${name}.body.path`, [[undefined, 'undefined'], [7, 'a number'], [['a'], 'a list']])
      refusesAll((equals) => ({ [name]: { body: { path: 'a', equals } } }), `${name}.body.equals`, [[null, 'null'], [{}, 'an object'], [[null], 'a list'], [[, 1], 'a list']])
      refusesAll((challenge) => ({ [name]: { challenge } }), `${name}.challenge`, [[7, 'a number'], [[7], 'a list'], [{}, 'an object']])
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
      assert.throws(() => options({ refresh: '/r', [name]: rule }), (text) => text.startsWith(`option \`${name}.${member}\` is unknown`), member)
    }
    refuses({ unauthorized: { redirected: false } }, 'unauthorized.redirected', 'a boolean')
    refuses({ unauthorized: { networkError: 1 } }, 'unauthorized.networkError', 'a number')
  })
})

describe('the option attach', () => {
  it('takes one of three forms', () => {
    for (const right of [{}, { header: 'X' }, { scheme: '' }, { header: 'X', scheme: 'Y' }, { query: 't' }, { cookie: true }, { cookie: true, csrf: { cookie: 'a', header: 'b' } }]) {
      options({ refresh: '/r', attach: right })
    }
    const unknown = (attach, name) => {
      assert.throws(() => options({ refresh: '/r', attach }), (text) => text.startsWith(`option \`attach.${name}\` is unknown; known are `))
    }
    unknown({ query: 't', header: 'X' }, 'header')
    unknown({ query: 't', cookie: true }, 'cookie')
    unknown({ cookie: true, scheme: 'X' }, 'scheme')
    unknown({ csrf: { cookie: 'a', header: 'b' } }, 'csrf')
    refusesAll((cookie) => ({ attach: { cookie } }), 'attach.cookie', [[false, 'a boolean'], [SECRET, 'a string'], [null, 'null']])
    refusesAll((attach) => ({ attach }), 'attach', ODD)
    refuses({ attach: { query: 7 } }, 'attach.query', 'a number')
    refuses({ attach: { cookie: true, csrf: { cookie: 'a' } } }, 'attach.csrf.header', 'undefined')
  })
})

describe('the options of calls', () => {
  it('are a URL, an object, and for the refresh also a function or false', () => {
    for (const refresh of ['/r', new URL('https://a.test/'), { url: '/r' }, () => null, false]) assert.ok(options({ refresh }))
    refusesAll((refresh) => ({ refresh }), 'refresh', ODD.filter(([value]) => !['string', 'function'].includes(typeof value)))
    refusesAll((logout) => ({ logout }), 'logout', ODD.filter(([value]) => typeof value !== 'string'))
    for (const name of ['refresh', 'logout']) {
      refusesAll((headers) => ({ [name]: { url: '/r', headers } }), `${name}.headers`, [[null, 'null'], [SECRET, 'a string'], [{ a: 7 }, 'an object'], [['a', 'b'], 'a list']])
      refusesAll((csrf) => ({ [name]: { url: '/r', csrf } }), `${name}.csrf`, ODD)
      refuses({ [name]: { url: '/r', csrf: { header: 'x' } } }, `${name}.csrf.cookie`, 'undefined')
    }
    refusesAll((success) => ({ logout: { url: '/r', success } }), 'logout.success', [[401, 'a number'], [[, 401], 'a list'], [['401'], 'a list']])
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
    options({ refresh: '/r', name: 'shop', subject: 'user_id', sessionHint: 'signed_in', login: { timeout: 60_000, incomplete: { body: { path: 'mfa' } } }, offline: 'send' })
    options({ refresh: '/r', login: {} })
    for (const name of ['name', 'subject', 'sessionHint']) refusesAll((value) => ({ [name]: value }), name, ODD.filter(([value]) => typeof value !== 'string'))
    refusesAll((login) => ({ login }), 'login', ODD)
    refusesAll((timeout) => ({ login: { timeout } }), 'login.timeout', ODD.filter(([value]) => typeof value !== 'number'))
    refusesAll((incomplete) => ({ login: { incomplete } }), 'login.incomplete', ODD.filter(([value]) => !Array.isArray(value)))
    refuses({ offline: 'never' }, 'offline', "'never'")
    assert.throws(() => options({ refresh: '/r', login: { retry: 1 } }), /`login.retry` is unknown/)
  })
})
