// XMLHttpRequest with the token in a page of zone.js, as Angular has it: the app becomes stable again, whatever was refused meanwhile.

import assert from 'node:assert/strict'
import { refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const { server, it } = await library({
  code: `
    import 'zone.js'
    ${snippet('xhr')}
    /** Sends a request in a zone, and tells how often that had something to do, and whether it has at the end. */
    export const inZone = (url, act) => new Promise((resolve) => {
      let changes = 0
      let isBusy = false
      const zone = Zone.current.fork({ name: 'app', onHasTask: (delegate, current, target, { change, macroTask }) => {
        delegate.hasTask(target, { change, macroTask })
        if (change !== 'macroTask') return
        isBusy = macroTask
        changes++
      } })
      zone.run(() => {
        const request = globalThis.request = new XMLHttpRequest()
        request.open('POST', url)
        request.onloadend = () => Zone.root.run(() => setTimeout(() => resolve([request.status, changes > 0, isBusy]), 50))
        request.send('text')
        act?.(request)
      })
    })
  `,
})

it('zone.js: a request that is sent again is over when it is over', async (tab) => {
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => inZone('/api/one')), [200, true, false])
  assert.equal(server.at('/api/one').length, 2)
})

it('zone.js: and so is one whose refusal is its caller\'s, and one that is given up', async (tab) => {
  server.route('/api/never', () => refused())
  assert.deepEqual(await tab.evaluate(() => inZone('/api/never')), [401, true, false])
  server.route('/auth/refresh', () => ({ status: 401, type: 'application/json', body: '{}' }))
  server.revoke()
  assert.deepEqual(await tab.evaluate(() => inZone('/api/two')), [401, true, false])
  assert.deepEqual((await tab.evaluate(() => inZone('/api/three', (request) => request.abort())))[2], false)
})
