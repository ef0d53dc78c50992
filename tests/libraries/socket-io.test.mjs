// socket.io, client and server, with its page's code.

import assert from 'node:assert/strict'
import { Server } from 'socket.io'
import { json } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'
import { until } from './support/until.mjs'

const { server, it } = await library({
  code: `
    ${snippet('socket-io')}
    export function follow() {
      globalThis.seen = []
      globalThis.socket = connect()
      socket.on('connect', () => seen.push('connect')).on('disconnect', (reason) => seen.push(reason)).on('connect_error', ({ message }) => seen.push(message))
    }
    export const connected = () => new Promise((done) => (socket.connected ? done() : socket.once('connect', done)))
  `,
})

/** Whether the server refuses every token. */
let isClosed = false
const isGood = (token) => !isClosed && Boolean(server.who({ headers: { authorization: `Bearer ${token}` } }))
const asked = []
const io = new Server(server.http)
// The server's check is the one on the page.
new Function('io', 'isGood', snippet('socket-io', 'The server'))(io, (token) => (asked.push(token), isGood(token)))

async function follow(tab) {
  isClosed = false
  asked.length = 0
  await tab.evaluate(() => follow())
}

it('socket.io: an expired token costs one refresh, even with three sockets', async (tab) => {
  server.revoke()
  await follow(tab)
  await tab.evaluate(async () => {
    const others = [connect(), connect()]
    await connected()
    for (const other of others) if (!other.connected) await new Promise((done) => other.once('connect', done))
  })
  assert.deepEqual(await tab.evaluate(() => seen), ['unauthorized', 'connect'])
  assert.equal(server.at('/auth/refresh').length, 1)
})

it("socket.io: when the server closes at the token's end, it reconnects with a new one", async (tab) => {
  await follow(tab)
  await tab.evaluate(() => connected())
  server.revoke()
  io.disconnectSockets()
  await tab.waitForFunction(() => seen.length >= 4)
  assert.deepEqual(await tab.evaluate(() => seen), ['connect', 'io server disconnect', 'unauthorized', 'connect'])
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('socket.io: ends if the new token is refused, too', async (tab) => {
  await follow(tab)
  isClosed = true
  await tab.evaluate(() => new Promise((done) => auth.addEventListener('refresh', done)))
  await until(() => asked.length === 2)
  await tab.waitForFunction(() => !socket.active && seen.length >= 2)
  assert.deepEqual(await tab.evaluate(() => [seen, socket.connected]), [['unauthorized', 'unauthorized'], false])
  assert.deepEqual([asked.length, server.at('/auth/refresh').length], [2, 1])
})

it('socket.io: signing out ends it, and so does a refused refresh', async (tab) => {
  await follow(tab)
  await tab.evaluate(() => connected())
  await tab.evaluate(() => auth.logout())
  assert.deepEqual(await tab.evaluate(() => [seen, socket.active]), [['connect', 'io client disconnect'], false])
  await tab.evaluate(() => signIn())
  server.revoke()
  server.route('/auth/refresh', () => json({ error: 'invalid_grant' }, { status: 401 }))
  await follow(tab)
  await tab.waitForFunction(() => !socket.active && seen.length)
  assert.deepEqual(await tab.evaluate(() => seen), ['unauthorized'])
})
