// The test page, the files it loads, and the package, for servers in Node.

import { readFile } from 'node:fs/promises'
import { CALLS, PACKAGE, PAGES } from './paths.mjs'

const TYPES = { html: 'text/html', js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' }

const place = (path) => {
  if (path === '/') return `${PAGES}index.html`
  if (path === '/calls.js') return CALLS
  return path.startsWith('/tokenkeep/') ? PACKAGE + path.slice(11) : PAGES + path.slice(1)
}

/** The file at a path. */
export async function file(path) {
  const name = place(path)
  try {
    return { status: 200, type: TYPES[name.split('.').at(-1)], body: await readFile(name) }
  } catch {
    return { status: 404, type: 'text/plain' }
  }
}

/** The same, sent as a response. */
export async function sendFile(path, response) {
  const { status, type, body } = await file(path)
  response.writeHead(status, { 'content-type': type }).end(body)
}
