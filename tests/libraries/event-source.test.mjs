// EventSource over fetch, compared with the platform's own, and its use of the token.

import assert from 'node:assert/strict'
import { takeTime } from '../e2e/pages/time.js'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'
import { until } from './support/until.mjs'

// Streams as lists of chunks, each sent separately. The cases come from the standard's text, and from the borders between chunks.
const STREAMS = {
  'plain data': ['data: a\n\n'],
  'two lines of data': ['data: a\ndata: b\n\n'],
  'data without a space, with two, without a colon': ['data:a\n\ndata:  a\n\ndata\n\ndata\ndata\n\ndata:\n\n'],
  'the example of the standard': [
    'data: YHOO\ndata: +2\ndata: 10\n\n',
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
  ],
  'CR, LF and CRLF': ['data: a\r\rdata: b\r\n\r\ndata: c\n\ndata: d\r\n\rdata: e\n\r\n'],
  'CRLF between two chunks': ['data: a\r', '\ndata: b\r', '\n\r', '\n', 'data: c\r', '\r', 'data: d\n\n'],
  'a chunk that begins with LF after CR': ['data: a\r', '\n', '\n', 'data: b\r\r'],
  'lines in pieces': ['da', 'ta: ', 'a', 'b\n', '\n'],
  'a BOM, and a second one': ['\uFEFFdata: a\n\n\uFEFFdata: b\n\ndata: c\n\n'],
  'a BOM in pieces': [Buffer.from([0xef]), Buffer.from([0xbb, 0xbf]), 'data: a\n\n'],
  'a character in pieces': [...Array.from(Buffer.from('data: ä€😀\n\n'), (byte) => Buffer.from([byte]))],
  'bytes that are no UTF-8': [Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0xc3, 0x28, 0x0a, 0x0a])],
  comments: [':\n: a\n:\ndata: a\n: b\ndata: b\n:c\n\n'],
  'names of events': [
    'event: test\ndata: a\n\ndata: b\n\nevent:test\n\ndata: c\n\nevent: \ndata: d\n\nevent\ndata: e\n\nevent: one\nevent: test\ndata: f\n\n',
  ],
  ids: [
    'id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid\ndata: d\n\nid: 3\nid: x\0y\ndata: e\n\nid:  ä\ndata: f\n\n',
  ],
  'fields that are none': ['data : a\n data: b\nDATA: c\nfoo: d\n\ndata: e\n data\n:data: f\n\ndata\0: g\n\n'],
  'a null character': ['data: a\0b\n\n'],
  'colons in a value': ['data: a:b::\ndata::c\n\n'],
  'a field that has only a name': ['retry\nid\nevent\ndata: a\n\n'],
  'tabs and spaces': ['data:\ta\n\ndata: \ta \n\n'],
}

const END = 'event: end\ndata: \n\n'
const names = Object.keys(STREAMS)
/** The requests for streams, and the open streams. */
const asked = []
let answer

const { server, it } = await library({
  code: `
    ${snippet('event-source')}
    export { createEventSource }
    export const native = globalThis.EventSource

    export function all(of, url) {
      const source = globalThis.source = new of(url)
      const seen = globalThis.seen = []
      return new Promise((resolve) => {
        for (const type of ['open', 'message', 'test', 'news', 'error', 'end']) source.addEventListener(type, (event) => {
          if (type === 'end') return resolve(seen), source.close()
          seen.push(event instanceof MessageEvent ? [type, event.data, event.lastEventId, event.origin === location.origin] : [type, source.readyState, ...(event.error ? [event.error.code] : [])])
          if (source.readyState === 2) resolve(seen)
        })
      })
    }
  `,
  routes: {
    '/streams/': { handle: stream },
    '/api/streams/': {
      handle: (request, response) => (server.who(request) ? stream(request, response) : response.writeHead(401).end()),
    },
    '/api/news': {
      handle: (request, response) => {
        asked.push(request)
        if (!server.who(request)) return response.writeHead(401).end()
        answer(response, request)
      },
    },
  },
})

async function stream({ url }, response) {
  begin(response)
  for (const chunk of STREAMS[names[url.split('?')[0].split('/').at(-1)]]) await send(response, chunk)
  await send(response, END)
}

const begin = (response, more) =>
  response.writeHead(200, { 'content-type': 'text/event-stream', ...more }).flushHeaders()
/** Sends a chunk separately, or nearly so: the assertions do not depend on it. */
const send = (response, chunk) => new Promise((resolve) => response.write(chunk, () => setTimeout(resolve, 1)))

it("reads each stream like the platform's own", async (tab) => {
  for (const [n, name] of names.entries()) {
    const [ours, theirs] = await tab.evaluate(
      (n) => Promise.all([all(EventSource, `/api/streams/${n}`), all(native, `/streams/${n}`)]),
      n,
    )
    assert.deepEqual(ours, theirs, name)
    assert.ok(ours.length > 1, name)
  }
})

it("has the interface of the platform's own", async (tab) => {
  const [ours, theirs] = await tab.evaluate(() =>
    [EventSource, native].map((of) => {
      const source = new of('streams/0?a#b', { withCredentials: true })
      const face = [
        source.url,
        source.withCredentials,
        source.readyState,
        source.onopen,
        source.OPEN,
        of.CLOSED,
        source instanceof EventTarget,
      ]
      source.close()
      source.close()
      try {
        new of('http://:')
      } catch ({ name }) {
        return [...face, source.readyState, name]
      }
    }),
  )
  assert.deepEqual(ours, theirs)
})

/** The page of the documentation, with controlled time. */
async function follow(tab) {
  asked.length = 0
  await tab.evaluate(takeTime)
  await tab.evaluate(() => {
    globalThis.news = []
    /** The time until it reconnects. Other timers belong to the manager, and are far ahead. */
    globalThis.ahead = () => time.ahead.filter((ms) => ms < 60_000)
    globalThis.pauses = []
    globalThis.ended = new Promise(
      (resolve) =>
        (globalThis.source = listen(
          (one) => news.push(one),
          (error) => resolve(error?.code ?? 'none'),
        )),
    )
    source.addEventListener('error', () => pauses.push(...ahead()))
    globalThis.failed = new Promise((resolve) => source.addEventListener('error', () => resolve(), { once: true }))
  })
}

const newsOf = (tab, count) =>
  tab.evaluate(async (count) => {
    while (news.length < count)
      await new Promise((done) => source.addEventListener('news', () => queueMicrotask(done), { once: true }))
    return news
  }, count)
const closed = (tab) =>
  tab.evaluate(
    () =>
      new Promise((done) =>
        source.readyState === 0 ? done() : source.addEventListener('error', () => done(), { once: true }),
      ),
  )

it('continues with a new token and the last id, after the time that the server names', async (tab) => {
  let response
  answer = (given) => {
    response = given
    begin(given)
  }
  await follow(tab)
  await until(() => response)
  response.write('retry: 700\nid: 7é\nevent: news\ndata: 1\n\nid: 8\ndata: "never ended"\n')
  await newsOf(tab, 1)
  server.revoke()
  response.end()
  await closed(tab)
  const first = response
  await tab.evaluate(() => time.pass(699))
  assert.equal(asked.length, 1)
  await tab.evaluate(() => time.pass(1))
  await until(() => response !== first)
  response.write('event: news\ndata: 2\n\n')
  assert.deepEqual(await newsOf(tab, 2), [1, 2])
  assert.deepEqual(
    asked.map(({ headers }) => headers['last-event-id'] && Buffer.from(headers['last-event-id'], 'latin1').toString()),
    [undefined, '7é', '7é'],
  )
  assert.deepEqual([asked[0].headers.accept, asked[0].headers['cache-control']], ['text/event-stream', 'no-cache'])
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('reconnects to a failing server after ever longer pauses, and finds it again', async (tab) => {
  let isDown = true
  answer = (response) => (isDown ? response.destroy() : (begin(response), response.write('event: news\ndata: 1\n\n')))
  await tab.evaluate(() => void (Math.random = () => 0.5))
  await follow(tab)
  for (let n = 1; n < 7; n++) {
    await tab.evaluate(async (n) => {
      while (pauses.length < n) await new Promise((done) => source.addEventListener('error', done, { once: true }))
    }, n)
    if (n === 6) isDown = false
    await tab.evaluate(() => time.pass(pauses.at(-1)))
  }
  assert.deepEqual(await newsOf(tab, 1), [1])
  assert.deepEqual(await tab.evaluate(() => pauses), [3000, 6000, 9000, 15000, 18000, 18000])
})

for (const [what, given] of Object.entries({
  'is 204': [204, {}],
  'is 500': [500, { 'content-type': 'text/event-stream' }],
  'is of another type': [200, { 'content-type': 'text/html' }],
  'is of a type that begins so': [200, { 'content-type': 'text/event-streams' }],
})) {
  it(`an answer that ${what} ends it, as with the platform's own`, async (tab) => {
    answer = (response) => response.writeHead(...given).end()
    await follow(tab)
    assert.equal(await tab.evaluate(() => ended), 'none')
    assert.deepEqual(await tab.evaluate(() => [source.readyState, ahead()]), [2, []])
  })
}

it('accepts a content type with parameters', async (tab) => {
  answer = (response) => {
    begin(response, { 'content-type': 'Text/Event-Stream;charset=UTF-8' })
    response.write('event: news\ndata: 1\n\n')
  }
  await follow(tab)
  assert.deepEqual(await newsOf(tab, 1), [1])
})

it('tries an unreachable refresh again, and ends with a refused one', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', () => ({ status: 503 }))
  await follow(tab)
  // Only then has the refresh been answered with 503: an explicit one would join it before that.
  await tab.evaluate(() => failed)
  assert.equal(await tab.evaluate(() => source.readyState), 0)
  server.route('/auth/refresh', () => ({ status: 401, type: 'application/json', body: '{}' }))
  await tab.evaluate(async () => {
    auth.refresh().catch(() => {})
    await ended
  })
  assert.deepEqual(await tab.evaluate(() => [source.readyState, events.at(-1)]), [2, 'signout rejected'])
})

for (const [what, leave] of Object.entries({
  'signing out': () => auth.logout(),
  "another user's login": () => signIn('bob'),
  'close()': () => source.close(),
})) {
  it(`${what} ends it, and its connection`, async (tab) => {
    let over
    answer = (response) => {
      over = new Promise((resolve) => response.on('close', resolve))
      begin(response)
      response.write('event: news\ndata: 1\n\n')
    }
    await follow(tab)
    await newsOf(tab, 1)
    await tab.evaluate(leave)
    await over
    assert.deepEqual(await tab.evaluate(() => [source.readyState, ahead()]), [2, []])
    assert.equal(asked.length, 1)
  })
}

it('reports nothing after close(), not even what has already arrived', async (tab) => {
  const over = new Promise((resolve) => {
    answer = (response) => {
      response.on('close', resolve)
      begin(response)
      response.write('event: news\ndata: 1\n\nevent: news\ndata: 2\n\n')
    }
  })
  await tab.evaluate(() => {
    globalThis.seen = []
    const source = listen((one) => {
      seen.push(one)
      source.close()
    })
  })
  await over
  assert.deepEqual(await tab.evaluate(() => seen), [1])
})

it('wrong use is one clear error', async (tab) => {
  const out = await tab.evaluate(async () => {
    const codes = []
    for (const auth of [undefined, {}, fetch])
      try {
        createEventSource(auth)
      } catch ({ code }) {
        codes.push(code)
      }
    auth.dispose()
    return [
      codes,
      await new Promise((resolve) =>
        listen(
          () => {},
          ({ code }) => resolve(code),
        ),
      ),
    ]
  })
  assert.deepEqual(out, [['invalid-argument', 'invalid-argument', 'invalid-argument'], 'disposed'])
})
