// Simultaneous calls with a revoked token: the number of refreshes and requests, and the time until all are answered.

import { SUBJECTS } from '../lib/subjects.mjs'
import { shuffled } from '../lib/stats.mjs'

export const storms = (quick) => (quick ? [1, 10] : [1, 10, 100, 1000])
/** The number of calls with a token whose expiry the client knows. */
export const KNOWN = 100

export async function storm({ chrome, server, rounds, quick, record }) {
  // Storms take long and vary little, so fewer rounds are enough.
  for (let round = 0; round < Math.ceil(rounds / 3); round++) {
    for (const { name } of shuffled(SUBJECTS.filter(({ refreshes }) => refreshes !== false))) {
      await record(['storms', round, name], (partly) =>
        chrome.withPage(server.origin, (page) => refused(page, server, name, quick, partly)),
      )
      if (round || quick) continue
      await record(['known', round, name], () =>
        chrome.withPage(`${server.origin}/?life=2`, (page) => expired(page, server, name)),
      )
    }
  }
}

async function refused(page, server, name, quick, partly) {
  server.reset()
  await page.bench('start', name)
  const measured = {}
  for (const count of storms(quick)) {
    server.kill()
    measured[count] = await stormed(page, server, count)
    // Report each storm at once, because a later one may hang.
    partly(measured)
  }
  return measured
}

async function expired(page, server, name) {
  server.reset()
  await page.bench('start', name)
  await new Promise((resolve) => setTimeout(resolve, 2_100))
  const { api } = server.state
  const measured = await stormed(page, server, KNOWN)
  return { ...measured, api: measured.api - api }
}

async function stormed(page, server, count) {
  const { result, cpu } = await page.measure('storm', count)
  const { api, refreshes } = server.state
  return { cpu, wall: result.ms, done: result.done, why: result.why, api, refreshes }
}
