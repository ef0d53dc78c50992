// The single origin of a page: a strict back end, and behind it either files or a tool's own server, which therefore
// needs no proxy set-up. Each refresh cookie is valid for one rotation.

import { createServer, request as ask } from 'node:http'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { extname, join, normalize } from 'node:path'

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
}
const CALLS = 3

/** `counts`: the number of requests since `begin`. */
export async function startServer() {
  let behind, counts, sessions, good, late
  let last = 0

  const answer = (response, status, body, headers) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  const grant = (response) => {
    const [token, cookie] = [`a${++last}`, `r${++last}`]
    good.add(token)
    sessions.set(cookie, 'unused')
    answer(
      response,
      200,
      { access_token: token, token_type: 'Bearer', expires_in: 300 },
      { 'set-cookie': `rt=${cookie}; Path=/auth; HttpOnly; SameSite=Lax` },
    )
  }
  const rotates = ({ headers }) => {
    const cookie = /(?:^|; )rt=([^;]+)/.exec(headers.cookie)?.[1]
    const was = sessions.get(cookie)
    if (was) sessions.set(cookie, 'used')
    if (was === 'used') counts.reuses++
    return was === 'unused'
  }
  const own = {
    '/auth/login': (_, response) => {
      counts.logins++
      grant(response)
    },
    '/auth/refresh': (request, response) => {
      counts.refreshes++
      if (rotates(request)) return grant(response)
      answer(response, 401, { error: 'invalid_grant' })
    },
    '/expire': (_, response) => {
      good.clear()
      answer(response, 200, {})
    },
    '/api': ({ headers }, response) => {
      if (good.has(headers.authorization?.replace('Bearer ', ''))) {
        counts.answered++
        return answer(response, 200, { name: 'alice' })
      }
      // All calls are in flight before the first is refused, so that all of them need the refresh.
      counts.refused++
      late.push(() =>
        answer(response, 401, { error: 'invalid_token' }, { 'www-authenticate': 'Bearer error="invalid_token"' }),
      )
      if (late.length >= CALLS) for (const refuse of late.splice(0)) refuse()
    },
  }

  const server = createServer((request, response) => {
    const path = request.url.split('?')[0]
    const route = own[path] ?? (path.startsWith('/api/') ? own['/api'] : undefined)
    if (route) return request.resume().on('end', () => route(request, response))
    if (path === '/favicon.ico') return response.writeHead(204).end()
    if (path.endsWith('.wasm')) counts.wasm++
    if (behind.port) return pass(request, response, behind.port)
    void send(path, response, behind.folders)
  })
  server.on('upgrade', (request, socket, head) => {
    if (behind.port) return tunnel(request, socket, head, behind.port)
    socket.destroy()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Sets what answers all other requests from now on: `{ folders }` or `{ port }`. */
    put: (what) => void (behind = what),
    begin() {
      counts = { logins: 0, refused: 0, refreshes: 0, reuses: 0, answered: 0, wasm: 0 }
      sessions = new Map()
      good = new Set()
      late = []
      return counts
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function send(path, response, folders) {
  const name = normalize(path.endsWith('/') ? `${path}index.html` : path)
  for (const folder of folders) {
    const file = join(folder, name)
    const body = await readFile(file).catch(() => undefined)
    if (body)
      return response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(body)
  }
  response.writeHead(404).end()
}

function pass(request, response, port) {
  const { method, url, headers } = request
  const asked = ask(
    { host: '127.0.0.1', port, method, path: url, headers: { ...headers, host: `127.0.0.1:${port}` } },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
    },
  )
  asked.on('error', () => response.destroy())
  request.pipe(asked)
}

/** Forwards the WebSocket over which a dev server announces changes. */
function tunnel(request, socket, head, port) {
  const other = connect(port, '127.0.0.1', () => {
    const lines = request.rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join('')
    other.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines}\r\n`)
    other.write(head)
    socket.pipe(other).pipe(socket)
  })
  for (const [one, another] of [
    [socket, other],
    [other, socket],
  ])
    one.on('error', () => another.destroy()).on('close', () => another.destroy())
}
