// What a test of a framework begins with: an origin that has the app's pages and the reference server behind them, and a browser
// that tells what it finds wrong.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { extname, join } from 'node:path'
import { after, test } from 'node:test'
import { startBrowser, User } from '../../e2e/support/browser.mjs'
import { startServer } from '../../e2e/support/server.mjs'

// Bounds a test, in milliseconds: what never settles must fail, and not hang.
const TIMEOUT = 60_000
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' }
const BEHIND = /^\/(api|auth|demo)\//

/**
 * Serves what a build has made; what has no extension is `page`. `render` makes the page on the server, or `{ head, body }`: `/` is then
 * its, and `/client` the empty one.
 */
export function pages(folder, render, page = 'index.html') {
  return async (path) => {
    const isPage = !extname(path)
    const file = isPage ? page : path
    let body = await readFile(join(folder, file))
    if (isPage && render && path !== '/client') {
      const made = await render()
      const parts = typeof made === 'string' ? { head: '', body: made } : made
      body = body.toString().replace('<!--app-->', parts.body).replace('<!--head-->', parts.head)
    }
    return { type: TYPES[extname(file)], body }
  }
}

/** `serve(path)` answers a page or file; or it is a handler of Node's. */
export async function startSite(serve) {
  const server = await startServer()
  const handle = serve.length > 1 ? serve : async (asked, answer) => {
    try {
      const { type, body } = await serve(asked.url.split('?')[0])
      answer.writeHead(200, { 'content-type': type }).end(body)
    } catch (error) {
      if (error.code !== 'ENOENT') console.error(error)
      answer.writeHead(error.code === 'ENOENT' ? 404 : 500).end()
    }
  }
  const front = createServer((asked, answer) => (BEHIND.test(asked.url) ? pass(asked, answer, server.origin) : handle(asked, answer)))
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve))
  after(() => {
    front.closeAllConnections()
    front.close()
  })
  return { server, front, origin: `http://127.0.0.1:${front.address().port}` }
}

/** Hands a request through, as it is. */
export function pass(asked, answer, behind) {
  const onward = request(behind + asked.url, { method: asked.method, headers: asked.headers, agent: false })
  onward.on('response', (answered) => {
    answer.writeHead(answered.statusCode, answered.headers)
    answered.pipe(answer)
  })
  onward.on('error', () => answer.destroy())
  answer.on('close', () => onward.destroy())
  asked.pipe(onward)
}

/** `it(name, body)`: the test is given a user's way to open pages, the server, as new, and the origin. */
export async function world() {
  const browser = await startBrowser()
  const it = (site, name, body) => test(name, { timeout: TIMEOUT }, async (t) => {
    await site.server.reset()
    const user = await User.visits(t, browser, site.origin)
    await body((path) => open(user, path), site.server, site.origin)
  })
  return { browser, it }
}

/** Opens a page, and keeps what the console says that is no mere news: `said`. A call that fails is no news to us. */
export async function open(user, path = '/') {
  const page = await user.context.newPage()
  page.said = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) page.said.push(message.text())
  })
  page.on('pageerror', (error) => page.said.push(String(error)))
  await page.goto(user.origin + path)
  return page
}

/** Waits until the page says so. */
export const says = (page, text) => page.locator('#state', { hasText: text }).waitFor()

export async function signIn(page, [name, password] = ['alice', 'wonderland']) {
  await page.fill('[name=username]', name)
  await page.fill('[name=password]', password)
  await page.click('form button')
}

export const isQuiet = (page) => assert.deepEqual(page.said, [])
