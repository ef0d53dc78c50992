// A server for HTTP/2, which browsers require before they send a stream: it serves the test page, the package, a refresh that grants the
// token `new`, and `/api/stream`, which refuses the token `old` and records what arrived. It ends with the test file.

import { createHash } from 'node:crypto'
import { createSecureServer } from 'node:http2'
import { after } from 'node:test'
import { generate } from 'selfsigned'
import { sendFile } from './files.mjs'

const JSON_TYPE = { 'content-type': 'application/json' }

export async function startSecure() {
  // The certificate is self-signed: the browser is told not to check it.
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }])
  const seen = []
  const sessions = new Set()
  const server = createSecureServer({ key, cert }, async (request, response) => {
    const path = request.url.split('?')[0]
    if (path === '/auth/refresh') {
      seen.push({ path })
      return response.writeHead(200, JSON_TYPE).end('{"access_token":"new","expires_in":300}')
    }
    return path === '/api/stream' ? api(request, response) : sendFile(path, response)
  })

  async function api(request, response) {
    const token = request.headers.authorization
    const arrived = { path: '/api/stream', token, version: request.httpVersion, bytes: 0 }
    seen.push(arrived)
    const hash = createHash('sha256')
    try {
      for await (const chunk of request) {
        arrived.bytes += chunk.length
        hash.update(chunk)
      }
    } catch {
      // The browser has given up.
    }
    // A stream that was cut off ends, too.
    arrived.whole = !request.aborted
    arrived.sha256 = hash.digest('hex')
    if (request.aborted) return
    const status = token === 'Bearer old' ? 401 : 200
    response.writeHead(status, {
      ...JSON_TYPE,
      ...(status === 401 && { 'www-authenticate': 'Bearer error="invalid_token"' }),
    })
    response.end(JSON.stringify({ the: "API's own" }))
  }

  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return {
    origin: `https://127.0.0.1:${server.address().port}`,
    /** The calls to a path. */
    at: (path) => seen.filter((arrived) => arrived.path === path),
    reset: () => void (seen.length = 0),
  }
}
