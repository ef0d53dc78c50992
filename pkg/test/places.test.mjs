// The URL of a call, which is kept, or put together from a kept path and a query, is the one that the platform's parser gives.

import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { load } from './support/bundle.mjs'

const { locate, createPlaces } = await load(
  "export { locate } from './call.js'; export { createPlaces } from './places.js'",
)

const PATHS = [
  ...[
    '',
    '/',
    '/a',
    'a',
    './a',
    '../a',
    '/a/',
    '/a/.',
    '/a/..',
    '/a/%2e%2e',
    '/a//b',
    '//other.test',
    '//other.test/a',
    '\\a',
  ],
  ...[
    'http:',
    'https:',
    'https:a',
    'https:/a',
    'HTTPS://A.test',
    'https://a.test:443',
    'https://a.test:444/a',
    'https://127.1',
  ],
  ...[
    'https://u@a.test',
    'https://u:p@a.test/',
    'https://',
    'https://a b/',
    'http://[::1]',
    'https://a.test/a@b',
    '/ü',
    '/%zz',
    '/a|b',
  ],
  ...[
    ' /a',
    '/a ',
    '\t/a',
    '/a\t',
    '/a\n',
    '\u0001',
    '/a\u0001',
    '/a\u007f',
    '/a b',
    '/\ud800',
    '/a"b',
    "/a'b",
    '/a<b',
    '/a^b',
    '/a`{}',
  ],
  ...[
    '#',
    '#a',
    '/a#b',
    'data:,a',
    'data:,a ',
    'blob:https://a.test/b',
    'file:',
    'file:///a',
    'file:///C|',
    'about:blank',
    'x:a',
    'x:',
  ],
]
const QUERIES = [
  ...['', '?', '?a=b', '?a=b&c', '??', '?a?b', '?/../b', '?\\', '?%zz', '?%20', '?[]{}|^`', '?a@b:c', '?!$()*+,;=-._~'],
  ...[
    '? ',
    '?a ',
    '? a',
    '?a\t',
    '?\na',
    '?"',
    "?'",
    '?<>',
    '?ü',
    '?\ud800',
    '?\u0001',
    '?\u007f',
    '?#',
    '?a#b',
    '?a#b?c',
    '?#b ',
  ],
]
const BASES = [
  'https://api.test/a/b',
  'https://api.test/a/b?base=1#b',
  'http://api.test',
  'https://u:p@api.test/',
  'file:///a/b',
  'about:srcdoc',
]

function parsed(text, base) {
  try {
    const { href, username, password } = new URL(text, base)
    return username || password ? undefined : href
  } catch {
    return undefined
  }
}

afterEach(() => delete globalThis.document)

describe('the URL of a call', () => {
  for (const base of BASES) {
    it(`relative to ${base}`, () => {
      globalThis.document = /** @type {any} */ ({ baseURI: base })
      const places = createPlaces()
      // Each twice: when its path is new, and when it is known.
      for (const queries of [QUERIES, QUERIES.toReversed()]) {
        for (const query of queries) {
          for (const path of PATHS) {
            const href = parsed(path + query, base)
            const { place } = locate(path + query, places)
            const named = JSON.stringify(path + query)
            assert.equal(place.href, href, named)
            assert.equal(place.url, href?.split('#')[0] ?? '', named)
          }
        }
      }
    })
  }

  it('follows a base that changes', () => {
    const places = createPlaces()
    for (const base of [
      'https://a.test/b/',
      'https://a.test/c/',
      'https://a.test/b/',
      'http://a.test/b/',
      'https://a.test/b/?',
    ]) {
      globalThis.document = /** @type {any} */ ({ baseURI: base })
      for (const text of ['d', 'd?e', '?e', '/d?e', 'https://b.test/d?e'])
        assert.equal(locate(text, places).place.href, new URL(text, base).href, `${text} at ${base}`)
    }
  })

  it('is parsed once for all queries of a path', () => {
    globalThis.document = /** @type {any} */ ({ baseURI: 'https://a.test/' })
    const places = createPlaces()
    const { URL } = globalThis
    let parsed = 0
    globalThis.URL = class extends URL {
      constructor(...args) {
        super(.../** @type {[string]} */ (args))
        parsed++
      }
    }
    try {
      for (let i = 0; i < 1000; i++) locate(`/a?${i}`, places)
      assert.equal(parsed, 1)
      assert.equal(locate('/a?b', places).place.path, locate('/a', places).place)
    } finally {
      globalThis.URL = URL
    }
  })
})
