// Sends the calls of calls.mjs by the platform's fetch and by ours, and returns what the server saw, or the error.

import { capture, captureOwn, address, locate } from '../../src/call.ts'
import { createPlaces } from '../../src/places.ts'
import { bad, foreign, good } from './calls.mjs'

const calls = { ...good, ...bad }

/** Ways to send the arguments of a call. Only the way itself touches them. */
const ways = {
  platform: (args) => fetch(...args),
  first: (args) => ours(args, ({ send }) => send()),
  second: (args) => ours(args, (call) => again(call)),
  'with a header': (args) => ours(args, (call) => again(call, 'Authorization', 'Bearer x')),
}

/** Adds ways. */
globalThis.addWays = (more) => Object.assign(ways, more)

/** What the server saw of a call, or its error, for each way. */
globalThis.compare = async (name) => {
  const seen = {}
  for (const [way, send] of Object.entries(ways)) seen[way] = await outcome(calls[name], send)
  return seen
}

/** The URL of a call, with the cache that a manager has. */
const places = createPlaces()
globalThis.located = (input) => locate(input, places).place.href

/** Sends a call. */
globalThis.send = (make, headers = []) => captured(make({ foreign })).send(...headers)

/** The arguments that `globalThis.fetch` gets for it. */
globalThis.sent = async (make, headers) =>
  (
    await withFetch(
      async (...args) => args,
      () => send(make, headers),
    )
  ).got

/** The facts of a captured call, and what is sent. */
globalThis.captured = async (make, sends = 1) => {
  const call = captured(make({ foreign }))
  const read = async (input, init) => {
    const request = new Request(input, init)
    return { headers: Object.fromEntries(request.headers), body: await request.text() }
  }
  const { got } = await withFetch(read, async () => {
    for (let i = 0; i < sends; i++) await call.send()
  })
  const { url, exempt, repeatable } = call
  return { url, exempt, repeatable, got }
}

/** The method and credentials of a call with defaults. */
globalThis.filled = async (make, defaults) => {
  const [input, init] = make({ foreign })
  const read = async (input, init) => new Request(input, init)
  const { got } = await withFetch(read, () => captureOwn(address(input), init, defaults).send())
  return { method: got[0].method, credentials: got[0].credentials }
}

async function withFetch(stub, work) {
  const platform = globalThis.fetch
  const got = []
  globalThis.fetch = async (...args) => {
    got.push(await stub(...args))
    return new Response()
  }
  try {
    await work()
    return { got }
  } finally {
    globalThis.fetch = platform
  }
}

/** A captured call; a rejected promise for arguments that the platform refuses. @returns {any} */
const captured = ([input, init]) => capture(locate(input), init)

async function outcome({ make, change }, send) {
  try {
    const args = make()
    const sent = send(args)
    sent.catch(() => {})
    const used = args[0] instanceof Request && args[0].bodyUsed
    change?.(args)
    return { used, ...(await told(await sent)) }
  } catch (error) {
    return { error: String(error), type: error?.constructor.name, code: error?.code }
  }
}

async function ours(args, send) {
  const call = captured(args)
  if (!('send' in call)) return call
  // The caller's change comes first, as when the call has to wait.
  await null
  return send(call)
}

/** Sends a call a second time. */
async function again(call, ...headers) {
  await call.send('Authorization', 'Bearer old').then(
    (response) => response.body?.cancel(),
    () => {},
  )
  return call.send(...headers)
}

async function told(response) {
  const { type, status, redirected, url } = response
  const about = { type, status, redirected, url }
  const text = await response.text()
  if (!text.startsWith('{')) return { ...about, text }
  const { headers, ...echo } = JSON.parse(text.replaceAll(/----WebKitFormBoundary\w+/g, 'BOUNDARY'))
  // The platform sends headers in no fixed order.
  const pairs = headers.flatMap((name, i) => (i % 2 ? [] : `${name}: ${headers[i + 1]}`))
  return { ...about, ...echo, headers: pairs.sort() }
}
