// The back/forward cache: a page that is left and returned to is the same page, and its manager learns what happened meanwhile.

import assert from 'node:assert/strict'
import { engine } from './support/engine.mjs'
import { world } from './support/world.mjs'

// Playwright switches the cache off, and only in Chromium can this be prevented. The headless shell has no such cache.
const lacks = engine !== 'chrome' && 'a back/forward cache that stays on under automation'
const { server, it } = await world({
  lacks,
  chromium: { hasWindow: true, ignoreDefaultArgs: ['--disable-back-forward-cache'] },
})

/** A tab whose page is left, and returned to after `meanwhile`. Returns whether the page was kept. */
async function away(page, meanwhile) {
  await page.evaluate(() => {
    globalThis.shows = []
    addEventListener('pageshow', ({ persisted }) => shows.push(persisted))
  })
  await page.goto('about:blank')
  await meanwhile?.()
  await page.goBack({ waitUntil: 'commit' })
  const isKept = await page.evaluate(() => globalThis.shows?.[0] === true)
  if (!isKept) {
    await page.reload()
    await page.evaluate(() => start())
  }
  return isKept
}

it('a page with an idle manager is kept, with its token', async (user) => {
  const page = await user.signedIn()
  await page.evaluate(() => call('/api/me'))
  assert.ok(await away(page))
  assert.equal((await page.evaluate(() => call('/api/me'))).status, 200)
  assert.deepEqual(await server.lines(), ['POST /auth/login 200', 'GET /api/me 200', 'GET /api/me 200'])
})

// If a page has an open channel, news from another tab may evict it; then it starts anew. In either case it must be up to date.

const MEANWHILE = {
  'a refresh': { happens: () => auth.refresh(), status: 200, name: 'alice' },
  'a login as another user': {
    happens: () => auth.login('/auth/login', credentials('admin')),
    status: 200,
    name: 'admin',
  },
  'a logout': { happens: () => auth.logout('/auth/logout'), status: 401 },
}

/** A tab that knows of the session, and sets `news` when another tab reports a change. */
async function hears(user) {
  const page = await user.tab()
  await page.evaluate(async () => {
    await until(({ status }) => status === 'signed-in')
    globalThis.news = new Promise((resolve) => auth.addEventListener('change', () => resolve(), { once: true }))
  })
  return page
}

for (const [what, { happens, status, name }] of Object.entries(MEANWHILE)) {
  for (const isClosed of [false, true]) {
    it(`a page returned to after ${what} in another tab${isClosed ? ', which is closed by then,' : ''} learns of it`, async (user) => {
      const page = await user.signedIn()
      const other = await user.tab()
      await other.evaluate(() => until(({ status }) => status === 'signed-in'))
      const isKept = await away(page, async () => {
        await server.revoke()
        const witness = isClosed && (await hears(user))
        await other.evaluate(happens)
        if (!isClosed) return
        // The witness's message has been sent.
        await witness.evaluate(() => news)
        await witness.close()
        await other.close()
      })
      console.log(`after ${what}: ${isKept ? 'kept' : 'begun anew'}`)
      const answer = await page.evaluate(() => call('/api/me'))
      assert.deepEqual([answer.status, answer.body.name], [status, name])
      assert.equal(await page.evaluate(() => auth.state.claims?.sub), name)
      assert.equal((await server.counters()).reuses, 0)
    })
  }
}
