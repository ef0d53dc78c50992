// The time from `import()` to the first response to a call with a token, including the sign-in: one request to sign in,
// one to the API. And the number of functions that the main thread compiles on the way, which no other load of the machine changes.

import { SUBJECTS } from '../lib/subjects.mjs'
import { shuffled } from '../lib/stats.mjs'

const COMPILED = { javascript: 'V8.CompileIgnition', webAssembly: 'wasm.CompileBaseline' }
const CATEGORIES = ['disabled-by-default-v8.compile', 'disabled-by-default-v8.wasm.detailed', 'blink.user_timing']
/** Shows which thread of the trace is the page's main thread. */
const MARK = 'tokenkeep benchmark'

export async function start({ chrome, server, rounds, record }) {
  for (let round = 0; round < rounds; round++) {
    for (const { name } of shuffled(SUBJECTS)) {
      await record(['start', round, name], () => chrome.withPage(server.origin, (page) => once(page, server, name)))
    }
  }
  for (const { name } of SUBJECTS) {
    await record(['compiled', 0, name], () =>
      chrome.withPage(server.origin, async (page) => {
        const events = await chrome.trace(CATEGORIES, async () => {
          await page.evaluate(`performance.mark('${MARK}')`)
          await once(page, server, name)
        })
        const { pid, tid } = events.find((event) => event.name === MARK)
        const count = (kind) =>
          events.filter((event) => event.pid === pid && event.tid === tid && event.name === kind).length
        return Object.fromEntries(Object.entries(COMPILED).map(([name, kind]) => [name, count(kind)]))
      }),
    )
  }
}

async function once(page, server, name) {
  server.reset()
  const { result, cpu } = await page.measure('start', name)
  if (result.status !== 200) throw new Error(`status ${result.status}`)
  return { cpu, wall: result.ms }
}
