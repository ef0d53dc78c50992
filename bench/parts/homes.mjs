// The cost of a call through each home of the token, compared with a bare `fetch` inside a worker and one structured
// clone; the cost of a new token; and the cost of a proof (DPoP). All calls go to the server, over HTTP/1.1, and
// responses are read to the end.
//
// All contestants run in one page and take turns, in another order in each round: on a shared machine, only
// measurements that were taken side by side can be compared.

import { loadavg } from 'node:os'
import { shuffled } from '../lib/stats.mjs'

/** Name, title, and the kinds of calls that are measured. */
export const CONTESTANTS = [
  {
    name: 'bare worker',
    title: 'bare `fetch` in a worker, one clone to the page',
    kinds: ['json', 'post', 'large', 'token'],
  },
  { name: 'bare shared worker', title: 'the same in a shared worker', kinds: ['json', 'post', 'large', 'token'] },
  {
    name: 'bare worker alone',
    title: 'bare `fetch` and one clone, timed inside the worker',
    kinds: ['json', 'post', 'large'],
  },
  { name: 'bare shared worker alone', title: 'the same in a shared worker', kinds: ['json', 'post', 'large'] },
  {
    name: 'bare service worker fetch',
    title: "the page's own `fetch`, forwarded by a bare service worker",
    kinds: ['json', 'post', 'large'],
  },
  { name: 'fetch', title: 'bare `fetch` in the page', kinds: ['json', 'post', 'large', 'token'] },
  { name: 'page', title: '**tokenkeep**, `page`', ours: true, kinds: ['json', 'post', 'large', 'token'] },
  { name: 'worker', title: '**tokenkeep**, `worker`', ours: true, kinds: ['json', 'post', 'large', 'token'] },
  {
    name: 'shared-worker',
    title: '**tokenkeep**, `shared-worker`',
    ours: true,
    kinds: ['json', 'post', 'large', 'token'],
  },
  {
    name: 'service-worker',
    title: '**tokenkeep**, `service-worker`, by `auth.fetch`',
    ours: true,
    kinds: ['json', 'post', 'large', 'token'],
  },
  {
    name: 'service-worker fetch',
    title: "**tokenkeep**, `service-worker`, by the page's own `fetch`",
    ours: true,
    kinds: ['json', 'post', 'large'],
  },
  { name: 'auth0', title: 'auth0-spa-js', kinds: ['json', 'post', 'large', 'token'] },
  { name: 'page dpop', title: '**tokenkeep**, `page`, with `dpop`', ours: true, kinds: ['json'] },
  { name: 'worker dpop', title: '**tokenkeep**, `worker`, with `dpop`', ours: true, kinds: ['json'] },
  { name: 'sign', title: '`crypto.subtle.sign` alone', kinds: ['json'] },
]

const CALLS = { json: 40, post: 40, large: 20, token: 15 }

/** How many of these short rounds make up one round of the benchmark. */
const ROUNDS = 2

export async function homes({ chrome, server, rounds, quick, record }) {
  await chrome.withPage(server.origin, async (page) => {
    server.reset()
    await page.evaluate("import('/homes/page.js').then(() => {})")
    await page.bench('openHomes')
    const count = (kind) => (quick ? 3 : CALLS[kind])
    const load = loadavg()[0]
    for (let round = quick ? 0 : -1; round < (quick ? 1 : rounds * ROUNDS); round++) {
      for (const { name, kinds } of shuffled(CONTESTANTS)) {
        const measure = async () => {
          const measured = { load }
          server.state.proofs = 0
          for (const kind of kinds) {
            const { result, cpu } = await page.measure('loopHome', name, kind, count(kind))
            measured[kind] = { wall: (result * 1000) / count(kind), cpu: (cpu * 1000) / count(kind) }
          }
          if (server.state.proofs !== (name.endsWith('dpop') ? count('json') : 0))
            throw new Error(`${server.state.proofs} proofs were sent`)
          return measured
        }
        // The first round warms up the compiler.
        if (round < 0) await measure()
        else await record(['homes', round, name], measure)
      }
    }
  })
}
