// The fetch of the built package, over the real core, held against the platform's own: before the core is there, without a
// session, with one, and where the first answer refuses the token.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'node:test'
import { bad, good } from './page/calls.mjs'
import { browser } from './support/browser.mjs'
import { bundle } from './support/bundle.mjs'
import { echo, serve } from './support/server.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const refused = ['application/json', '{}', { status: 401, 'www-authenticate': 'Bearer error="invalid_token"' }]

const { origin } = await serve({
  '/': '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
  '/compare.js': ['text/javascript', await bundle(`import ${JSON.stringify(`${here}page/compare.mjs`)}`)],
  '/tokenkeep.js': ['text/javascript', readFileSync(`${here}../dist/index.js`)],
  '/main.js': ['text/javascript', `
    import '/compare.js'
    import { createTokenManager } from '/tokenkeep.js'
    const manager = () => createTokenManager({ refresh: '/auth/refresh', restore: 'manual', tabs: 'off' })
    const nobody = manager()
    const signedIn = manager()
    await signedIn.setTokens({ accessToken: 'good', expiresIn: 300 })
    await nobody.ready
    let refused
    globalThis.prepare = async () => {
      refused = manager()
      await refused.setTokens({ accessToken: 'old', expiresIn: 300 })
    }
    addWays({
      early: (args) => manager().fetch(...args),
      'without a session': (args) => nobody.fetch(...args),
      'with a session': (args) => signedIn.fetch(...args),
      refused: (args) => refused.fetch(...args),
    })
    globalThis.ready = true`],
  '/auth/refresh': ['application/json', '{"access_token":"new","expires_in":300}'],
  '/echo': (request, body) => (request.headers.authorization === 'Bearer old' ? refused : echo(request, body)),
  '/fixed': ['text/plain', 'abc'],
  '/redirect': ['text/plain', '', { status: 302, location: '/echo' }],
})
const page = await (await browser()).open(`${origin}/`)
await page.waitForFunction(() => globalThis.ready)

const compared = (name) => page.evaluate(async (name) => (await prepare(), compare(name)), name)

/** What was seen, less the token. */
function without(token, seen, name) {
  if (!seen.headers || name === 'no-cors mode') return seen
  const line = `Authorization: Bearer ${token}`
  assert.ok(seen.headers.includes(line), `no token: ${seen.headers}`)
  return { ...seen, headers: seen.headers.filter((header) => header !== line) }
}

describe('fetch sends what the platform sends, and the token', () => {
  for (const name of Object.keys(good)) {
    it(name, async () => {
      const seen = await compared(name)
      assert.deepEqual(seen.early, seen.platform)
      assert.deepEqual(seen['without a session'], seen.platform)
      assert.deepEqual(without('good', seen['with a session'], name), seen.platform)
      assert.deepEqual(without('new', seen.refused, name), seen.platform)
    })
  }
})

describe('fetch rejects as the platform rejects', () => {
  for (const name of Object.keys(bad)) {
    it(name, async () => {
      const { platform, early, refused, ...seen } = await compared(name)
      for (const way of [early, refused, seen['without a session'], seen['with a session']]) assert.deepEqual(way, platform)
    })
  }
})

it('nothing of it reaches the console of the page', () => assert.deepEqual(page.errors, []))
