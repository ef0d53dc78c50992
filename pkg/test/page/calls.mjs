// Calls of fetch, in the page. `make` returns new arguments each time; `change` is what the caller does to them right after the call.
// `good` calls reach the server; the platform refuses `bad` ones.

const bytes = (text) => new TextEncoder().encode(text)

function form() {
  const form = new FormData()
  form.append('text', 'two\r\nlines')
  form.append('file', new File(['content'], 'näme "x".txt', { type: 'text/x' }))
  form.append('blob', new Blob(['more']), 'given')
  form.append('text', 'again')
  return form
}

class Exotic {
  get method() {
    return 'PUT'
  }
  get body() {
    return 'inherited'
  }
}

/** The objects of another realm. */
let frame
export function foreign() {
  if (!frame) {
    frame = document.createElement('iframe')
    document.body.append(frame)
  }
  return frame.contentWindow
}

const POST = { method: 'POST' }

export const good = {
  'a relative URL': { make: () => ['/echo?a=b#hash'] },
  'an init that is undefined': { make: () => ['/echo', undefined] },
  'an init that is null': { make: () => ['/echo', null] },
  'an empty init': { make: () => ['/echo', {}] },
  'a URL object, changed after the call': {
    make: () => [new URL('/echo/before', location.href)],
    change: ([url]) => (url.pathname = '/echo/after'),
  },
  'an object that is no URL but says one': { make: () => [{ toString: () => '/echo/told' }] },
  'a URL with blanks and other letters': { make: () => [' /echo/ä b?q=ü "\n '] },
  'an absolute URL that needs normalizing': { make: () => [`HTTP://${location.host}/x/../echo/./y`] },
  'headers in a record': { make: () => ['/echo', { headers: { 'X-One': '1', 'x-two': 2, accept: 'a/b' } }] },
  'headers in a record without prototype': {
    make: () => ['/echo', { __proto__: null, headers: { __proto__: null, 'X-One': '1' } }],
  },
  'headers changed after the call': {
    make: () => ['/echo', { headers: { 'X-One': '1' } }],
    change: ([, init]) => {
      init.headers['X-One'] = '2'
      init.headers['X-Late'] = 'x'
    },
  },
  'headers in pairs': {
    make: () => [
      '/echo',
      {
        headers: [
          ['X-One', '1'],
          ['x-one', '2'],
          ['Accept-Language', 'xx'],
        ],
      },
    ],
    change: ([, init]) => init.headers.push(['X-Late', 'x']),
  },
  'a Headers object changed after the call': {
    make: () => [
      '/echo',
      {
        headers: new Headers([
          ['X-One', '1'],
          ['X-One', '2'],
        ]),
      },
    ],
    change: ([, init]) => init.headers.set('X-One', '3'),
  },
  'headers in a Map': { make: () => ['/echo', { headers: new Map([['X-One', '1']]) }] },
  'headers from a generator': {
    make: () => [
      '/echo',
      {
        headers: (function* () {
          yield ['X-One', '1']
          yield new Set(['X-Two', '2'])
        })(),
      },
    ],
  },
  'a record of headers with a prototype and a symbol that cannot be seen': {
    make: () => {
      const headers = Object.create({ 'X-Inherited': '1' }, { [Symbol('x')]: { value: 1 }, hidden: { value: 1 } })
      headers['X-One'] = '1'
      return ['/echo', { headers }]
    },
  },
  'a header twice in a record': { make: () => ['/echo', { headers: { 'X-One': '1', 'x-one': '2' } }] },
  'a header value that is an object': {
    make: () => {
      const state = { text: 'before' }
      return ['/echo', { headers: [['X-One', { toString: () => state.text, state }]] }]
    },
    change: ([, init]) => (init.headers[0][1].state.text = 'after'),
  },
  'headers with getters': {
    make: () => {
      let reads = 0
      return [
        '/echo',
        {
          headers: {
            get 'X-Read'() {
              return ++reads
            },
          },
        },
      ]
    },
  },
  'inherited headers are no headers': { make: () => ['/echo', { headers: Object.create({ 'X-Inherited': '1' }) }] },
  'a header value with blanks around it': { make: () => ['/echo', { headers: { 'X-One': ' \t1 ' } }] },
  'a header value of Latin-1': { make: () => ['/echo', { headers: { 'X-One': 'ä' } }] },
  'forbidden headers': { make: () => ['/echo', { headers: { Host: 'x', Cookie: 'a=b', 'Sec-X': '1', 'X-Ok': '1' } }] },
  'a Headers object of another realm': {
    make: () => ['/echo', { headers: new (foreign().Headers)({ 'X-One': '1' }) }],
  },
  'a record of another realm': {
    make: () => {
      const init = new (foreign().Object)()
      init.headers = new (foreign().Object)()
      init.headers['X-One'] = '1'
      return ['/echo', init]
    },
  },
  'an init of inherited getters': { make: () => ['/echo', new Exotic()] },
  'an init that is a function': { make: () => ['/echo', Object.assign(() => {}, { method: 'PUT' })] },
  'an init whose members are read once': {
    make: () => {
      const reads = {}
      const once = (name, value) => ((reads[name] = (reads[name] ?? 0) + 1) === 1 ? value : `read-${reads[name]}`)
      return [
        '/echo',
        {
          get method() {
            return once('method', 'PUT')
          },
          get body() {
            return once('body', 'x')
          },
          get headers() {
            return once('headers', { 'X-One': '1' })
          },
        },
      ]
    },
  },
  'an init changed after the call': {
    make: () => ['/echo', { method: 'PUT', body: 'a', headers: { 'X-One': '1' } }],
    change: ([, init]) => Object.assign(init, { method: 'DELETE', body: 'b', headers: {} }),
  },
  'a method in lower case': { make: () => ['/echo', { method: 'delete' }] },
  'a method that the platform does not know': { make: () => ['/echo', { method: 'patch' }] },
  'a method that is an object': { make: () => ['/echo', { method: { toString: () => 'PUT' } }] },
  'no body': { make: () => ['/echo', { ...POST, body: null }] },
  'a text': { make: () => ['/echo', { ...POST, body: 'ä\u{1F600}\ud800' }] },
  'an empty text': { make: () => ['/echo', { ...POST, body: '' }] },
  'a text with its own type': {
    make: () => ['/echo', { ...POST, body: '{}', headers: { 'content-type': 'application/json' } }],
  },
  'a number as body': { make: () => ['/echo', { ...POST, body: 5 }] },
  'an object as body': {
    make: () => {
      const state = { text: 'before' }
      return ['/echo', { ...POST, body: { toString: () => state.text, state } }]
    },
    change: ([, init]) => (init.body.state.text = 'after'),
  },
  'an array as body': { make: () => ['/echo', { ...POST, body: [1, 2] }], change: ([, init]) => init.body.push(3) },
  'a Blob': { make: () => ['/echo', { ...POST, body: new Blob(['ab', 'c'], { type: 'x/y' }) }] },
  'a Blob without type': { make: () => ['/echo', { ...POST, body: new Blob(['ab']) }] },
  'a File': { make: () => ['/echo', { ...POST, body: new File(['ab'], 'name', { type: 'x/y' }) }] },
  'URLSearchParams changed after the call': {
    make: () => [
      '/echo',
      {
        ...POST,
        body: new URLSearchParams([
          ['a', 'ä &'],
          ['a', '2'],
        ]),
      },
    ],
    change: ([, init]) => init.body.append('b', '3'),
  },
  'a form changed after the call': {
    make: () => ['/echo', { ...POST, body: form() }],
    change: ([, init]) => {
      init.body.delete('text')
      init.body.append('late', 'x')
    },
  },
  'an empty form': { make: () => ['/echo', { ...POST, body: new FormData() }] },
  'a form with a type of its own': {
    make: () => ['/echo', { ...POST, body: form(), headers: { 'Content-Type': 'text/plain' } }],
  },
  'a form of another realm': {
    make: () => {
      const body = new (foreign().FormData)()
      body.append('a', 'b')
      return ['/echo', { ...POST, body }]
    },
    change: ([, init]) => init.body.append('late', 'x'),
  },
  'an ArrayBuffer changed after the call': {
    make: () => ['/echo', { ...POST, body: bytes('abc').buffer }],
    change: ([, init]) => new Uint8Array(init.body).fill(88),
  },
  'an ArrayBuffer transferred after the call': {
    make: () => ['/echo', { ...POST, body: bytes('abc').buffer }],
    change: ([, init]) => structuredClone(init.body, { transfer: [init.body] }),
  },
  'a view of a part, changed after the call': {
    make: () => ['/echo', { ...POST, body: bytes('xxabcxx').subarray(2, 5) }],
    change: ([, init]) => init.body.fill(88),
  },
  'a DataView': { make: () => ['/echo', { ...POST, body: new DataView(bytes('xabc').buffer, 1) }] },
  'a wide view': { make: () => ['/echo', { ...POST, body: new Uint16Array([0x4142, 0x4344]) }] },
  'a buffer of another realm': {
    make: () => ['/echo', { ...POST, body: new (foreign().Uint8Array)([65, 66]) }],
    change: ([, init]) => init.body.fill(88),
  },
  'a search of another realm': { make: () => ['/echo', { ...POST, body: new (foreign().URLSearchParams)('a=b') }] },
  'a signal that does nothing': { make: () => ['/echo', { signal: new AbortController().signal }] },
  'a signal that is null': { make: () => ['/echo', { signal: null }] },
  'a signal of another realm': { make: () => ['/echo', { signal: new (foreign().AbortController)().signal }] },
  'a referrer': { make: () => ['/echo', { referrer: '/somewhere', referrerPolicy: 'unsafe-url' }] },
  'a referrer that is a URL object': {
    make: () => ['/echo', { referrer: new URL('/before', location.href), referrerPolicy: 'unsafe-url' }],
    change: ([, init]) => (init.referrer.pathname = '/after'),
  },
  'no referrer': { make: () => ['/echo', { referrer: '' }] },
  'no cache': { make: () => ['/echo', { cache: 'no-store' }] },
  'no credentials': { make: () => ['/echo', { credentials: 'omit' }] },
  keepalive: { make: () => ['/echo', { ...POST, body: 'x', keepalive: true }] },
  'a priority': { make: () => ['/echo', { priority: 'low' }] },
  'same-origin mode': { make: () => ['/echo', { mode: 'same-origin' }] },
  'no-cors mode': { make: () => ['/echo', { mode: 'no-cors', headers: { 'X-Dropped': '1', Accept: 'a/b' } }] },
  integrity: { make: () => ['/fixed', { integrity: 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=' }] },
  'a redirect followed': { make: () => ['/redirect'] },
  'a redirect not followed': { make: () => ['/redirect', { redirect: 'manual' }] },
  'a Request': { make: () => [new Request('/echo', { headers: { 'X-One': '1' } })] },
  'a Request with a fragment': { make: () => [new Request('/echo?x#hash')] },
  'a Request of another realm': {
    make: () => [new (foreign().Request)(`${location.origin}/echo`, { headers: { 'X-One': '1' } })],
  },
  'a Request and an empty init': {
    make: () => [new Request('/echo', { referrer: '/r', referrerPolicy: 'unsafe-url' }), {}],
  },
  'a Request with a referrer': { make: () => [new Request('/echo', { referrer: '/r', referrerPolicy: 'unsafe-url' })] },
  'a Request and an init that resets its referrer': {
    make: () => [new Request('/echo', { referrer: '/r', referrerPolicy: 'unsafe-url' }), { cache: 'no-cache' }],
  },
  'a Request whose headers change after the call': {
    make: () => [new Request('/echo', { headers: { 'X-One': '1' } })],
    change: ([request]) => request.headers.set('X-One', '2'),
  },
  'a Request with a text': { make: () => [new Request('/echo', { ...POST, body: 'abc' })] },
  'a Request with a form': { make: () => [new Request('/echo', { ...POST, body: form() })] },
  'a Request with a Blob': {
    make: () => [new Request('/echo', { method: 'PUT', body: new Blob(['abc'], { type: 'x/y' }) })],
  },
  'a Request of no cache and integrity': {
    make: () => [
      new Request('/fixed', { cache: 'no-store', integrity: 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=' }),
    ],
  },
  'a Request and another body': {
    make: () => [new Request('/echo', { ...POST, body: 'abc' }), { body: new Blob(['d']) }],
  },
  'a Request and other headers': {
    make: () => [new Request('/echo', { headers: { 'X-One': '1' } }), { headers: { 'X-Two': '2' } }],
  },
  'a Request and another method': { make: () => [new Request('/echo'), { method: 'DELETE' }] },
  'a Request that is a subclass': { make: () => [new (class extends Request {})('/echo')] },
  'no window': { make: () => ['/echo', { window: null }] },
  'a member of a later platform': { make: () => ['/echo', { someday: { what: 'ever' } }] },
}

/** Further calls, which an engine may send or refuse. */
export const odd = {
  'a redirect that keeps method and body': { make: () => ['/redirect/307', { ...POST, body: 'abc' }] },
  'a redirect that drops method and body': { make: () => ['/redirect/303', { ...POST, body: 'abc' }] },
  'an answer without a body': { make: () => ['/status/204'] },
  'an answer that is an error': { make: () => ['/status/500', { method: 'PUT', body: 'x' }] },
  'an answer of no known status': { make: () => ['/status/299'] },
  HEAD: { make: () => ['/fixed', { method: 'HEAD' }] },
  OPTIONS: { make: () => ['/echo', { method: 'OPTIONS' }] },
  "a method of the caller's own": { make: () => ['/echo', { method: 'PURGE-it' }] },
  'all credentials': { make: () => ['/echo', { credentials: 'include' }] },
  'cors mode': { make: () => ['/echo', { mode: 'cors' }] },
  'a cache that is reloaded': { make: () => ['/echo', { cache: 'reload' }] },
  'a priority that does not exist': { make: () => ['/echo', { priority: 'urgent' }] },
  'no referrer by policy': { make: () => ['/echo', { referrerPolicy: 'no-referrer' }] },
  'a data URL': { make: () => ['data:text/plain,abc'] },
  'a blob URL, revoked after the call': {
    make: () => [URL.createObjectURL(new Blob(['abc'], { type: 'x/y' }))],
    change: ([url]) => URL.revokeObjectURL(url),
  },
  'an empty ArrayBuffer': { make: () => ['/echo', { ...POST, body: new ArrayBuffer(0) }] },
  'a detached ArrayBuffer': {
    make: () => {
      const body = new ArrayBuffer(2)
      structuredClone(body, { transfer: [body] })
      return ['/echo', { ...POST, body }]
    },
  },
  'a view of a buffer that is detached': {
    make: () => {
      const body = new Uint8Array(2)
      structuredClone(body, { transfer: [body.buffer] })
      return ['/echo', { ...POST, body }]
    },
  },
  'a view that follows the length of its buffer': {
    make: () => ['/echo', { ...POST, body: new Uint8Array(new ArrayBuffer(2, { maxByteLength: 4 })) }],
  },
  'a wide view of big numbers': { make: () => ['/echo', { ...POST, body: new BigInt64Array([1n, -1n]) }] },
  'a File of another realm': {
    make: () => ['/echo', { ...POST, body: new (foreign().File)(['ab'], 'name', { type: 'x/y' }) }],
  },
  'keepalive with a body that is too long': {
    make: () => ['/echo', { ...POST, keepalive: true, body: 'x'.repeat(70_000) }],
  },
  'keepalive with a Blob': { make: () => ['/echo', { ...POST, keepalive: true, body: new Blob(['x']) }] },
  'keepalive in a Request': { make: () => [new Request('/echo', { ...POST, keepalive: true, body: 'x' })] },
  'a stream': {
    make: () => [
      '/echo',
      {
        ...POST,
        duplex: 'half',
        body: new ReadableStream({
          start(controller) {
            controller.enqueue(bytes('abc'))
            controller.close()
          },
        }),
      },
    ],
  },
  'duplex without a stream': { make: () => ['/echo', { ...POST, duplex: 'half', body: 'x' }] },
  'duplex that does not exist': { make: () => ['/echo', { ...POST, duplex: 'full', body: 'x' }] },
  'a network error': { make: () => ['/cut'] },
  'a network error with a body': { make: () => ['/cut', { ...POST, body: 'x' }] },
}

export const bad = {
  'no URL at all': { make: () => ['http://'] },
  'credentials in the URL': { make: () => ['http://a:b@127.0.0.1/'] },
  'a scheme without server': { make: () => ['nowhere:x'] },
  'an init that is a number': { make: () => ['/echo', 5] },
  'an init that is a text': { make: () => ['/echo', 'x'] },
  'a symbol as URL': { make: () => [Symbol('x')] },
  'a symbol as method': { make: () => ['/echo', { method: Symbol('x') }] },
  'a symbol as body': { make: () => ['/echo', { ...POST, body: Symbol('x') }] },
  'a bad header name': { make: () => ['/echo', { headers: { 'a b': 'x' } }] },
  'a bad header name in a pair': { make: () => ['/echo', { headers: [['a b', 'x']] }] },
  'a bad header value': { make: () => ['/echo', { headers: { a: 'x\ny' } }] },
  'a header value beyond Latin-1': { make: () => ['/echo', { headers: { a: '\u0100' } }] },
  'half a pair': { make: () => ['/echo', { headers: [['a']] }] },
  'a text as a pair': { make: () => ['/echo', { headers: ['ab'] }] },
  'a number as a pair': { make: () => ['/echo', { headers: [5] }] },
  'an object as a pair': { make: () => ['/echo', { headers: [{}] }] },
  'headers from a generator that throws': {
    make: () => [
      '/echo',
      {
        headers: (function* () {
          yield ['a', 'b']
          throw new RangeError('mine')
        })(),
      },
    ],
  },
  'headers that are null': { make: () => ['/echo', { headers: null }] },
  'headers that are a number': { make: () => ['/echo', { headers: 5 }] },
  'headers that are a text': { make: () => ['/echo', { headers: 'x' }] },
  'a symbol among the headers': { make: () => ['/echo', { headers: { [Symbol('x')]: 'y' } }] },
  'a symbol as header value': { make: () => ['/echo', { headers: { a: Symbol('x') } }] },
  'a getter that throws': {
    make: () => [
      '/echo',
      {
        get method() {
          throw new RangeError('mine')
        },
      },
    ],
  },
  'a toString that throws': {
    make: () => [
      {
        toString() {
          throw new RangeError('mine')
        },
      },
    ],
  },
  'a header getter that throws': {
    make: () => [
      '/echo',
      {
        headers: {
          get a() {
            throw new RangeError('mine')
          },
        },
      },
    ],
  },
  'a body with GET': { make: () => ['/echo', { body: 'x' }] },
  'a stream with GET': { make: () => ['/echo', { body: new ReadableStream(), duplex: 'half' }] },
  'a stream without duplex': { make: () => ['/echo', { ...POST, body: new ReadableStream() }] },
  'a locked stream': {
    make: () => {
      const body = new ReadableStream()
      body.getReader()
      return ['/echo', { ...POST, body, duplex: 'half' }]
    },
  },
  'a method that is forbidden': { make: () => ['/echo', { method: 'TRACE' }] },
  'a method that is no word': { make: () => ['/echo', { method: 'A B' }] },
  'a mode that does not exist': { make: () => ['/echo', { mode: 'x' }] },
  'the mode of navigations': { make: () => ['/echo', { mode: 'navigate' }] },
  'a cache mode that does not fit': { make: () => ['/echo', { cache: 'only-if-cached' }] },
  'a referrer that is no URL': { make: () => ['/echo', { referrer: 'http://' }] },
  'a signal that is none': { make: () => ['/echo', { signal: {} }] },
  'a resizable buffer': { make: () => ['/echo', { ...POST, body: new ArrayBuffer(2, { maxByteLength: 4 }) }] },
  'a Request that is used up': {
    make: () => {
      const request = new Request('/echo', { ...POST, body: 'x' })
      void request.text()
      return [request]
    },
  },
  'another origin without CORS': { make: () => [location.origin.replace('127.0.0.1', 'localhost') + '/echo'] },
  'another origin in same-origin mode': {
    make: () => [location.origin.replace('127.0.0.1', 'localhost') + '/echo', { mode: 'same-origin' }],
  },
  'a wrong integrity': { make: () => ['/fixed', { integrity: 'sha256-AAAA' }] },
  'a redirect that is an error': { make: () => ['/redirect', { redirect: 'error' }] },
  'a signal already aborted': { make: () => ['/echo', { signal: AbortSignal.abort() }] },
  'a signal aborted with a reason': { make: () => ['/echo', { signal: AbortSignal.abort('why') }] },
  'a Request already aborted': { make: () => [new Request('/echo', { signal: AbortSignal.abort('why') })] },
}
