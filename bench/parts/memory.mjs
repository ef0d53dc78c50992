// Memory: what remains after many calls, what a held call takes, and what sending a large body twice takes.

import { REFERENCE, SUBJECTS } from '../lib/subjects.mjs'

/** The numbers of calls. Peers get fewer, because some are slow. */
export const FEW = 5_000
export const MANY = 100_000
export const PEERS = 20_000

export async function memory({ chrome, server, quick, record }) {
  const held = quick ? 10 : 1_000
  const megabytes = quick ? 2 : 200
  for (const { name, refreshes, ours } of SUBJECTS) {
    const [few, many] = quick ? [50, 100] : [FEW, ours || name === REFERENCE ? MANY : PEERS]
    await record(['left', 0, name], () => chrome.withPage(server.origin, (page) => left(page, server, name, few, many)))
    if (refreshes === false) continue
    await record(['held', 0, name], () => chrome.withPage(server.origin, (page) => holding(page, server, name, held)))
    await record(['upload', 0, name], () =>
      chrome.withPage(server.origin, (page) => upload(page, server, name, megabytes)),
    )
  }
}

async function left(page, server, name, few, many) {
  server.reset()
  await page.bench('stub')
  await page.bench('start', name)
  const state = async () => ({ heap: await page.heap(), wasm: await page.bench('wasmBytes') })
  const loop = async (count) => {
    for (const end = count; count > 0; count -= 5_000)
      await page.bench('loop', 'get', Math.min(5_000, count, end), server.state.token)
  }
  await loop(few)
  const before = await state()
  await loop(many - few)
  const after = await state()
  return { heap: after.heap - before.heap, wasm: after.wasm - before.wasm, wasmBytes: after.wasm }
}

/** Calls that were refused once, and wait for a refresh that is held back. */
async function holding(page, server, name, count) {
  server.reset()
  await page.bench('start', name)
  const before = await page.heap()
  server.kill()
  let release
  server.state.held = new Promise((resolve) => (release = resolve))
  await page.bench('hold', count)
  await until(() => server.state.api >= count && server.state.refreshes)
  const after = await page.heap()
  server.state.held = undefined
  release()
  return { bytes: (after - before) / count }
}

async function upload(page, server, name, megabytes) {
  server.reset()
  await page.bench('start', name)
  await page.bench('makeUpload', megabytes)
  server.kill()
  const before = await page.memory()
  const sent = page.bench('upload')
  let peak = 0
  let done = false
  const watch = (async () => {
    while (!done) {
      peak = Math.max(peak, await page.memory())
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  const status = await sent.finally(() => (done = true))
  await watch
  if (status !== 200) throw new Error(`status ${status} after ${server.state.api} requests`)
  return { megabytes, requests: server.state.api, peak: (peak - before) / 2 ** 20 }
}

async function until(condition) {
  for (let i = 0; i < 1_000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  if (!condition()) throw new Error('the calls did not come to a refresh')
}
