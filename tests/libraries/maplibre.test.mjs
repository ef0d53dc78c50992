// MapLibre, with its page's code: a map whose token expires while its tiles load.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { refused } from '../e2e/support/stub.mjs'
import { snippet } from './support/docs.mjs'
import { library } from './support/library.mjs'

const at = (name) => readFileSync(new URL(`./node_modules/maplibre-gl/dist/${name}`, import.meta.url))
// A tile of one pixel.
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const routes = {
  // The library loads its worker from its own folder.
  '/maplibre-gl-worker.mjs': () => ({ type: 'text/javascript', body: at('maplibre-gl-worker.mjs') }),
  '/maplibre-gl-shared.mjs': () => ({ type: 'text/javascript', body: at('maplibre-gl-shared.mjs') }),
}
const html = `<!doctype html><meta charset="utf-8"><title>tokenkeep</title><link rel="icon" href="data:,">
<div id="map" style="width: 800px; height: 600px"></div><script type="module" src="/bundle.js"></script>`
// This machine has no GPU.
const chromium = { args: ['--enable-unsafe-swiftshader', '--use-gl=angle', '--use-angle=swiftshader'] }

function tiles(of) {
  return { ...routes, '/api/tiles/': (arrived) => (of().who(arrived) ? { type: 'image/png', body: PIXEL } : refused()) }
}

const own = await library({ code: snippet('maplibre'), html, chromium, routes: tiles(() => own.server) })
const transformed = await library({
  code: snippet('maplibre', 'By transformRequest'),
  html,
  chromium,
  routes: tiles(() => transformed.server),
})

/** Shows the map until it is complete, and returns what failed. */
const show = (tab) =>
  tab.evaluate(
    () =>
      new Promise((done) => {
        const failed = []
        globalThis.map = show('map')
        map.on('error', ({ error }) => failed.push(error.message))
        map.once('idle', () => done(failed))
      }),
  )

/** Records the requested tiles: the path, and whether the token is good. */
function follow(server) {
  const arrived = []
  server.route('/api/tiles/', (request) => {
    const isGood = Boolean(server.who(request))
    arrived.push([request.path, isGood])
    return isGood ? { type: 'image/png', body: PIXEL } : refused()
  })
  return arrived
}

own.it(
  'MapLibre, with a custom protocol: tiles with an expired token cost one refresh, and none is missing',
  async (tab) => {
    const { server } = own
    server.revoke()
    const arrived = follow(server)
    assert.deepEqual(await show(tab), [])
    const good = arrived.filter(([, isGood]) => isGood).map(([path]) => path)
    assert.ok(good.length > 1)
    assert.deepEqual([...new Set(arrived.map(([path]) => path))].sort(), good.sort())
    assert.equal(server.at('/auth/refresh').length, 1)
  },
)

transformed.it(
  "MapLibre, by transformRequest: every tile is asked for with the token, and a style's other addresses without",
  async (tab) => {
    const { server } = transformed
    const arrived = follow(server)
    assert.deepEqual(await show(tab), [])
    assert.ok(arrived.length > 1)
    assert.ok(arrived.every(([, isGood]) => isGood))
    assert.equal(server.at('/auth/refresh').length, 0)
    const other = await tab.evaluate(async () => {
      const found = await map._requestManager.transformRequest('https://elsewhere.test/api/tiles/1', 'Tile')
      return found.headers
    })
    assert.equal(other, undefined)
  },
)
