// The built site: its files, and a server that has it under a path chosen by the test, and nothing else.

import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, relative } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const TYPES = {
  css: 'text/css',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  md: 'text/markdown',
  svg: 'image/svg+xml',
  txt: 'text/plain',
}

export const root = fileURLToPath(new URL('../../../', import.meta.url))
export const site = process.env.TOKENKEEP_SITE
if (!site) throw new Error('set TOKENKEEP_SITE to the folder that `cargo xtask docs` has made')

export const read = (path) => readFileSync(join(site, path), 'utf8')

/** The files below a folder, as paths relative to it. */
export function below(folder, ending) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
}

/** The package's entries that have types: `{ name, source }`, with the name that an app imports. */
export function entries() {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'pkg/package.json'), 'utf8'))
  const typed = Object.entries(exports).filter(([, { types }]) => types)
  return typed.map(([path, { types }]) => ({
    name: name + path.slice(1),
    source: join('pkg', types.replace('./dist/', 'src/').replace('.d.ts', '.ts')),
  }))
}

/** Returns the address of the front page. The server ends with the test file. */
export async function serve(base) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://any')
    const path = decodeURIComponent(pathname)
    try {
      if (!path.startsWith(base)) throw new Error('beside the site')
      const name = path.slice(base.length) || 'index.html'
      const body = await readFile(join(site, name))
      response.writeHead(200, { 'content-type': TYPES[name.split('.').at(-1)] }).end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${server.address().port}${base}`
}
