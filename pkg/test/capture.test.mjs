// Compares src/call.ts with the platform's own fetch, in a page: the server sees the same request, or the caller the same error, whatever
// the caller does to its objects after the call, on the second sending as on the first.

import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { browser } from './support/browser.mjs'
import { bundle } from './support/bundle.mjs'
import { serve } from './support/server.mjs'
import { bad, good } from './page/calls.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { origin } = await serve({
  '/': '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/compare.js"></script>',
  '/compare.js': ['text/javascript', await bundle(`import ${JSON.stringify(`${here}page/compare.mjs`)}`)],
  '/fixed': ['text/plain', 'abc'],
  '/redirect': ['text/plain', '', { status: 302, location: '/echo' }],
})
const page = await (await browser()).open(`${origin}/`)
await page.waitForFunction(() => globalThis.compare)

const AUTHORIZATION = 'Authorization: Bearer x'
const without = (seen, header) => ({
  ...seen,
  ...(seen.headers && { headers: seen.headers.filter((line) => line !== header) }),
})

describe("the server sees the same request as from the platform's fetch", () => {
  for (const name of Object.keys(good)) {
    it(name, async () => {
      const seen = await page.evaluate((name) => compare(name), name)
      assert.equal(seen.platform.error, undefined)
      assert.deepEqual(seen.first, seen.platform)
      assert.deepEqual(seen.second, seen.platform)
      const authorized = seen['with a header']
      if (authorized.headers && name !== 'no-cors mode') assert.ok(authorized.headers.includes(AUTHORIZATION))
      assert.deepEqual(without(authorized, AUTHORIZATION), seen.platform)
    })
  }
})

// Describes a call made by `make`, which runs in the page; see `captured` there.
const captured = (make, sends) => page.evaluate(`captured(${make}, ${sends ?? 1})`)

describe('a captured call', () => {
  it('knows its URL without the fragment', async () => {
    assert.equal((await captured(() => ['/a/../b?c#d?e#f'])).url, `${origin}/b?c`)
    assert.equal((await captured(() => [new Request('/b?c#d')])).url, `${origin}/b?c`)
  })

  it('follows the history of the page, and its <base>, whatever is patched', async () => {
    const seen = await page.evaluate(() => {
      const seen = []
      const look = () => {
        for (const text of ['b', 'b?c', '?c', '/b?c']) seen.push([located(text), new Request(text).url])
      }
      const { href } = location
      const { baseURI } = Object.getOwnPropertyDescriptors(Node.prototype)
      const base = document.createElement('base')
      look()
      history.pushState(null, '', '/deep/a?x')
      look()
      base.href = '/based/'
      document.head.append(base)
      look()
      base.href = 'https://other.test/'
      look()
      Object.defineProperty(Node.prototype, 'baseURI', { get: () => 'https://evil.test/', configurable: true })
      look()
      Object.defineProperty(Node.prototype, 'baseURI', baseURI)
      base.remove()
      history.replaceState(null, '', href)
      look()
      return seen
    })
    assert.equal(seen.length, 24)
    for (const [ours, platform] of seen) assert.equal(ours, platform)
  })

  it('is exempt if it brings its own Authorization, in any form', async () => {
    for (const make of [
      () => ['/', { headers: { authorization: 'x' } }],
      () => [
        '/',
        {
          headers: [
            ['a', 'b'],
            ['AUTHORIZATION', 'x'],
          ],
        },
      ],
      () => ['/', { headers: new Headers({ Authorization: 'x' }) }],
      () => ['/', { headers: new Map([['Authorization', 'x']]) }],
      () => [new Request('/', { headers: { Authorization: 'x' } })],
      () => [new Request('/'), { headers: { Authorization: 'x' } }],
      ({ foreign }) => ['/', { headers: new (foreign().Headers)({ Authorization: 'x' }) }],
    ]) {
      const { exempt, got } = await captured(make)
      assert.equal(exempt, true, String(make))
      assert.equal(got[0].headers.authorization, 'x', String(make))
    }
  })

  it('sends an Authorization that is undefined as the platform does, as a text', async () => {
    const { exempt, got } = await captured(() => ['/', { headers: { Authorization: undefined } }])
    assert.deepEqual([exempt, got[0].headers.authorization], [true, 'undefined'])
  })

  it('is exempt in no-cors mode', async () => {
    for (const make of [
      () => ['/', { mode: 'no-cors' }],
      () => ['/', { mode: { toString: () => 'no-cors' } }],
      () => [new Request('/', { mode: 'no-cors' })],
      () => [new Request('/'), { mode: 'no-cors' }],
    ])
      assert.equal((await captured(make)).exempt, true, String(make))
  })

  it('is not exempt if init removes the Authorization of its Request', async () => {
    assert.equal(
      (await captured(() => [new Request('/', { headers: { Authorization: 'x' } }), { headers: {} }])).exempt,
      false,
    )
  })

  it('can be sent twice, except with a stream', async () => {
    const stream = 'new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("abc")); c.close() } })'
    const post = `method: 'POST', body: ${stream}, duplex: 'half'`
    for (const make of [
      `() => ['/', { ${post} }]`,
      `() => [new Request('/', { ${post} })]`,
      `() => [new Request('/'), { ${post} }]`,
    ]) {
      const { repeatable, got } = await captured(make)
      assert.equal(repeatable, false, make)
      assert.equal(got[0].body, 'abc')
    }
    for (const make of [
      () => ['/', { method: 'POST', body: 'abc' }],
      () => [new Request('/', { method: 'POST', body: 'abc' })],
      () => [new Request('/', { method: 'PUT', body: new Blob(['abc']), cache: 'no-store', integrity: 'sha256-x' })],
      () => [new Request('/', { method: 'POST', mode: 'same-origin', cache: 'only-if-cached', body: 'abc' })],
    ]) {
      const { repeatable, got } = await captured(make, 2)
      assert.equal(repeatable, true, String(make))
      assert.deepEqual(
        got.map(({ body }) => body),
        ['abc', 'abc'],
      )
    }
  })

  it('locks a stream at the call, as the platform does', async () => {
    const locked = await page.evaluate(() =>
      captured(() => {
        globalThis.stream = new ReadableStream({ start: (controller) => controller.close() })
        return ['/', { method: 'POST', body: globalThis.stream, duplex: 'half' }]
      }, 0).then(() => globalThis.stream.locked),
    )
    assert.equal(locked, true)
  })

  it('passes files on unread', async () => {
    const { same, reads } = await page.evaluate(async () => {
      const file = new File(['abc'], 'name')
      let reads = 0
      for (const name of ['arrayBuffer', 'text', 'stream', 'slice', 'bytes']) file[name] = () => ++reads
      const form = new FormData()
      form.append('file', file)
      const got = await sent(() => ['/', { method: 'POST', body: form }])
      const alone = await sent(() => ['/', { method: 'POST', body: file }])
      return { same: got[0][1].body.get('file') === file && alone[0][1].body === file, reads }
    })
    assert.deepEqual({ same, reads }, { same: true, reads: 0 })
  })

  it('takes nothing from a polluted prototype that the platform would not take', async () => {
    const statuses = await page.evaluate(async () => {
      const polluted = {
        body: 'evil',
        signal: AbortSignal.abort(),
        mode: 'no-cors',
        integrity: 'sha256-x',
        cache: 'only-if-cached',
      }
      const status = (make) => send(make, ['X-Test', 'x']).then(({ status, type }) => `${status} ${type}`, String)
      const found = []
      for (const name of Object.keys(polluted)) {
        Object.prototype[name] = polluted[name]
        try {
          found.push(
            await status(() => ['/fixed']),
            await status(() => ['/fixed', { __proto__: null, method: 'POST', body: 'b' }]),
            await status(() => [new Request('/fixed', /** @type {object} */ ({ __proto__: null }))]),
          )
        } finally {
          delete Object.prototype[name]
        }
      }
      return found
    })
    assert.deepEqual(statuses, Array(15).fill('200 basic'))
  })

  it('keeps members that a future platform may know', async () => {
    const got = await page.evaluate(() => sent(() => ['/', { next: { revalidate: 5 }, someday: 'x' }]))
    assert.deepEqual(got[0][1], { next: { revalidate: 5 }, someday: 'x', headers: {} })
  })

  it("reads each member of init once, in the platform's order", async () => {
    const { ours, platform } = await page.evaluate(async () => {
      const log = (names) => new Proxy({}, { get: (_, name) => void names.push(String(name)) })
      const ours = []
      const platform = []
      await fetch('/', log(platform))
      await sent(() => ['/', log(ours)])
      return { ours, platform }
    })
    assert.equal(new Set(ours).size, ours.length)
    assert.deepEqual(
      ours.filter((name) => platform.includes(name)),
      platform,
    )
  })

  it('replaces a header of the same name, in upper or lower case', async () => {
    const got = await page.evaluate(() =>
      sent(() => ['/', { headers: { 'X-Token': 'own', 'X-Other': '1' } }], ['x-token', 'ours']),
    )
    assert.deepEqual(got[0][1].headers, { 'X-Other': '1', 'x-token': 'ours' })
  })

  it('has its headers in a plain object, because wrappers of fetch spread it', async () => {
    for (const make of [
      () => ['/', { headers: { 'X-Other': '1' } }],
      () => ['/', { headers: [['X-Other', '1']] }],
      () => ['/', { headers: new Headers({ 'X-Other': '1' }) }],
    ]) {
      const got = await page.evaluate(`sent(${make}, ['Authorization', 'Bearer x'])`)
      const [, { headers }] = got[0]
      assert.deepEqual(Object.values(headers), ['1', 'Bearer x'], String(make))
    }
    const twice = await page.evaluate(() =>
      sent(() => [
        '/',
        {
          headers: [
            ['X-One', ' 1 '],
            ['x-one', 2],
          ],
        },
      ]),
    )
    assert.deepEqual(twice[0][1].headers, { 'X-One': '1, 2' })
  })

  it('keeps a header whose name is that of the prototype', async () => {
    for (const headers of ['JSON.parse(`{"__proto__": "a", "b": "c"}`)', '[["__proto__", "a"], ["b", "c"]]']) {
      const text = await page.evaluate(
        `sent(() => ['/', { headers: ${headers} }]).then((got) => JSON.stringify(got[0][1].headers))`,
      )
      assert.equal(text, '{"__proto__":"a","b":"c"}')
    }
  })

  it('keeps its priority', async () => {
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    const priorities = {}
    session.on(
      'Network.requestWillBeSent',
      ({ request }) => (priorities[new URL(request.url).search] = request.initialPriority),
    )
    await page.evaluate(async () => {
      await fetch('/echo?platform', { priority: 'low' })
      await send(() => ['/echo?init', { priority: 'low' }])
      await send(() => [new Request('/echo?request', { priority: 'low' })])
      await send(() => [new Request('/echo?both'), { priority: 'low' }])
      await fetch('/echo?usual')
    })
    assert.notEqual(priorities['?usual'], priorities['?platform'])
    for (const way of ['?init', '?request', '?both']) assert.equal(priorities[way], priorities['?platform'], way)
  })

  it('fills in what a login leaves out, and nothing else', async () => {
    const defaults = "{ method: 'POST', credentials: 'include' }"
    const filled = (make) => page.evaluate(`filled(${make}, ${defaults})`)
    assert.deepEqual(await filled(() => ['/']), { method: 'POST', credentials: 'include' })
    assert.deepEqual(await filled(() => ['/', { body: 'x' }]), { method: 'POST', credentials: 'include' })
    assert.deepEqual(await filled(() => ['/', { method: 'PUT', credentials: 'omit' }]), {
      method: 'PUT',
      credentials: 'omit',
    })
    assert.deepEqual(await filled(() => [new Request('/')]), { method: 'GET', credentials: 'same-origin' })
  })
})

describe('the platform refuses what it always refuses', () => {
  for (const name of Object.keys(bad)) {
    it(name, async () => {
      const seen = await page.evaluate((name) => compare(name), name)
      assert.ok(seen.platform.error)
      assert.deepEqual(seen.first, seen.platform)
    })
  }
})
