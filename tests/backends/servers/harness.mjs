// Shared by the servers in Node, as harness.py is by those in Python: a record of the calls, a clock that the test moves, and an end with
// the test.

import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const CONTROL = '/test/'
const systemNow = Date.now
const calls = []
let ahead = 0

// Both ways to read the time.
Date.now = () => systemNow() + ahead
globalThis.Date = new Proxy(Date, {
  construct: (target, given, to) => Reflect.construct(target, given.length ? given : [Date.now()], to),
})

const digest = (text) => createHash('sha256').update(text).digest('hex').slice(0, 8)

/** `handle(request, response)` answers; `token(request, url)` finds the access token in a request; `controls` are further functions for
 * the test. `response.note(more)` adds to the record. */
export function serve(handle, /** @type {any} */ { token = bearer, ...controls } = {}) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://server')
    if (url.pathname.startsWith(CONTROL)) {
      const value = await control(url.pathname.slice(CONTROL.length), url.searchParams, controls)
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value ?? null))
    }
    /** @type {any} */
    const call = { method: request.method, path: url.pathname, status: null }
    const presented = token(request, url)
    if (presented) call.token = digest(presented)
    if (request.method !== 'OPTIONS') calls.push(call)
    // Node's own header does not follow this clock.
    response.setHeader('date', new Date().toUTCString())
    Object.assign(response, { note: (more) => void Object.assign(call, more) })
    const { writeHead } = response
    response.writeHead = function (status, ...rest) {
      call.status = status
      return writeHead.call(this, status, ...rest)
    }
    handle(request, response)
  })
  server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
  // The test holds the other end: whatever happens to the test, this process does not outlive it.
  process.stdin.on('end', () => process.exit()).resume()
  return server
}

function control(name, query, controls) {
  if (name === 'log') return calls
  if (name === 'reset') return void (calls.length = 0)
  if (name === 'forward') return void (ahead += 1000 * query.get('seconds'))
  return controls[name](Object.fromEntries(query))
}

export const bearer = ({ headers }) => headers.authorization?.replace(/^\w+ /, '')
