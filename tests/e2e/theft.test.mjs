// The demo's choice of home, and its attacks on each home.

import assert from 'node:assert/strict'
import { engine } from './support/engine.mjs'
import { Lack } from './support/lack.mjs'
import { DEMO } from './support/paths.mjs'
import { world } from './support/world.mjs'

const { server, it } = await world({ www: DEMO })

const says = (page, id, text) => page.locator(`#${id}`, { hasText: text }).waitFor()

async function signsIn(user, home) {
  const page = await user.context.newPage()
  await page.goto(`${server.origin}/?home=${home}`)
  await says(page, 'status', /^Signed out/)
  assert.equal(await page.evaluate(() => document.querySelector('#steal').disabled), true)
  await page.click('#sign-in')
  await says(page, 'status', 'Signed in as alice')
  return page
}

/** Presses the button. Returns what each attack got, by its name. */
async function steals(page) {
  await page.click('#steal')
  await page.locator('#attacks[data-state="done"]').waitFor()
  return page.evaluate(() =>
    Object.fromEntries(
      [...document.querySelectorAll('#attacks li')].map(({ dataset }) => [dataset.attack, dataset.got]),
    ),
  )
}

/**
 * A worker gets the calls one by one. Those that arrive after the first refusal wait for the refresh, so not all of
 * them are refused.
 */
async function callsFifty(page) {
  await page.click('#call-fifty')
  await page.locator('#timeline[data-state="done"][data-calls="50"][data-refreshes="1"][data-answered="50"]').waitFor()
  assert.ok(await page.evaluate(() => document.querySelector('#timeline').dataset.refused > 0))
}

const ON_TOKEN = ['fetch', 'promise', 'memory', 'messages', 'channel']
const got = (what, byCookie) => ({ ...Object.fromEntries(ON_TOKEN.map((name) => [name, what])), refresh: byCookie })

for (const [home, loot, words, byCookie = 'token'] of [
  ['page', 'token', /5 of 5 attacks got the token/],
  ['worker', 'nothing', /None of 5 attacks got the token/],
  ['shared-worker', 'nothing', /None of 5 attacks got the token/],
  ['service-worker', 'nothing', /None of 5 attacks got the token/, 'nothing'],
]) {
  it(`${home}: the picture shows what was sent, the attacks run, and the app still works`, async (user) => {
    const page = await signsIn(user, home)
    assert.equal(await page.evaluate(() => document.querySelector('#homes [aria-current]').search), `?home=${home}`)
    await callsFifty(page)
    assert.deepEqual(await steals(page), got(loot, byCookie))
    await says(page, 'theft-summary', words)
    if (byCookie === 'token') await says(page, 'theft-summary', /With the cookie, the script got a token of its own/)
    else await says(page, 'attacks', /the service worker rejects requests to the refresh endpoint/)
    const text = await page.evaluate(() => document.documentElement.outerHTML)
    assert.doesNotMatch(text, /eyJ[\w-]+\.eyJ[\w-]+\./, 'no token is shown whole')
    await callsFifty(page)
    await says(page, 'status', 'Signed in as alice')
    assert.equal((await server.counters()).reuses, 0)
  })
}

it('the token that an attack shows was granted by the server', async (user) => {
  if (engine === 'webkit') throw new Lack('a driver that shows answers')
  const page = await signsIn(user, 'page')
  const answers = []
  page.on('response', (response) => response.url().endsWith('/auth/refresh') && answers.push(response.json()))
  await steals(page)
  const granted = (await Promise.all(answers)).map(
    ({ access_token: token }) => `${token.slice(0, 8)}…${token.slice(-4)}`,
  )
  const shown = await page.evaluate(() =>
    [...document.querySelectorAll('#attacks li code')].map(({ textContent }) => textContent),
  )
  assert.equal(shown.length, 6)
  for (const token of shown) assert.ok(granted.includes(token), token)
})

it('a link selects another home, and the session continues there', async (user) => {
  const page = await signsIn(user, 'page')
  await page.click('#homes [href="?home=worker"]')
  await says(page, 'status', 'Signed in as alice')
  await says(page, 'home-hint', /a worker of this tab/)
  const opened = user.context.waitForEvent('page')
  await page.click('#second-tab')
  const second = await opened
  await says(second, 'status', 'Signed in as alice')
  await says(second, 'home-hint', /a worker of this tab/)
})

it('the error names a missing home, and the page does not fall back to another', async (user) => {
  if (engine === 'webkit') throw new Lack('a driver that runs a script before those of the demo page')
  const page = await user.context.newPage()
  await page.addInitScript(() => void delete globalThis.SharedWorker)
  await page.goto(`${server.origin}/?home=shared-worker`)
  await says(page, 'message', /no SharedWorker/)
  await says(page, 'status', 'Not known')
  assert.deepEqual(await server.lines(), [])
})
