// The demo page, as its visitors use it.

import assert from 'node:assert/strict'
import { engine } from './support/engine.mjs'
import { DEMO } from './support/paths.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world({ www: DEMO })

async function visit(user) {
  const page = await user.context.newPage()
  page.errors = []
  // WebDriver does not report page errors.
  if (engine !== 'webkit') page.on('pageerror', (error) => page.errors.push(error))
  await page.goto(`${server.origin}/`)
  return page
}

const says = (page, id, text) => page.locator(`#${id}`, { hasText: text }).waitFor()
const isIn = (page, name = 'alice') => says(page, 'status', `Signed in as ${name}`)
const isOut = (page) => says(page, 'status', /^Signed out/)

/** Clicks, and waits until all results are drawn. */
async function act(page, id, facts = {}) {
  const done = Object.entries(facts)
    .map(([name, value]) => `[data-${name}="${value}"]`)
    .join('')
  await page.click(`#${id}`)
  await page.locator(`#timeline[data-state="done"]${done}`).waitFor()
}

async function signsIn(user) {
  const page = await visit(user)
  await isOut(page)
  await page.fill('#username', 'alice')
  await page.fill('#password', 'wonderland')
  await page.click('#sign-in')
  await isIn(page)
  await page.uncheck('#expire-first')
  return page
}

it('sign in, call, let the token expire, call fifty at once: one refresh; reload: signed in; sign out; reload: signed out', async (user) => {
  const page = await signsIn(user)
  await says(page, 'claims', 'alice')
  await says(page, 'countdown', /^\d+ s$/)
  await act(page, 'call-once', { calls: 1, answered: 1, refreshes: 0 })

  await server.reset()
  await page.click('#expire')
  await says(page, 'message', /refuses the token/)
  await act(page, 'call-fifty', { calls: 50, refused: 50, refreshes: 1, answered: 50, failed: 0 })
  await says(page, 'caption', /50 calls · 50 refused \(401\) · 1 refresh · 50 answered/)
  const { refreshes, reuses, api_ok, api_401 } = await server.counters()
  assert.deepEqual({ refreshes, reuses, api_ok, api_401 }, { refreshes: 1, reuses: 0, api_ok: 50, api_401: 50 })
  await says(page, 'server-saw', /50 calls refused, 1 refresh, 50 calls answered/)

  await page.reload()
  await isIn(page)
  await page.click('#sign-out')
  await isOut(page)
  await says(page, 'events', /signout/)
  await page.locator('#timeline[data-state="done"]').waitFor()
  await page.reload()
  await isOut(page)
  assert.equal((await server.counters()).reuses, 0)
  assert.deepEqual(page.errors, [])
})

it('the token may expire in the same click', async (user) => {
  const page = await signsIn(user)
  await page.check('#expire-first')
  await act(page, 'call-fifty', { refused: 50, refreshes: 1, answered: 50 })
})

it('a second tab is signed in, too, and a logout there ends the session here', async (user) => {
  const page = await signsIn(user)
  await server.reset()
  const opened = user.context.waitForEvent('page')
  await page.click('#second-tab')
  const second = await opened
  await isIn(second)
  await act(second, 'call-once', { answered: 1 })
  assert.equal((await server.counters()).reuses, 0)
  await second.click('#sign-out')
  await isOut(second)
  await says(page, 'status', /Signed out.*another tab/)
})

it('with the auth server down fifty calls fail and nobody is signed out; then everything works again', async (user) => {
  const page = await signsIn(user)
  await page.click('#server-down')
  await page.locator('#server-down[aria-pressed="true"]').waitFor()
  await page.check('#expire-first')
  // One refresh or more: a slow machine may still be calling after the first pause.
  await act(page, 'call-fifty', { failed: 50 })
  await isIn(page)
  await says(page, 'events', /refresherror/)
  await page.click('#server-down')
  await page.locator('#server-down[aria-pressed="false"]').waitFor()
  await act(page, 'refresh', { calls: 0, refreshes: 1 })
  await act(page, 'call-once', { answered: 1 })
})

it('a slow refresh serves all waiting calls', async (user) => {
  const page = await signsIn(user)
  await page.click('#slow-refresh')
  await page.locator('#slow-refresh[aria-pressed="true"]').waitFor()
  await page.check('#expire-first')
  await act(page, 'call-fifty', { refreshes: 1, answered: 50 })
})

it('a revoked session ends at the next call', async (user) => {
  const page = await signsIn(user)
  await page.click('#revoke')
  await says(page, 'message', /dead on the server/)
  await isIn(page)
  await act(page, 'call-once', { answered: 0 })
  await says(page, 'status', /Signed out.*refused/)
})

it('a wrong password is reported as such', async (user) => {
  const page = await visit(user)
  await isOut(page)
  await page.fill('#username', 'alice')
  await page.fill('#password', 'wrong')
  await page.click('#sign-in')
  await says(page, 'message', /wrong/)
  await isOut(page)
})

it("the package's inspector reports each call on request", async (user) => {
  const page = await signsIn(user)
  // It is drawn once per frame.
  const rows = () =>
    page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      return [...(document.querySelector('tokenkeep-inspector')?.shadowRoot.querySelectorAll('li p') ?? [])].map(
        ({ textContent }) => textContent,
      )
    })
  assert.deepEqual(await rows(), [])
  await page.click('#inspect')
  await page.locator('tokenkeep-inspector').waitFor()
  await page.check('#expire-first')
  await act(page, 'call-once', { refreshes: 1, answered: 1 })
  assert.ok((await rows()).includes('Sent with the token. Refused (401), and sent again with a newer token.'))
  await page.evaluate(() => document.querySelector('#inspect').click())
  assert.deepEqual(await rows(), [])
  if (engine !== 'webkit') assert.deepEqual(page.errors, [])
})
