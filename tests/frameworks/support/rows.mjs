// The tests that an app in any framework must pass. `it` is from support/site.mjs; the app is the one on the framework's page.

import assert from 'node:assert/strict'
import { isQuiet, says, signIn } from './site.mjs'

const FORM = '[name=username]'

/** Signs in, and arrives at the guarded page. */
export async function enter(open, path) {
  const page = await open(path)
  await page.locator(FORM).waitFor()
  await signIn(page)
  await says(page, 'signed in as alice')
  return page
}

/** `path`: the path of a page that the browser renders. */
export function rows(it, { path = '/' } = {}) {
  visible(it, path)

  it('three calls with an expired token cost one refresh, and the page stays', async (open, server) => {
    const page = await enter(open, path)
    await page.evaluate(() => (globalThis.stays = document.querySelector('#state')))
    const before = await server.refreshes()
    await server.revoke()
    assert.deepEqual(await page.evaluate(() => calls(3)), [200, 200, 200])
    assert.equal(await server.refreshes(), before + 1)
    await says(page, 'signed in as alice')
    assert.equal(await page.evaluate(() => stays.isConnected), true)
    isQuiet(page)
  })

  it('signing out leads to the form, and components that are gone no longer listen', async (open, server) => {
    const page = await enter(open, path)
    const shown = await page.evaluate(() => listeners)
    await page.click('text=Sign out')
    await page.locator(FORM).waitFor()
    const left = await page.evaluate(() => listeners)
    await signIn(page)
    await says(page, 'signed in as alice')
    assert.equal(await page.evaluate(() => listeners), shown)
    assert.ok(left <= shown, `${left} of ${shown}`)
    assert.deepEqual(await server.lines('/auth/logout'), ['POST /auth/logout 204'])
    isQuiet(page)
  })
}

/** What a user can see. */
export function visible(it, path = '/') {
  it('a signed-out visitor is led to the form, with one question to the server', async (open, server) => {
    const page = await open(path)
    await page.locator(FORM).waitFor()
    assert.equal(await server.refreshes(), 1)
    isQuiet(page)
  })

  it('signing in shows the state, and a call carries the token', async (open, server) => {
    const page = await enter(open, path)
    await page.click('text=Who am I?')
    await page.locator('pre', { hasText: 'alice' }).waitFor()
    assert.deepEqual(await server.lines('/api'), ['GET /api/me 200'])
    isQuiet(page)
  })

  it('a wrong password is reported, and costs no refresh', async (open, server) => {
    const page = await open(path)
    await page.locator(FORM).waitFor()
    const before = await server.refreshes()
    await signIn(page, ['alice', 'rabbit'])
    await page.locator('[role=alert]', { hasText: 'wrong' }).waitFor()
    assert.equal(await server.refreshes(), before)
    isQuiet(page)
  })

  it('a reload returns to the guarded page', async (open) => {
    const page = await enter(open, path)
    await page.reload()
    await says(page, 'signed in as alice')
    isQuiet(page)
  })

  it('a session ended by the server leads to the form', async (open, server) => {
    const page = await enter(open, path)
    await server.end()
    await server.revoke()
    await page.click('text=Who am I?')
    await page.locator(FORM).waitFor()
    isQuiet(page)
  })

  it('a sign-out in another tab leads to the form here', async (open) => {
    const page = await enter(open, path)
    const other = await open(path)
    await says(other, 'signed in as alice')
    await other.click('text=Sign out')
    await page.locator(FORM).waitFor()
    isQuiet(page)
  })

  it('an outage is shown, is no sign-out, and ends with a retry', async (open, server) => {
    const page = await enter(open, path)
    await server.faults({ refresh: 'down' })
    await page.reload()
    await says(page, 'out of order: bad-status')
    const before = await server.refreshes()
    const answer = page.waitForResponse(/auth.refresh/)
    await page.click('text=Try again')
    await answer
    await says(page, 'out of order: bad-status')
    assert.equal(await server.refreshes(), before + 1)
    await server.faults()
    await page.click('text=Try again')
    await says(page, 'signed in as alice')
    isQuiet(page)
  })
}

/** With a router. */
export function comesBack(it) {
  it('after signing in, a redirected visitor returns to where they were going', async (open, server, origin) => {
    const page = await open('/?from=a-link')
    await page.waitForURL(/\/sign-in\?next=/)
    await signIn(page)
    await says(page, 'signed in as alice')
    assert.equal(page.url(), `${origin}/?from=a-link`)
    isQuiet(page)
  })
}

/** The page that a server has rendered: `/`. */
export function hydration(it) {
  it('a server renders the unknown state', async (open, server, origin) => {
    const html = await (await fetch(`${origin}/`)).text()
    assert.match(html, /one moment/)
    assert.doesNotMatch(html, /signed in|username/)
  })

  for (const [when, path] of [
    ['before', '/'],
    ['after', '/#late'],
  ]) {
    it(`hydration that begins ${when} the state is known finds no difference, and then shows the user's state`, async (open, server) => {
      const page = await enter(open, '/client')
      const before = await server.refreshes()
      const rendered = await open(path)
      await says(rendered, 'signed in as alice')
      isQuiet(rendered)
      // The other tab may have passed its token on, or not yet; no tab has refreshed twice.
      assert.ok((await server.refreshes()) <= before + 1)
      await rendered.click('text=Sign out')
      await page.locator(FORM).waitFor()
      isQuiet(rendered)
    })
  }
}
