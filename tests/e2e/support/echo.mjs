// A server that returns what arrived, refuses the token `old`, and grants the token `new`: it serves to compare what the platform's fetch
// sends with what ours sends. It ends with the test file.

import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { after } from 'node:test'
import { home } from './engine.mjs'
import { sendFile } from './files.mjs'

const DASHES = Buffer.from('--')
const REFUSAL = { 'content-type': 'application/json', 'www-authenticate': 'Bearer error="invalid_token"' }

export async function startEcho() {
  let refused
  const server = createServer(async (request, response) => {
    const path = request.url.split('?')[0]
    const { 'content-type': type = '' } = request.headers
    const hash = createHash('sha256')
    const form = []
    let bytes = 0
    try {
      for await (const chunk of request) {
        bytes += chunk.length
        if (
          type.startsWith('multipart/') ||
          form.length ||
          (bytes === chunk.length && chunk.subarray(0, 2).equals(DASHES))
        )
          form.push(chunk)
        else hash.update(chunk)
      }
    } catch {
      // The browser has given up.
      return
    }
    // A form's boundary is random for each sending; here it is normalised.
    const text = Buffer.concat(form).toString('latin1')
    const boundary = /boundary=(.+)/.exec(type)?.[1] ?? /^--(\S+)\r\n/.exec(text)?.[1].replace(/--$/, '')
    const same = text.replaceAll(boundary ?? '\0', 'BOUNDARY')
    hash.update(same, 'latin1')
    const { rawHeaders } = request
    const headers = rawHeaders.flatMap((name, i) =>
      i % 2 ? [] : `${name}: ${rawHeaders[i + 1]}`.replaceAll(boundary ?? '\0', 'BOUNDARY'),
    )
    // The platform sends headers in no fixed order, and decides whether to open a connection. A boundary may be longer or shorter.
    const irrelevant = boundary ? /^(connection|content-length):/i : /^connection:/i
    // Chromium's workers send no client hints. A `Request`'s headers cross in lower case, which makes no difference to HTTP.
    const isHint = (line) => home && /^sec-ch-ua/i.test(line)
    const named = (line) => (home ? line.replace(/^[^:]*/, (name) => name.toLowerCase()) : line)
    const arrived = {
      method: request.method,
      url: request.url,
      headers: headers
        .filter((line) => !irrelevant.test(line) && !isHint(line))
        .map(named)
        .sort(),
      bytes: bytes - text.length + same.length,
      sha256: hash.digest('hex'),
    }
    const token = /^Bearer (.*)/.exec(request.headers.authorization)?.[1]
    const json = (value, status = 200, more) =>
      response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(value))

    if (path === '/auth/refresh') return json({ access_token: 'new', expires_in: 300 })
    if (token === 'old') {
      refused = arrived
      return response.writeHead(401, REFUSAL).end('{}')
    }
    if (path.startsWith('/echo'))
      return json({ ...arrived, refused: token === 'new' ? refused : undefined }, 200, { 'x-two': ['1', '2'] })
    if (path === '/fixed') return response.writeHead(200, 'Very Fine', { 'content-type': 'text/plain' }).end('abc')
    if (path.startsWith('/status/')) return response.writeHead(Number(path.slice(8)), { 'x-status': path }).end()
    if (path.startsWith('/redirect'))
      return response.writeHead(Number(path.slice(10)) || 302, { location: '/echo' }).end()
    if (path === '/cut') return request.socket.destroy()
    return sendFile(path, response)
  })

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${server.address().port}`, forget: () => void (refused = undefined) }
}
