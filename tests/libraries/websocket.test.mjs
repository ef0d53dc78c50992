// WebSockets: how the token is sent, and what a refusal causes.

import assert from 'node:assert/strict'
import { WebSocketServer } from 'ws'
import { takeTime } from '../e2e/pages/time.js'
import { json, refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const more = `
  export { openWebSocket }

  /** Opens a socket, and lists its events. */
  export function follow(open) {
    const socket = globalThis.socket = open()
    const seen = globalThis.seen = []
    for (const type of ['open', 'message', 'close', 'error']) socket.addEventListener(type, ({ type, data, code, error }) =>
      seen.push([type, ...[data, code, error?.code].filter((one) => one !== undefined), socket.readyState].join(' ')))
  }
  /** Waits for this many events of a type. */
  export const saw = async (type, count = 1) => {
    const many = () => seen.filter((line) => line.startsWith(type)).length
    while (many() < count) await new Promise((done) => socket.addEventListener(type, done, { once: true }))
    return seen
  }
`

const tickets = new Set()
let given = 0
const routes = {
  '/api/tickets': (arrived) => {
    if (!server.who(arrived)) return refused()
    const ticket = `t${given++}`
    tickets.add(ticket)
    return json({ ticket })
  },
}
const { server, it } = await library({ code: snippet('websocket', 'The token itself') + more, routes })
const ticket = await library({ code: snippet('websocket') + more, routes })
const isGood = (token) => Boolean(server.who({ headers: { authorization: `Bearer ${token}` } }))

/** The connections so far, and the open sockets. `isDown`: no connection is accepted. */
const came = []
const sockets = []
let isDown = false
const wss = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has('chat.v1') ? 'chat.v1' : false),
})

function upgrade(good, request, stream, head) {
  const { pathname, searchParams } = new URL(request.url, 'http://a')
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(', ')
  came.push({ pathname, query: request.url.split('?')[1], protocols })
  if (isDown) return stream.destroy()
  const token = searchParams.get('access_token') ?? protocols.find((name) => name.startsWith('bearer.'))?.slice(7)
  const isTicket = pathname === '/ws/ticket'
  // Refuses at the handshake, as gateways do, or by a close code, as applications do.
  if (pathname === '/ws/query' && !good(token))
    return stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  wss.handleUpgrade(request, stream, head, (socket) => {
    sockets.push(socket)
    if (pathname === '/ws/message') {
      return socket.once('message', (data) =>
        good(JSON.parse(data).token) ? socket.send('welcome') : socket.close(4401),
      )
    }
    if (!(isTicket ? tickets.delete(searchParams.get('ticket')) : good(token))) return socket.close(4401)
    socket.send('welcome')
    socket.on('message', (data) => socket.send(`echo ${data}`))
  })
}
server.http.on('upgrade', (...args) => upgrade(isGood, ...args))

async function follow(tab, open) {
  came.length = sockets.length = 0
  isDown = false
  await tab.evaluate(takeTime)
  await tab.evaluate(() => {
    Math.random = () => 0.5
    /** The current pause. Other timers belong to the manager, and are far ahead. */
    globalThis.pause = () => time.ahead.filter((ms) => ms < 60_000)
  })
  await tab.evaluate((open) => follow(eval(open)), open)
}
const saw = (tab, type, count) => tab.evaluate(([type, count]) => saw(type, count), [type, count])

for (const open of ['byMessage', 'byProtocol', 'byQuery']) {
  it(`${open}: a good token opens it`, async (tab) => {
    await follow(tab, open)
    assert.deepEqual(await saw(tab, 'message'), ['open 1', 'message welcome 1'])
    assert.equal(came.length, 1)
    assert.equal(await tab.evaluate(() => socket.protocol), open === 'byProtocol' ? 'chat.v1' : '')
    if (open !== 'byQuery') assert.equal(came[0].query, undefined)
  })
}

for (const open of ['byMessage', 'byProtocol']) {
  it(`${open}: a close code that says "refused" costs one refresh, and no pause`, async (tab) => {
    server.revoke()
    await follow(tab, open)
    await saw(tab, 'close')
    assert.deepEqual(await tab.evaluate(() => pause()), [0])
    await tab.evaluate(() => time.pass(0))
    assert.deepEqual(await saw(tab, 'message'), ['open 1', 'close 4401 0', 'open 1', 'message welcome 1'])
    assert.deepEqual([came.length, server.at('/auth/refresh').length], [2, 1])
  })
}

it('three sockets refused at once all continue, with one refresh', async (tab) => {
  server.revoke()
  came.length = 0
  await tab.evaluate(() =>
    Promise.all([1, 2, 3].map(() => new Promise((done) => (byProtocol().onmessage = done)))).then(() => {}),
  )
  assert.deepEqual([came.length, server.at('/auth/refresh').length], [6, 1])
})

it('ends if the new token is refused, too', async (tab) => {
  // The server refuses everybody.
  server.http.removeAllListeners('upgrade')
  server.http.on('upgrade', (...args) => upgrade(() => false, ...args))
  try {
    await follow(tab, 'byProtocol')
    for (const n of [1, 2]) {
      await saw(tab, 'close', n)
      await tab.evaluate(() => time.pass(...pause()))
    }
    assert.deepEqual(await saw(tab, 'close', 3), [
      'open 1',
      'close 4401 0',
      'open 1',
      'close 4401 0',
      'error forbidden 3',
      'close 1006 3',
    ])
  } finally {
    server.http.removeAllListeners('upgrade')
    server.http.on('upgrade', (...args) => upgrade(isGood, ...args))
  }
  assert.deepEqual([came.length, server.at('/auth/refresh').length], [2, 1])
})

it('a handshake that fails twice counts as a refusal', async (tab) => {
  server.revoke()
  await follow(tab, 'byQuery')
  for (const n of [1, 2]) {
    await saw(tab, 'close', n)
    await tab.evaluate(() => time.pass(...pause()))
  }
  assert.deepEqual(await saw(tab, 'message'), [
    'error 0',
    'close 1006 0',
    'error 0',
    'close 1006 0',
    'open 1',
    'message welcome 1',
  ])
  assert.deepEqual([came.length, server.at('/auth/refresh').length], [3, 1])
})

it('reconnects to a failing server after ever longer pauses, with one refresh, and finds it again', async (tab) => {
  await follow(tab, 'byQuery')
  await saw(tab, 'message')
  isDown = true
  sockets[0].terminate()
  const pauses = []
  for (let n = 1; n <= 7; n++) {
    await saw(tab, 'close', n)
    pauses.push(...(await tab.evaluate(() => pause())))
    if (n === 7) isDown = false
    await tab.evaluate(() => time.pass(...pause()))
  }
  await saw(tab, 'message', 2)
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 15000, 15000])
  assert.equal(server.at('/auth/refresh').length, 1)
  assert.equal(came.length, 8)
})

it('waits while there is no network', async (tab, user) => {
  await follow(tab, 'byProtocol')
  await saw(tab, 'message')
  await user.context.setOffline(true)
  sockets[0].terminate()
  await saw(tab, 'close')
  await tab.evaluate(() => time.pass(60_000))
  assert.equal(came.length, 1)
  await user.context.setOffline(false)
  assert.deepEqual(await saw(tab, 'message', 2), [
    'open 1',
    'message welcome 1',
    'close 1006 0',
    'open 1',
    'message welcome 1',
  ])
  assert.equal(came.length, 2)
})

it('waits for a failing refresh, and ends with a refused one', async (tab) => {
  server.revoke()
  server.route('/auth/refresh', () => ({ status: 503 }))
  await follow(tab, 'byProtocol')
  await saw(tab, 'close')
  await tab.evaluate(() => time.pass(0))
  await tab.evaluate(async () => {
    while (!events.length) await new Promise((done) => auth.addEventListener('refresherror', done, { once: true }))
  })
  server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 401 }))
  await tab.evaluate(() => outcome(auth.refresh()))
  assert.deepEqual((await saw(tab, 'close', 2)).at(-1), 'close 1000 3')
  assert.equal(came.length, 1)
})

for (const [what, code, leave] of [
  ['signing out', 1000, () => auth.logout()],
  ["another user's login", 1000, () => signIn('bob')],
  ['close()', 4000, () => socket.close(4000, 'enough')],
]) {
  it(`${what} ends it for good`, async (tab) => {
    await follow(tab, 'byProtocol')
    await saw(tab, 'message')
    await tab.evaluate(leave)
    const [, , last] = await saw(tab, 'close')
    assert.equal(last, `close ${code} 3`)
    assert.deepEqual(await tab.evaluate(() => pause()), [])
    assert.equal(
      await tab.evaluate(() => {
        try {
          socket.send('x')
        } catch ({ name }) {
          return name
        }
      }),
      'InvalidStateError',
    )
  })

  it(`${what} ends it while it waits`, async (tab) => {
    await follow(tab, 'byProtocol')
    await saw(tab, 'message')
    isDown = true
    sockets[0].terminate()
    await saw(tab, 'close')
    await tab.evaluate(leave)
    assert.equal((await saw(tab, 'close', 2)).at(-1), `close ${code} 3`)
    assert.deepEqual(await tab.evaluate(() => pause()), [])
    assert.equal(came.length, 1)
  })
}

it('messages go both ways, with the requested type', async (tab) => {
  await follow(tab, 'byProtocol')
  await saw(tab, 'message')
  const [text, kind] = await tab.evaluate(async () => {
    const next = () =>
      new Promise((done) => socket.addEventListener('message', ({ data }) => done(data), { once: true }))
    socket.binaryType = 'arraybuffer'
    const text = next()
    socket.send('hi')
    return [await text, socket.binaryType]
  })
  assert.deepEqual([text, kind], ['echo hi', 'arraybuffer'])
  sockets[0].send(Buffer.from([1]))
  assert.equal((await saw(tab, 'message', 3)).at(-1), 'message [object ArrayBuffer] 1')
})

it('wrong use is one clear error, without the token', async (tab) => {
  const out = await tab.evaluate(async () => {
    const codes = []
    for (const args of [[], [{}, '/ws'], [auth, '/ws']])
      try {
        openWebSocket(...args)
      } catch ({ code }) {
        codes.push(code)
      }
    const fails = (...args) => new Promise((done) => (openWebSocket(...args).onerror = ({ error }) => done(error)))
    const token = await auth.getAccessToken()
    const bad = await fails(auth, '/ws', { token: { protocol: (token) => `b c ${token}` } })
    const hidden = await fails(make({ exposeToken: false }), '/ws', { token: { query: 't' } })
    auth.dispose()
    const disposed = await fails(auth, '/ws', { token: { query: 't' } })
    return [codes, bad.code, bad.message.includes(token) || 'cause' in bad, hidden.code, disposed.code]
  })
  assert.deepEqual(out, [
    ['invalid-argument', 'invalid-argument', 'invalid-argument'],
    'invalid-argument',
    false,
    'not-exposed',
    'disposed',
  ])
})

for (const option of ['protocol', 'message']) {
  it(`a function for the ${option} that throws ends it with one clear error, without the token`, async (tab) => {
    came.length = sockets.length = 0
    isDown = false
    await tab.evaluate(takeTime)
    const [seen, left, message] = await tab.evaluate(async (option) => {
      follow(() =>
        openWebSocket(auth, '/ws/message', {
          token: {
            [option]: (token) => {
              throw new RangeError(token)
            },
          },
        }),
      )
      const failed = new Promise((done) => socket.addEventListener('error', ({ error }) => done(error)))
      const { message, cause } = await failed
      await saw('close')
      return [seen, time.ahead.filter((ms) => ms < 60_000), [message, cause]]
    }, option)
    assert.deepEqual([seen, left], [['error invalid-argument 3', 'close 1006 3'], []])
    assert.deepEqual(message, [`openWebSocket: the function \`token.${option}\` threw (RangeError).`, undefined])
    assert.equal(came.length, option === 'message' ? 1 : 0)
  })
}

ticket.it('a ticket is asked for before each connection', async (tab) => {
  // The other server knows its own tokens.
  const was = server.who
  server.who = ticket.server.who
  ticket.server.http.on('upgrade', (...args) => upgrade(isGood, ...args))
  try {
    await follow(tab, 'connect')
    await saw(tab, 'message')
    ticket.server.revoke()
    sockets[0].terminate()
    await saw(tab, 'close')
    await tab.evaluate(() => time.pass(...pause()))
    await saw(tab, 'message', 2)
  } finally {
    server.who = was
  }
  assert.deepEqual(
    came.map(({ query }) => query),
    ['ticket=t0', 'ticket=t1'],
  )
  assert.equal(ticket.server.at('/auth/refresh').length, 1)
})
