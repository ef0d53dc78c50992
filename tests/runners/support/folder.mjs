// Serves a folder on the loopback interface. It ends with the test file.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** Serves a folder beside this one. `seen` lists the paths for which no file was found. */
export async function serveFolder(folder) {
  const root = fileURLToPath(new URL(`../${folder}/`, import.meta.url))
  const seen = []
  const server = createServer(async ({ url }, answer) => {
    const path = url.split('?')[0]
    const file = path.endsWith('/') ? `${path}index.html` : path
    try {
      const body = await readFile(root + file.slice(1))
      answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(body)
    } catch {
      seen.push(path)
      answer.writeHead(404).end()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${server.address().port}`, seen }
}
