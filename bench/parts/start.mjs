// The time from `import()` to the first response to a call with a token, including the sign-in: one request to sign in,
// one to the API.

import { SUBJECTS } from '../lib/subjects.mjs'
import { shuffled } from '../lib/stats.mjs'

export async function start({ chrome, server, rounds, record }) {
  for (let round = 0; round < rounds; round++) {
    for (const { name } of shuffled(SUBJECTS)) {
      await record(['start', round, name], () =>
        chrome.withPage(server.origin, async (page) => {
          server.reset()
          const { result, cpu } = await page.measure('start', name)
          if (result.status !== 200) throw new Error(`status ${result.status}`)
          return { cpu, wall: result.ms }
        }),
      )
    }
  }
}
