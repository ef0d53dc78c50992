// A server on the loopback interface that gives a test's answers. `/echo…` returns what arrived.

import { createServer } from 'node:http'
import { after } from 'node:test'

/**
 * `routes` maps a path to a body, `[type, body, headers]`, or a function of the request and its body. `seen` lists every request as `METHOD
 * /path`.
 */
export async function serve(routes = {}) {
  const seen = []
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    seen.push(`${request.method} ${request.url}`)
    const path = request.url.split('?')[0]
    const route = routes[path] ?? (path.startsWith('/echo') ? (routes['/echo'] ?? echo) : undefined)
    const answer = typeof route === 'function' ? await route(request, body) : route
    if (answer === undefined) return response.writeHead(404).end()
    const [type, content, headers = {}] = Array.isArray(answer) ? answer : ['text/html', answer]
    const { status = 200, ...others } = headers
    response.writeHead(status, { 'content-type': type, ...others }).end(content)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${server.address().port}`, seen }
}

export function echo({ method, url, rawHeaders }, body) {
  return ['application/json', JSON.stringify({ method, url, headers: rawHeaders, body: body.toString('latin1') })]
}
