// Makes the calls of calls.js by the platform's fetch and by ours, and reports everything observable of each.

import { createTokenManager } from '/home.js'
import { bad, foreign, good, odd } from '/calls.js'

const calls = { ...good, ...odd, ...bad }
globalThis.foreign = foreign

const manager = (options) =>
  createTokenManager({ refresh: '/auth/refresh', restore: 'manual', tabs: 'off', ...options })
const withToken = async (accessToken, expiresIn = 300, options) => {
  const made = manager(options)
  await made.setTokens({ accessToken, expiresIn })
  return made
}

// How far the clock is advanced.
let ahead = 0
for (const clock of [performance, Date]) {
  const now = clock.now.bind(clock)
  clock.now = () => now() + ahead
}

/** Brings a token of this manager near its end. */
function later(made) {
  ahead += 290_000
  return made
}

/** Who makes the call, for each way. */
const ways = {
  platform: async () => ({ fetch: (...args) => fetch(...args), dispose() {} }),
  early: async () => manager(),
  'without a session': async () => {
    const made = manager()
    await made.ready
    return made
  },
  'with a token': () => withToken('good'),
  'with a token that is refused': () => withToken('old'),
  'with a token near its end': () => withToken('old').then(later),
  'outside of apis': () => withToken('good', 300, { apis: ['/elsewhere'] }),
}

globalThis.names = () => Object.keys(calls)

/** The observations of a call, for each way. */
globalThis.compare = async (name) => {
  const seen = {}
  for (const [way, make] of Object.entries(ways)) {
    const who = await make()
    seen[way] = await outcome(calls[name], who.fetch)
    who.dispose()
  }
  return seen
}

async function outcome({ make, change }, fetch) {
  const about = {}
  try {
    const args = make()
    let sent
    try {
      sent = fetch(...args)
    } catch (error) {
      return { thrown: String(error) }
    }
    about.promise = sent instanceof Promise
    sent.catch(() => {})
    const [input, init] = args
    if (input instanceof Request) about.used = input.bodyUsed
    const body =
      init === null || init === undefined ? undefined : Object.getOwnPropertyDescriptor(Object(init), 'body')?.value
    if (body instanceof ReadableStream) about.locked = body.locked
    change?.(args)
    return { ...about, ...(await told(await sent)) }
  } catch (error) {
    return {
      ...about,
      error: String(error),
      type: error?.constructor?.name,
      name: error?.name,
      code: error?.code,
      own: Object.keys(Object(error)),
    }
  }
}

async function told(response) {
  const { type, status, statusText, ok, redirected, url, bodyUsed } = response
  // A blob's URL is random.
  const at = url.replace(/^blob:.*/, 'blob:')
  const about = {
    own: response instanceof Response,
    type,
    status,
    statusText,
    ok,
    redirected,
    url: at,
    bodyUsed,
    body: response.body === null,
  }
  about.answered = [...response.headers].filter(([name]) => !/^(date|content-length)$/.test(name))
  const text = await response.text()
  if (!text.startsWith('{')) return { ...about, text }
  return { ...about, arrived: JSON.parse(text) }
}

/** How many microtasks pass until a promise is settled; `null` if it takes longer than a turn. */
globalThis.turns = async (promise) => {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  for (let n = 1; n <= 50; n++) {
    await null
    if (settled) return n
  }
  return null
}

/** The members of an init that a way reads at the call, in order. */
globalThis.reads = async () => {
  const read = {}
  for (const [way, make] of Object.entries(ways)) {
    const who = await make()
    read[way] = []
    const call = who.fetch('/fixed', new Proxy({}, { get: (_, name) => void read[way].push(String(name)) }))
    const atOnce = read[way].length
    await call
    if (read[way].length > atOnce) read[way].push('and later')
    who.dispose()
  }
  return read
}

/** After how many microtasks a call rejects, for each way; `make` makes its arguments. */
globalThis.rejects = async (make) => {
  const counts = {}
  for (const [way, maker] of Object.entries(ways)) {
    const who = await maker()
    counts[way] = await turns(who.fetch(...make()))
    who.dispose()
  }
  return counts
}

/** The same, if `end` aborts a pending call. */
globalThis.ends = async (make, end) => {
  const counts = {}
  for (const [way, maker] of Object.entries(ways)) {
    if (way === 'early') continue
    const who = await maker()
    const controller = new AbortController()
    const call = who.fetch(...make(controller.signal))
    end(controller)
    counts[way] = await turns(call)
    who.dispose()
  }
  return counts
}

globalThis.shape = async () => {
  const { fetch } = await ways['with a token']()
  return {
    name: fetch.name,
    length: fetch.length,
    constructor: (() => {
      try {
        return String(new fetch('/fixed'))
      } catch (error) {
        return error.constructor.name
      }
    })(),
  }
}

globalThis.isFaithful = true
