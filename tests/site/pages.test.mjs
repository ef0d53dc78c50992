// Every page opens, under any base path of the site, and every link works.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBrowser } from '../e2e/support/browser.mjs'
import { below, serve, site } from './support/site.mjs'

// How many tabs run at once.
const TABS = 4

const browser = await startBrowser()
const pages = below(site, '.html')

/** Opens the pages at these paths, and returns the contents of each by address: `{ links, ids }`. */
async function visit(t, front, paths) {
  const context = await browser.newContext()
  t.after(() => context.close())
  const complaints = []
  const found = new Map()
  const left = paths.map((path) => front + path)
  const tab = async () => {
    const page = await context.newPage()
    const complain = (what) => complaints.push(`${page.url()}: ${what}`)
    page.on('console', (message) => message.type() === 'error' && complain(message.text()))
    page.on('pageerror', complain)
    page.on('requestfailed', (request) => complain(`no answer from ${request.url()}`))
    page.on('request', (request) => request.url().startsWith(front) || complain(`asks for ${request.url()}`))
    page.on('response', (response) => response.ok() || complain(`${response.status()} from ${response.url()}`))
    for (let url; (url = left.pop());) {
      await page.goto(url)
      // A script creates the navigation.
      await page.locator('#tsd-nav-container a').first().waitFor({ state: 'attached' })
      found.set(
        url,
        await page.evaluate(() => ({
          links: [...new Set([...document.querySelectorAll('a[href]')].map(({ href }) => href))].filter((link) =>
            link.startsWith(location.origin),
          ),
          ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
        })),
      )
    }
  }
  await Promise.all(Array.from({ length: TABS }, tab))
  assert.deepEqual(complaints, [])
  return found
}

test('every page opens, every link leads to a place on a page, and every page is linked', async (t) => {
  const front = await serve('/some/deep/path/')
  const found = await visit(t, front, pages)
  const reached = new Set([`${front}index.html`])
  for (const url of reached) {
    for (const link of found.get(url).links) {
      const [target, fragment] = link.split('#')
      assert.ok(found.has(target), `${url} leads to ${link}`)
      assert.ok(!fragment || found.get(target).ids.includes(decodeURIComponent(fragment)), `${url} leads to ${link}`)
      reached.add(target)
    }
  }
  assert.deepEqual(
    [...found.keys()].filter((url) => !reached.has(url)),
    [],
  )
})

test('at the root of an origin, pages of each depth open, and their links lead to pages', async (t) => {
  const front = await serve('/')
  const depth = (path) => path.split('/').length
  const found = await visit(t, front, [...new Map(pages.map((path) => [depth(path), path])).values()])
  for (const [url, { links }] of found) {
    for (const link of links)
      assert.ok(pages.includes(link.slice(front.length).split('#')[0]), `${url} leads to ${link}`)
  }
})

test('the diagrams are drawn', async (t) => {
  const page = await browser.newPage()
  t.after(() => page.close())
  await page.goto(`${await serve('/')}architecture.html`)
  assert.deepEqual(
    await page
      .locator('.diagram svg')
      .evaluateAll((all) => all.map(({ textContent }) => /unknown|auth\.fetch/.exec(textContent)?.[0])),
    ['unknown', 'auth.fetch'],
  )
  assert.doesNotMatch(await page.locator('main, .col-content').first().textContent(), /sequenceDiagram|stateDiagram/)
})
