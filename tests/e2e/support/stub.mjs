// A server in Node, for answers that the reference server would never give: it serves the test page, the package, and a test's answers, and
// records every call. It ends with the test file.

import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { after } from 'node:test'
import { file } from './files.mjs'

/** An answer in JSON. */
export const json = (
  value,
  /** @type {{ status?: number, [header: string]: any }} */ { status = 200, ...headers } = {},
) => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
  headers,
})

/** A successful answer to a refresh or login. */
export const granted = (token) => json({ access_token: token, token_type: 'Bearer', expires_in: 300 })

/** The API's refusal. */
export const refused = (challenge = 'Bearer error="invalid_token"') =>
  json({ error: "the API's own" }, { status: 401, 'www-authenticate': challenge })

/** No answer: the connection is cut. */
export const cut = { cut: true }

/**
 * `routes` maps a path, or with a final `/` everything below it, to a function of what arrived: `{ method, path, query, headers, body,
 * sha256, nth }`, where `nth` counts from 1 for each path. A route may instead be `{ handle(request, response) }`, which answers by itself.
 */
export async function startStub(routes = {}) {
  const seen = []
  const server = createServer(async (request, response) => {
    const [path, query = ''] = request.url.split('?')
    const above = Object.keys(routes).filter((above) => above.endsWith('/') && path.startsWith(above))
    const route = routes[path] ?? routes[above.sort((one, other) => other.length - one.length)[0]]
    if (route?.handle) return route.handle(request, response)
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const answer = await (route ? route(keep(request, path, query, Buffer.concat(chunks))) : file(path))
    if (answer.cut) return request.socket.destroy()
    const { status = 200, type = 'text/plain', body = '', headers } = answer
    response.writeHead(status, {
      'content-type': type,
      ...headers,
      ...(answer.breaksOff && { 'content-length': body.length + 1 }),
    })
    if (answer.goesOn) return response.write(body)
    if (answer.breaksOff) return response.write(body, () => request.socket.destroy())
    response.end(body)
  })

  function keep(/** @type {any} */ { method, headers }, path, query, body) {
    const arrived = {
      method,
      path,
      query: new URLSearchParams(query),
      headers,
      body: plain(headers, body),
      nth: 1 + seen.filter((other) => other.path === path).length,
    }
    arrived.sha256 = createHash('sha256').update(arrived.body, 'latin1').digest('hex')
    seen.push(arrived)
    return arrived
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Node's own server, for what is not a request: `upgrade`. */
    http: server,
    routes,
    /** The calls to a path. */
    at: (path) => seen.filter((arrived) => arrived.path === path),
    /** All calls. */
    seen: () => [...seen],
    reset: () => void (seen.length = 0),
  }
}

/** A form's boundary is random for each sending, in Firefox even its length; here it is normalised. */
function plain(headers, body) {
  const text = body.toString('latin1')
  const boundary = /boundary=(.+)/.exec(headers['content-type'])?.[1]
  if (!boundary) return text
  const same = (text) => text.replaceAll(boundary, 'BOUNDARY')
  Object.assign(headers, { 'content-type': same(headers['content-type']), 'content-length': String(same(text).length) })
  return same(text)
}
