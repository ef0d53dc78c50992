// What readers do besides reading: they search, and choose light or dark.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { startBrowser } from '../e2e/support/browser.mjs'
import { serve, site } from './support/site.mjs'

const browser = await startBrowser()
const front = await serve('/some/deep/path/')

async function open(t, url) {
  const context = await browser.newContext({ colorScheme: 'light' })
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(url)
  return page
}

/** Follows the first result. */
async function search(page, words) {
  await page.click('#tsd-search-trigger')
  await page.fill('#tsd-search-input', words)
  const result = page.locator('#tsd-search-results a').first()
  const url = await result.evaluate(({ href }) => href)
  await result.click()
  await page.waitForURL(url)
}

for (const [where, from] of [
  ['a server', front],
  ['files', `${pathToFileURL(site)}/`],
]) {
  test(`a search leads to a page that has the word, from ${where}`, async (t) => {
    const page = await open(t, `${from}backends/simplejwt.html`)
    await search(page, 'refresh')
    assert.notEqual(page.url(), `${from}backends/simplejwt.html`)
    assert.match(await page.locator('.col-content').textContent(), /refresh/i)
  })
}

test('a search finds a page by its title', async (t) => {
  const page = await open(t, `${front}index.html`)
  await search(page, 'Electron')
  assert.equal(new URL(page.url()).pathname, '/some/deep/path/shells.html')
})

test('dark is chosen once, for every page', async (t) => {
  const page = await open(t, `${front}index.html`)
  const brightness = () =>
    page.evaluate(() => Math.max(...getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)))
  assert.ok((await brightness()) > 200)

  await page.click('.tsd-navigation.settings summary')
  await page.selectOption('#tsd-theme', 'dark')
  assert.ok((await brightness()) < 80)
  await page.reload()
  assert.ok((await brightness()) < 80)
  await page.goto(`${front}backends/simplejwt.html`)
  assert.ok((await brightness()) < 80)

  await page.selectOption('#tsd-theme', 'light')
  assert.ok((await brightness()) > 200)
})
