// SignalR's client, with its page's code.

import assert from 'node:assert/strict'
import { hub } from './servers/hub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

let ours
const { server, it } = await library({
  code: snippet('signalr'),
  routes: { '/api/hub/negotiate': (arrived) => ours.negotiate(arrived) },
})
ours = hub(server.http, '/api/hub', (arrived) => Boolean(server.who(arrived)))

it('SignalR: an expired token costs one refresh, even with three connections', async (tab) => {
  ours.log.length = 0
  server.revoke()
  assert.deepEqual(
    await tab.evaluate(async () => {
      const all = [connect(), connect(), connect()]
      await Promise.all(all.map((one) => one.start()))
      return Promise.all(all.map((one, n) => one.invoke('echo', n)))
    }),
    [0, 1, 2],
  )
  assert.equal(server.at('/auth/refresh').length, 1)
  assert.deepEqual(
    ours.log.filter((line) => line.startsWith('connect')),
    ['connect 101', 'connect 101', 'connect 101'],
  )
})

it('SignalR: a lost connection is restored with a new token', async (tab) => {
  await tab.evaluate(async () => {
    globalThis.connection = connect()
    globalThis.back = new Promise((done) => connection.onreconnected(done))
    await connection.start()
  })
  ours.log.length = 0
  server.revoke()
  for (const socket of ours.connections) socket.terminate()
  assert.equal(await tab.evaluate(() => back.then(() => connection.invoke('echo', 'here'))), 'here')
  assert.deepEqual(ours.log, ['negotiate 401', 'negotiate 200', 'connect 101'])
  assert.equal(server.at('/auth/refresh').length, 1)
})

it('SignalR: signing out ends it, and without a session it does not start', async (tab) => {
  assert.deepEqual(
    await tab.evaluate(async () => {
      const connection = connect()
      await connection.start()
      const closed = new Promise((done) => connection.onclose(done))
      await auth.logout()
      await closed
      const { state } = connection
      return [state, await outcome(connect().start()).then(({ error, thrown }) => Boolean(error ?? thrown))]
    }),
    ['Disconnected', true],
  )
})
