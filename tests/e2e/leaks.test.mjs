// After many calls there is no more in memory than after some: the WebAssembly's memory, the JavaScript heap, event listeners and timers.
// `fetch` is simulated, because the server does not matter here.

import assert from 'node:assert/strict'
import { engine } from './support/engine.mjs'
import { isLong, world } from './support/world.mjs'

const lacks = engine !== 'chrome' && 'a look at the heap (Chrome DevTools Protocol)'
const { it } = await world({ lacks, timeout: 900_000 })

const SOME = 5_000
const MANY = isLong ? 100_000 : 20_000

/** Counts a page's resources. Runs in it before everything else. */
function count() {
  const has = (globalThis.has = { timers: 0, wasm: () => 0 })
  const timers = new Set()
  const { setTimeout, clearTimeout } = globalThis
  const set = (work, ms) => {
    const id = setTimeout(() => (timers.delete(id), (has.timers = timers.size), work()), ms)
    has.timers = timers.add(id).size
    return id
  }
  globalThis.setTimeout = /** @type {any} */ (set)
  globalThis.clearTimeout = (id) => (timers.delete(id), (has.timers = timers.size), clearTimeout(id))
  const { instantiate } = WebAssembly
  WebAssembly.instantiate = async (...args) => {
    const instance = await instantiate.apply(WebAssembly, args)
    const memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory)
    has.wasm = () => memory.buffer.byteLength
    return instance
  }
}

/** The server, in the page: a token is good for a hundred calls. */
function standIn() {
  let token = 0
  let left = 100
  globalThis.refreshes = 0
  globalThis.fetch = async (input, init) => {
    const url = `${input.url ?? input}`
    if (url.endsWith('/auth/refresh')) {
      left = 100
      refreshes++
      return Response.json({ access_token: `token-${++token}`, expires_in: 300 })
    }
    const headers = new Headers(init?.headers ?? input.headers)
    if (headers.get('authorization') !== `Bearer token-${token}` || left-- === 0) {
      if (left < 0) token++
      return new Response('{"error":"invalid_token"}', { status: 401 })
    }
    return Response.json({ ok: true })
  }
}

/** In the page: this many calls of all kinds, ten at once. */
async function work(calls) {
  const signal = (globalThis.lasting ??= new AbortController()).signal
  const kinds = [
    () => auth.fetch('/api/x'),
    () => auth.fetch('/api/x', { signal }),
    () => auth.fetch(new Request('/api/x', { method: 'POST', body: 'a body' })),
    () =>
      auth.fetch('/api/x', {
        method: 'POST',
        body: new URLSearchParams({ a: 'b' }),
        signal: AbortSignal.any([signal]),
      }),
    () => auth.fetch('/api/x', { headers: { accept: 'application/json' } }),
  ]
  for (let done = 0; done < calls; done += 10) {
    const unsubscribe = auth.subscribe(() => {})
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => kinds[n % kinds.length]()))
    for (const answer of answers) if (answer.status !== 200) throw new Error(`${answer.status} after ${done} calls`)
    unsubscribe()
  }
}

it(`${MANY} calls with refreshes leave no more behind than ${SOME}`, async (user) => {
  const page = await user.tab({}, (page) => page.addInitScript(count))
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable')
  const measure = async () => {
    for (let n = 0; n < 3; n++) await devtools.send('HeapProfiler.collectGarbage')
    const { usedSize } = await devtools.send('Runtime.getHeapUsage')
    const { metrics } = await devtools.send('Performance.getMetrics')
    const listeners = metrics.find(({ name }) => name === 'JSEventListeners').value
    return {
      heap: usedSize,
      listeners,
      ...(await page.evaluate(() => ({ wasm: has.wasm(), timers: has.timers, refreshes }))),
    }
  }
  await page.evaluate(standIn)
  await page.evaluate(work, SOME)
  const some = await measure()
  const begun = performance.now()
  await page.evaluate(work, MANY - SOME)
  const took = performance.now() - begun
  const many = await measure()
  console.log(`after ${SOME} calls: ${JSON.stringify(some)}`)
  console.log(`after ${MANY} calls: ${JSON.stringify(many)}; ${(took / 1000).toFixed(1)} s`)
  assert.ok(many.refreshes >= MANY / 110)
  assert.equal(many.wasm, some.wasm)
  assert.equal(many.listeners, some.listeners)
  assert.equal(many.timers, some.timers)
  assert.ok(many.heap - some.heap < 200_000, `the heap has grown by ${many.heap - some.heap} bytes`)
})
