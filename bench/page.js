// Runs in each page: imports a subject, and makes calls through it. The runner (bench.mjs) reads the clocks.

const real = globalThis.fetch.bind(globalThis)
const ANSWER = JSON.stringify({
  id: 17,
  name: 'Ada Lovelace',
  roles: ['reader', 'writer'],
  seen: '2026-01-01T00:00:00Z',
  score: 4.25,
})
const PLAIN = { status: 200, headers: { 'Content-Type': 'application/json' } }
const BODY = JSON.stringify({ name: 'Ada Lovelace', roles: ['reader'] })
// About as many URLs as a page of an app uses repeatedly.
const URLS = Array.from({ length: 20 }, (_, i) => `/api/items/${i}`)

let subject
let stubbed = 0
let last
let fresh = 0

// The WebAssembly memories that the subject creates.
const memories = []
const instantiate = WebAssembly.instantiate
WebAssembly.instantiate = async (...args) => {
  const made = await instantiate.apply(WebAssembly, args)
  for (const value of Object.values((made.instance ?? made).exports))
    if (value instanceof WebAssembly.Memory) memories.push(value)
  return made
}

const kinds = {
  get: async (i) => (await subject.get(URLS[i % 20])).status,
  json: async (i) => ((await subject.json(URLS[i % 20])).id === 17 ? 200 : 0),
  post: async (i) => (await subject.post(URLS[i % 20], BODY, 'application/json')).status,
  // Never the same URL twice.
  fresh: async () => (await subject.get(`/api/search?q=${fresh++}`)).status,
}

/** A header field of the last call, which may have been a Request. */
function sentHeader(name) {
  const [input, init] = last
  return new Headers(init?.headers ?? input.headers).get(name)
}

globalThis.bench = {
  /** The time from import() to the first response, in milliseconds. */
  async start(name) {
    const began = performance.now()
    const { default: setUp } = await import(`/subjects/${name}.js`)
    subject = await setUp()
    const { status } = await subject.get('/api/items/0')
    return { ms: performance.now() - began, status }
  },

  /**
   * From here on, a stub answers calls to the API. Called before the subject is imported, because some keep the `fetch`
   * that they find.
   */
  stub() {
    globalThis.fetch = (input, init) => {
      if (!(typeof input === 'string' ? input : (input.url ?? input.href)).includes('/api/')) return real(input, init)
      stubbed++
      last = [input, init]
      return Promise.resolve(new Response(ANSWER, PLAIN))
    }
  },

  /** Makes `count` calls one after the other. Resolves to the milliseconds. Throws if a call did not succeed. */
  async loop(kind, count, token) {
    const call = kinds[kind]
    stubbed = 0
    const began = performance.now()
    for (let i = 0; i < count; i++) if ((await call(i)) !== 200) throw new Error('a call was not answered')
    const ms = performance.now() - began
    if (count && stubbed !== count) throw new Error(`${stubbed} requests for ${count} calls`)
    if (count && sentHeader('Authorization') !== `Bearer ${token}`) throw new Error('the token was not sent')
    return ms
  },

  /** Makes `count` calls at once. Resolves to the number of calls that got a 200, and the milliseconds. */
  async storm(count) {
    const began = performance.now()
    const calls = Array.from({ length: count }, (_, i) => subject.get(`/api/items/${i}`))
    const settled = await Promise.allSettled(calls)
    const ms = performance.now() - began
    const done = settled.filter((one) => one.status === 'fulfilled' && one.value?.status === 200).length
    const why = settled.find((one) => one.status === 'rejected')?.reason
    return { ms, done, why: why && String(why) }
  },

  /** Makes calls without waiting for them. */
  hold(count) {
    globalThis.held = Array.from({ length: count }, (_, i) => subject.get(`/api/items/${i}`))
  },

  wasmBytes: () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0),

  makeUpload(megabytes) {
    globalThis.upload = new Blob(Array(megabytes).fill(new Uint8Array(1 << 20)))
  },

  upload: async () => (await subject.post('/api/upload', globalThis.upload, 'application/octet-stream')).status,

  /** Makes one call. Resolves to the times before and after. */
  async wake() {
    const woken = performance.timeOrigin + performance.now()
    const { status } = await subject.get('/api/items/0')
    return { woken, served: performance.timeOrigin + performance.now(), status }
  },
}
