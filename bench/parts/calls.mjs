// The CPU cost of a call in the page: `fetch` is a stub that makes a Response, so the rest is the library's cost.

import { SUBJECTS } from '../lib/subjects.mjs'
import { shuffled } from '../lib/stats.mjs'

export const KINDS = {
  get: 'GET, answer unread',
  json: 'GET, JSON read',
  post: 'POST, with `init`',
  fresh: 'GET, every URL new',
}

// A batch takes about so many milliseconds of CPU: long enough for the clock, and short enough to compare with its
// neighbours.
const BATCH = 50
// Enough warm-up for the compiler.
const WARM_UP = 120
const TRIAL = 200

export async function calls({ chrome, server, rounds, quick, record }) {
  for (let round = 0; round < rounds; round++) {
    for (const { name } of shuffled(SUBJECTS)) {
      await record(['calls', round, name], () =>
        chrome.withPage(server.origin, (page) => measure(page, server, name, quick)),
      )
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
    const within = async (budget) =>
      Math.min(10_000, Math.max(TRIAL, Math.round((budget * TRIAL) / (await loop(TRIAL)).cpu)))
    if (!quick) await loop(await within(WARM_UP))
    const count = quick ? TRIAL : await within(BATCH)
    const batches = []
    for (let i = 0; i < (quick ? 1 : 3); i++) {
      const { result, cpu } = await loop(count)
      batches.push({ cpu: ((cpu - idle) * 1000) / count, wall: (result * 1000) / count })
    }
    // Other load can only add time, so take the minimum.
    measured[kind] = {
      cpu: Math.min(...batches.map(({ cpu }) => cpu)),
      wall: Math.min(...batches.map(({ wall }) => wall)),
    }
  }
  return measured
}
