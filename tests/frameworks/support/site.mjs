// The start of a framework test: an origin with the app's pages and the reference server behind them, and a browser that reports errors.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { extname, join } from 'node:path'
import { after, test } from 'node:test'
import { startBrowser, User } from '../../e2e/support/browser.mjs'
import { startServer } from '../../e2e/support/server.mjs'

// The time limit of a test, in milliseconds: a promise that never settles must fail the test, not hang it.
const TIMEOUT = 60_000
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
}
const BEHIND = /^\/(api|auth|demo)\//

/**
 * Serves a build; a path without an extension is `page`. `render` renders the page on the server, or `{ head, body }`: then it serves `/`,
 * and `/client` serves the empty page.
 */
export function pages(folder, render, page = 'index.html') {
  return async (path) => {
    const isPage = !extname(path)
    const file = isPage ? page : path
    /** @type {string | Buffer} */
    let body = await readFile(join(folder, file))
    if (isPage && render && path !== '/client') {
      const made = await render()
      const parts = typeof made === 'string' ? { head: '', body: made } : made
      body = body.toString().replace('<!--app-->', parts.body).replace('<!--head-->', parts.head)
    }
    return { type: TYPES[extname(file)], body }
  }
}

/** `serve(path)` returns a page or file; or it is a Node request handler. */
export async function startSite(serve) {
  const server = await startServer()
  const handle =
    serve.length > 1
      ? serve
      : async (asked, answer) => {
          try {
            const { type, body } = await serve(asked.url.split('?')[0])
            answer.writeHead(200, { 'content-type': type }).end(body)
          } catch (error) {
            if (error.code !== 'ENOENT') console.error(error)
            answer.writeHead(error.code === 'ENOENT' ? 404 : 500).end()
          }
        }
  const front = createServer((asked, answer) =>
    BEHIND.test(asked.url) ? pass(asked, answer, server.origin) : handle(asked, answer),
  )
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve))
  after(() => {
    front.closeAllConnections()
    front.close()
  })
  return { server, front, origin: `http://127.0.0.1:${front.address().port}` }
}

/** Passes a request through unchanged. */
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

/** `it(name, body)`: the test gets a user's function to open pages, the reset server, and the origin. */
export async function world() {
  const browser = await startBrowser()
  const it = (site, name, body) =>
    test(name, { timeout: TIMEOUT }, async (t) => {
      await site.server.reset()
      const user = await User.visits(t, browser, site.origin)
      await body((path) => open(user, path), site.server, site.origin)
    })
  return { browser, it }
}

/** Opens a page, and records the console's warnings and errors in `said`. Failed calls are ignored. */
export async function open(user, path = '/') {
  const page = await user.context.newPage()
  page.said = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource'))
      page.said.push(message.text())
  })
  page.on('pageerror', (error) => page.said.push(String(error)))
  await page.goto(user.origin + path)
  return page
}

/** Waits until the page shows the text. */
export const says = (page, text) => page.locator('#state', { hasText: text }).waitFor()

export async function signIn(page, [name, password] = ['alice', 'wonderland']) {
  await page.fill('[name=username]', name)
  await page.fill('[name=password]', password)
  await page.click('form button')
}

export const isQuiet = (page) => assert.deepEqual(page.said, [])
