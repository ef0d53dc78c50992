// XMLHttpRequest with the token in a page with zone.js, as in Angular: the app becomes stable again, whatever was refused meanwhile.

import assert from 'node:assert/strict'
import { refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const { server, it } = await library({
  code: `
    import 'zone.js'
    ${snippet('xhr')}
    /** Sends a request in a zone. When it is done and the zone is idle, returns its status, and whether the zone was ever busy. */
    export const inZone = (url, act) => new Promise((resolve) => {
      let changes = 0
      let hasTask = false
      let status
      globalThis.isBusy = () => hasTask
      const look = () => status !== undefined && !hasTask && Zone.root.run(() => resolve([status, changes > 0]))
      const zone = Zone.current.fork({ name: 'app', onHasTask: (delegate, current, target, { change, macroTask }) => {
        delegate.hasTask(target, { change, macroTask })
        if (change !== 'macroTask') return
        hasTask = macroTask
        changes++
        look()
      } })
      zone.run(() => {
        const request = new XMLHttpRequest()
        request.open('POST', url)
        request.onloadend = () => {
          status = request.status
          look()
        }
        request.send('text')
        act?.(request)
      })
    })
  `,
})

/** The request's status, and whether its zone was busy; at the end it is idle. */
async function inZone(tab, url, act) {
  const seen = await tab.evaluate(([url, act]) => inZone(url, act && eval(act)), [url, act && String(act)])
  assert.equal(await tab.evaluate(() => isBusy()), false)
  return seen
}

it('zone.js: the zone is idle once a resent request is done', async (tab) => {
  server.revoke()
  assert.deepEqual(await inZone(tab, '/api/one'), [200, true])
  assert.equal(server.at('/api/one').length, 2)
})

it('zone.js: and once a refusal has gone to its caller, or a request was aborted', async (tab) => {
  server.route('/api/never', () => refused())
  assert.deepEqual(await inZone(tab, '/api/never'), [401, true])
  server.route('/auth/refresh', () => ({ status: 401, type: 'application/json', body: '{}' }))
  server.revoke()
  assert.deepEqual(await inZone(tab, '/api/two'), [401, true])
  await inZone(tab, '/api/three', (request) => request.abort())
})
