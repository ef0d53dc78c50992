// What a call costs the page's own code: `fetch` is a stub that makes a Response, so all the rest is the library's.

import { SUBJECTS } from '../lib/subjects.mjs'
import { shuffled } from '../lib/stats.mjs'

export const KINDS = {
  get: 'GET, answer unread',
  json: 'GET, JSON read',
  post: 'POST, with `init`',
  fresh: 'GET, every URL new',
}

// A batch takes about so many milliseconds of CPU: long enough for the clock, short enough to lie beside its neighbours.
const BATCH = 60
const WARM_UP = 3_000

export async function calls({ chrome, server, rounds, quick, record }) {
  for (let round = 0; round < rounds; round++) {
    for (const { name } of shuffled(SUBJECTS)) {
      await record(['calls', round, name], () => chrome.withPage(server.origin, (page) => measure(page, server, name, quick)))
    }
  }
}

async function measure(page, server, name, quick) {
  server.reset()
  await page.bench('stub')
  await page.bench('start', name)
  const measured = {}
  for (const kind of Object.keys(KINDS)) {
    const loop = (count) => page.measure('loop', kind, count, server.state.token)
    const idle = (await loop(0)).cpu
    await loop(quick ? 100 : WARM_UP)
    const { cpu: trial } = await loop(100)
    const count = quick ? 100 : Math.min(10_000, Math.max(200, Math.round((BATCH * 100) / trial)))
    const batches = []
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      const { result, cpu } = await loop(count)
      batches.push({ cpu: ((cpu - idle) * 1000) / count, wall: (result * 1000) / count })
    }
    // The machine can only add.
    measured[kind] = { cpu: Math.min(...batches.map(({ cpu }) => cpu)), wall: Math.min(...batches.map(({ wall }) => wall)) }
  }
  return measured
}
