// The origin that the tabs see: the page, the package, the client code of a page in docs/backends, and behind them the back end, as with a
// development server or a reverse proxy. It ends with the test file.

import { readFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { after } from 'node:test'
import { PACKAGE, PAGES as SHARED } from '../../e2e/support/paths.mjs'
import { importMap } from './package.mjs'

const PAGE = new URL('../pages/page.js', import.meta.url)
/** The modules that the page of the end-to-end tests imports. */
const MODULES = ['clock.js', 'deeds.js', 'home.js', 'time.js']
const HTML = `<!doctype html>
<meta charset="utf-8">
<title>tokenkeep</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify(importMap('/tokenkeep/'))}</script>
<script type="module" src="/page.js"></script>
`

const script = (body) => ({ type: 'text/javascript', body })

/**
 * Returns `{ origin, behind, client, hidden }`: set `behind` to the back end's origin, `client` to the text of the module that makes the
 * manager, `hidden` to the statuses whose answers lack CORS headers, as with careless gateways.
 */
export async function startFront() {
  const files = {
    '/': async () => ({ type: 'text/html', body: HTML }),
    '/page.js': async () => script(await readFile(PAGE)),
    '/shared.js': async () => script(await readFile(`${SHARED}page.js`)),
    ...Object.fromEntries(MODULES.map((name) => [`/${name}`, async () => script(await readFile(SHARED + name))])),
    '/client.js': async () => script(front.client),
  }
  const server = createServer(async (asked, answer) => {
    const path = asked.url.split('?')[0]
    const file =
      asked.method === 'GET' &&
      (files[path] ??
        (path.startsWith('/tokenkeep/') && (async () => script(await readFile(PACKAGE + path.slice(11))))))
    if (!file) return pass(asked, answer, front)
    try {
      const { type, body } = await file()
      answer.writeHead(200, { 'content-type': type }).end(body)
    } catch {
      answer.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  /** @type {any} */
  const front = { origin: `http://127.0.0.1:${server.address().port}`, hidden: [] }
  return front
}

/** Passes a request through unchanged. */
function pass(asked, answer, { behind, hidden }) {
  const onward = request(behind + asked.url, { method: asked.method, headers: asked.headers, agent: false })
  onward.on('response', (answered) => {
    if (hidden.includes(answered.statusCode)) delete answered.headers['access-control-allow-origin']
    answer.writeHead(answered.statusCode, answered.headers)
    answered.pipe(answer)
  })
  onward.on('error', () => answer.destroy())
  answer.on('close', () => onward.destroy())
  asked.pipe(onward)
}
